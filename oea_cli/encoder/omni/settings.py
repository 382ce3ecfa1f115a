"""What an encoder is, apart from its weights: the contents of `encoder.json`."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from oea_cli.encoder.protocol import WINDOW, is_window
from oea_cli.errors import OeaError

FORMAT = "oea-encoder/1"


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
    for name, value in content.items():
        if (wanted := _wanted(name, value)) is not None:
            raise OeaError(f"{path}: {name} must be {wanted}; got {value!r:.60}")
    settings = EncoderSettings(**content)
    for name, known_values in CHOICES.items():
        if (value := getattr(settings, name)) not in known_values:
            raise OeaError(
                f"{path}: {name} '{value}' is not known; known: {', '.join(known_values)}"
            )
    return settings


def _wanted(name: str, value: object) -> str | None:
    """What a field must be where this value is none; None where it is one."""
    if name in ("lora", "generation_prompt"):
        return None if isinstance(value, bool) else "true or false"
    if name == "training":
        return None if isinstance(value, dict) else "an object"
    if name in ("dim", "sample_rate", "max_text_tokens"):
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return None if is_whole and 0 < cast(int, value) < 2**31 else "a whole number above 0"
    if name == "max_seconds":
        return None if is_window(value) else WINDOW
    return None if isinstance(value, str) else "text"
