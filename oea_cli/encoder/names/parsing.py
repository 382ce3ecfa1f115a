"""The value of `--model`: `SCHEME:PLACE?option=value&...`, read without loading anything.

    mini                                 a released or built-in encoder by its short name
    runs/mine                            a folder made by `oea train` or `oea models convert`
    omni:Qwen/Qwen2.5-Omni-3B?pooling=last
    clap:laion/clap-htsat-unfused?revision=8fa0f1c
    http://localhost:8000/v1?model=bge-m3

What decides a vector is part of the name, so that an index can load its encoder again from what it
remembers. What does not (device, number format) is a `Placement`.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from oea_cli.errors import UsageError

DTYPES = ("auto", "float32", "bfloat16", "float16")
QUANTIZATIONS = ("none", "int8", "int4")
WEB = ("http", "https")


@dataclass(frozen=True)
class EncoderName:
    """A name taken apart. `scheme` is empty for a short name or a folder; of a server, `place` is
    the whole address."""

    scheme: str
    place: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The name put together again, options in alphabetical order."""
        prefix = f"{self.scheme}:" if self.scheme and self.scheme not in WEB else ""
        pairs = (f"{key}={quote(self.options[key], safe=_PLAIN)}" for key in sorted(self.options))
        given = "&".join(pairs)
        return f"{prefix}{self.place}{'?' if given else ''}{given}"

    @property
    def revision(self) -> str | None:
        """The commit, tag or branch of a repository."""
        return self.options.get("revision")

    def positive(self, option: str) -> float | None:
        """An option that is a number above 0; raises UsageError for any other text."""
        if (text := self.options.get(option)) is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < math.inf:
            raise UsageError(f"{self}: {option} must be a number above 0; got {text}")
        return value

    def allow(self, *known: str) -> None:
        """Raise UsageError for an option that this kind of encoder does not have."""
        for key in self.options:
            if key not in known:
                choice = f"it has {', '.join(sorted(known))}" if known else "it has none"
                raise UsageError(f"{self}: no option '{key}' for this kind of encoder; {choice}")


_PLAIN = " /:,.-_{}<|>'\"!()*~\n"  # what need not be escaped in a value: only & % + # must be


@dataclass(frozen=True)
class Placement:
    """Where and in which number format an encoder runs: nothing that should change a vector.

    `trust_remote_code` runs Python out of a model repository; it needs a pinned revision, and no
    name that an index remembers can ask for it.
    """

    device: str = "auto"
    dtype: str = "auto"
    quantize: str = "none"
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise UsageError(f"dtype '{self.dtype}' is not one of {', '.join(DTYPES)}")
        if self.quantize not in QUANTIZATIONS:
            choices = ", ".join(QUANTIZATIONS)
            raise UsageError(f"quantize '{self.quantize}' is not one of {choices}")


def parse_name(text: str, **options: str | None) -> EncoderName:
    """Take a name apart; `options` given apart (--pooling, --revision) join those in it.

    Raises UsageError for an option without a value, or one given twice with two values.
    """
    head, _, query = text.partition("?")
    scheme, colon, place = head.partition(":")
    if not colon or "/" in scheme or "\\" in scheme:
        scheme, place = "", head
    elif scheme in WEB:
        place = head
    try:
        pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        pairs = [("", "")] * 2 if query else []
    if len(dict(pairs)) != len(pairs):
        raise UsageError(f"{text}: options are written ?name=value&name=value, each one once")
    found = dict(pairs)
    for key, value in options.items():
        if value is None:
            continue
        if found.get(key, value) != value:
            option = "--" + key.replace("_", "-")
            raise UsageError(f"{text}: has {key}={found[key]}, but {option} is {value}")
        found[key] = value
    if not place:
        raise UsageError(f"'{text}' does not name an encoder")
    return EncoderName(scheme, place, found)


def is_server(text: str) -> bool:
    """Whether what is encoded by this name leaves the machine."""
    return text.partition(":")[0].lower() in WEB


def nearest(text: str, known: Iterable[str], rest: str = "") -> str:
    """`; did you mean X?`, with the rest of what was typed, or nothing where nothing is near."""
    close = difflib.get_close_matches(text, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}{rest}?" if close else ""
