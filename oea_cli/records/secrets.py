"""Keys and passwords in text that other programs wrote: a server that repeats a request, a URL.

Whatever reaches a person or a file and was not ours to begin with goes through `redacted`.
"""

import base64
import os
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote, quote_plus

from oea_cli.errors import UsageError

KEY_VARIABLES = (
    "OEA_API_KEY",
    "OEA_LLM_KEY",
    "OPENAI_API_KEY",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
HIDDEN = "***"
SHORT = 8
"""Characters. A shorter key is hidden where it stands alone; only letters are `none`, `EMPTY`."""

_NAMES = (
    r"[a-z0-9_.\-]*(?:api[_\-]?key|token|secret|passw(?:or)?d|pwd|signature|credential)"
    r"|key|auth|sig|x-amz-[a-z\-]+"
)
_PATTERNS = (
    (re.compile(r"(\b[a-z][a-z0-9+.\-]*://)[^\s/?#@]*@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(rf"([?&;](?:{_NAMES})=)[^\s&;#\"'<>]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(bearer|basic)(\s+|%20|\+)[\w.~+/=%\-]{8,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    (re.compile(r"\b(?:sk|hf|gsk|xai)[-_][A-Za-z0-9_\-]{16,}"), HIDDEN),
)


def key_from(*variables: str) -> str:
    """The key in the first of these variables that holds one; empty without.

    Raises UsageError for what cannot be a key, before it goes anywhere.
    """
    for variable in variables:
        if key := os.environ.get(variable, "").strip():
            if not key.isascii() or not key.isprintable() or " " in key:
                raise UsageError(f"{variable} contains characters that no key contains")
            return key
    return ""


def redacted(text: str) -> str:
    """The text with keys of the environment and passwords in addresses hidden.

    A key is found as it is, percent-encoded, in base64, and over several lines.
    """
    given = (os.environ.get(name, "").strip() for name in KEY_VARIABLES)
    keys = tuple(key for key in given if key and (len(key) >= SHORT or not key.isalpha()))
    if keys:
        text = _any_of(keys).sub(HIDDEN, text)
    for pattern, hidden in _PATTERNS:
        text = pattern.sub(hidden, text)
    return text


@cache
def _any_of(keys: tuple[str, ...]) -> re.Pattern[str]:
    forms = sorted({form for key in keys for form in _forms(key)}, key=len, reverse=True)
    return re.compile("|".join(map(_spread, forms)))


def _forms(key: str) -> Iterator[str]:
    yield from (key, quote(key, safe=""), quote_plus(key))
    if len(key) < SHORT:
        return
    yield "".join(f"%{byte:02X}" for byte in key.encode())
    for before in range(3):  # a key anywhere in what was encoded begins at one of three places
        whole = base64.b64encode(b"\0" * before + key.encode()).decode().rstrip("=")
        inner = whole[(0, 2, 3)[before] : len(whole) - 1]
        yield from (inner, inner.translate(str.maketrans("+/", "-_")))


def _spread(form: str) -> str:
    """A pattern for a form of a key, also where line ends and blanks were put into it."""
    if len(form) < SHORT:
        return rf"(?<!\w){re.escape(form)}(?!\w)"
    return r"(?:\s|\\[nr])*".join(map(re.escape, form))
