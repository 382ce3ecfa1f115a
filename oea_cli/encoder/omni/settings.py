"""What an encoder is, apart from its weights: the contents of `encoder.json`."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oea_cli.errors import OeaError
from oea_cli.records.format_versions import check_format, format_mark

LARGEST = 1 << 24
"""Of a number in encoder.json: no dimension, rate or length is larger."""
FORMAT = "oea-encoder"


@dataclass(frozen=True)
class EncoderSettings:
    """The fields that decide a vector's value, and `training`, which only tells where it came from.

    A prompt stands right before what is encoded, without a space, or around it where it has a `{}`.
    `text_prompt` alone, and nothing for audio: so the released checkpoints were trained, whatever
    the paper's figure says (OEA, code release).
    """

    dim: int = 512
    sample_rate: int = 16_000  # hertz
    max_seconds: float = 10.0  # longer clips become windows
    max_text_tokens: int = 512
    text_prompt: str = "query:"
    system_prompt: str = "You are a helpful assistant."  # Qwen2.5-Omni's default
    pooling: str = "mean"  # over the attention mask of the last hidden layer; or last: token
    audio_prompt: str = ""
    generation_prompt: bool = False  # ends with the assistant's turn, for pooling: last
    attention: str = "causal"  # of the language model; or bidirectional: Omni-Embed-Nemotron
    base: str = ""  # of an adapter: the backbone's repository or folder
    base_revision: str = ""  # of that repository
    lora: bool = True  # of an adapter: it has LoRA; or two heads alone
    training: dict[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """The fields that belong in the fingerprint; where a base lies does not, its weights do.

        A field that came later counts only where it is used, so that fingerprints stay.
        """
        fields = dataclasses.asdict(self)
        for name in ("training", "base", "base_revision"):
            del fields[name]
        for name, unused in _LATER.items():
            if fields[name] == unused:
                del fields[name]
        return fields


_LATER = {"lora": True, "audio_prompt": "", "generation_prompt": False, "attention": "causal"}
CHOICES = {"pooling": ("mean", "last"), "attention": ("causal", "bidirectional")}


def prompted(prompt: str, content: str) -> str:
    """A prompt with what is encoded: at its `{}`, or right behind it."""
    return prompt.replace("{}", content) if "{}" in prompt else prompt + content


def save_settings(path: Path, settings: EncoderSettings) -> None:
    """Write encoder.json."""
    content = {"format": format_mark(FORMAT), **dataclasses.asdict(settings)}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_settings(path: Path) -> EncoderSettings:
    """Read encoder.json; raises OeaError for another format or an unknown field."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OeaError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise OeaError(f"{path}: holds no JSON object; is it damaged?")
    check_format(content, FORMAT, path)
    del content["format"]
    fields = {item.name: item for item in dataclasses.fields(EncoderSettings)}
    if unknown := sorted(set(content) - set(fields)):
        raise OeaError(f"{path}: unknown field '{unknown[0]}'; is it damaged?")
    for name, value in content.items():
        if not _is_possible(fields[name].type, value):
            raise OeaError(f"{path}: {name} cannot be {value!r:.80}; is the file damaged?")
    settings = EncoderSettings(**content)
    for name, known_values in CHOICES.items():
        if (value := getattr(settings, name)) not in known_values:
            raise OeaError(
                f"{path}: {name} '{value}' is not known; known: {', '.join(known_values)}"
            )
    return settings


def _is_possible(kind: Any, value: Any) -> bool:
    """Whether a value out of JSON can be a field's; all numbers are sizes, above 0."""
    if kind not in (int, float):
        return isinstance(value, kind if isinstance(kind, type) else dict)
    is_number = isinstance(value, int | kind) and not isinstance(value, bool)
    return bool(is_number and 0 < value <= LARGEST)
