"""`omni:PLACE`: a bare Qwen2.5-Omni backbone, its pooled vectors as they are."""

from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.omni.backbone import find_checkpoint
from oea_cli.encoder.omni.folder import assemble
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.omni.settings import CHOICES, EncoderSettings
from oea_cli.errors import UsageError

OPTIONS = ("revision", "pooling", "text_prompt", "audio_prompt", "generation_prompt", "max_seconds")
MAX_SECONDS = 128.0  # as OEA's preprocessing has it; the mel window would take 300


def load_bare(name: EncoderName, placement: Placement) -> OmniEncoder:
    """A `Loader`. Without options it pools and prompts as OEA does: mean, `query:`."""
    name.allow(*OPTIONS)
    checkpoint = find_checkpoint(name.place, name.revision)
    hidden_size = checkpoint.config.text_config.hidden_size
    return assemble(str(name), _settings(name, hidden_size), checkpoint, placement)


def _settings(name: EncoderName, dim: int) -> EncoderSettings:
    given = name.options
    pooling = given.get("pooling", "mean")
    if pooling not in CHOICES["pooling"]:
        raise UsageError(
            f"{name}: pooling must be {' or '.join(CHOICES['pooling'])}; got '{pooling}'"
        )
    generation = given.get("generation_prompt", "no")
    if generation not in ("yes", "no"):
        raise UsageError(f"{name}: generation_prompt must be yes or no; got '{generation}'")
    try:
        max_seconds = float(given.get("max_seconds", MAX_SECONDS))
    except ValueError:
        max_seconds = 0.0
    if not 0 < max_seconds <= 300:
        raise UsageError(f"{name}: max_seconds must be between 0 and 300")
    return EncoderSettings(
        dim=dim,
        max_seconds=max_seconds,
        pooling=pooling,
        text_prompt=given.get("text_prompt", EncoderSettings.text_prompt),
        audio_prompt=given.get("audio_prompt", ""),
        generation_prompt=generation == "yes",
    )
