"""What an encoder is, apart from its weights: the contents of `encoder.json`."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oea_cli.errors import OeaError

FORMAT = "oea-encoder/1"


@dataclass(frozen=True)
class EncoderSettings:
    """The fields that decide a vector's value, and `training`, which only tells where it came from.

    `text_prompt` stands right before the text, without a space, and audio has no prompt: so the
    released checkpoints were trained, whatever the paper's figure says (OEA, code release).
    """

    dim: int = 512
    sample_rate: int = 16_000  # hertz
    max_seconds: float = 10.0  # longer clips become windows
    max_text_tokens: int = 512
    text_prompt: str = "query:"
    system_prompt: str = "You are a helpful assistant."  # Qwen2.5-Omni's default
    pooling: str = "mean"  # over the attention mask of the last hidden layer
    training: dict[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """The fields that belong in the fingerprint."""
        fields = dataclasses.asdict(self)
        del fields["training"]
        return fields


def save_settings(path: Path, settings: EncoderSettings) -> None:
    """Write encoder.json."""
    content = {"format": FORMAT, **dataclasses.asdict(settings)}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_settings(path: Path) -> EncoderSettings:
    """Read encoder.json; raises OeaError for another format or an unknown field."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OeaError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise OeaError(f"{path}: not an {FORMAT} file")
    known = {item.name for item in dataclasses.fields(EncoderSettings)}
    if unknown := sorted(set(content) - known):
        raise OeaError(f"{path}: unknown field '{unknown[0]}'; made by a newer oea?")
    settings = EncoderSettings(**content)
    if settings.pooling != "mean":
        raise OeaError(f"{path}: pooling '{settings.pooling}' is not known; known: mean")
    return settings
