"""`omni:PLACE`: a bare Qwen2.5-Omni backbone, its pooled vectors as they are.

A folder with PEFT's adapter_config.json is LoRA on a backbone, which lies in the folder itself or
where the configuration says.
"""

import json
from pathlib import Path

from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.omni.adapter import ADAPTER_CONFIG
from oea_cli.encoder.omni.backbone import find_checkpoint
from oea_cli.encoder.omni.folder import assemble
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.omni.settings import CHOICES, EncoderSettings
from oea_cli.errors import OeaError, UsageError

OPTIONS = ("revision", "pooling", "text_prompt", "audio_prompt", "generation_prompt", "max_seconds")
MAX_SECONDS = 128.0  # as OEA's preprocessing has it; the mel window would take 300


def load_bare(name: EncoderName, placement: Placement) -> OmniEncoder:
    """A `Loader`. Without options it pools and prompts as OEA does: mean, `query:`."""
    name.allow(*OPTIONS)
    folder = Path(name.place)
    lora = folder if (folder / ADAPTER_CONFIG).is_file() else None
    place, revision = (name.place, name.revision) if lora is None else _base_of(lora, name)
    checkpoint = find_checkpoint(place, revision)
    hidden_size = checkpoint.config.text_config.hidden_size
    return assemble(str(name), _settings(name, hidden_size), checkpoint, placement, lora=lora)


def _base_of(folder: Path, name: EncoderName) -> tuple[str, str | None]:
    """The backbone of a PEFT adapter, and its revision; raises OeaError where none is named."""
    if (folder / "config.json").is_file():
        return str(folder), name.revision
    path = folder / ADAPTER_CONFIG
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        base, revision = content.get("base_model_name_or_path"), content.get("revision")
    except (OSError, ValueError, AttributeError) as error:
        raise OeaError(f"{path}: cannot be read as PEFT's configuration ({error})") from error
    if not isinstance(base, str) or not base:
        raise OeaError(f"{path}: names no backbone; set its 'base_model_name_or_path'")
    beside = folder / base
    return str(beside) if beside.is_dir() else base, name.revision or revision


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
