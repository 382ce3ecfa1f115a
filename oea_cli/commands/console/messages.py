"""A message on stderr: a line for a person or, with `--errors-format json`, a JSON object.

The object has the same keys whatever it reports: level, verb, code, item, reason and hint;
`details` where there are any. They are taken from the line that a person reads, `where: what is
wrong; what to do`.
"""

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

OPTION, VARIABLE = "--errors-format", "OEA_ERRORS_FORMAT"
Level = Literal["error", "failure", "notice"]
"""What ended the verb, one input that failed, and what is worth knowing."""
_NAME_OF_ITEM = re.compile(r"(?:stdin|\S*[./\\@#]\S*|\S+:\d+)(?=: )")
"""What a message may name first that is neither typed nor a file: `stdin:3`, `sub/rain.wav`."""
_OPTION_FIRST = re.compile(r"--?[\w-]+ ")
_ADVICE_IN_BRACKETS = re.compile(r"(.*) \((-{1,2}[a-z][^()]*)\)", re.DOTALL)


@dataclass
class Speaker:
    """Who speaks on stderr, and to whom; `as_json` is None until the command line is read."""

    verb: str = "oea"
    words: Sequence[str] = field(default_factory=lambda: sys.argv[1:])
    as_json: bool | None = None

    def begin(self, words: Sequence[str]) -> None:
        """Speak for a new command line, in the form that it asks for."""
        self.verb, self.words, self.as_json = "oea", words, None

    @property
    def is_for_programs(self) -> bool:
        """Whether messages are JSON; before the options are read, as their words look."""
        return _asks_for_json(self.words) if self.as_json is None else self.as_json


SPEAKER = Speaker()


def _asks_for_json(words: Sequence[str]) -> bool:
    value = os.environ.get(VARIABLE)
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, given = word.partition("=")
        if word == "--":
            break
        if name == OPTION:
            value = given if equals else following
    return value == "json"


@dataclass(frozen=True)
class Message:
    """A line as a person reads it, `oea VERB: where: what is wrong; what to do`, and what it is.

    `code` is the exit code that goes with it, `item` the input concerned (without it, what the text
    names first), `origin` the variable that a wrong value comes from, as ` (from OEA_DEVICE)`.
    A message that `is_whole`, our own words or a link with its token, is written as it is, and
    nothing is imported for it.
    """

    text: str
    details: Sequence[str] = ()
    level: Level = "notice"
    code: int = 0
    item: str | None = None
    origin: str = ""
    is_whole: bool = False

    def shown(self, text: str) -> str:
        """A text of this message without keys; as it is where the message is whole."""
        if self.is_whole:
            return text
        from oea_cli.records.secrets import redacted

        return redacted(text)


def as_lines(message: Message) -> str:
    """A line, and an indented one for each detail; nothing in it commands a terminal."""
    lines = [message.text + message.origin, *(f"  {detail}" for detail in message.details)]
    if not message.is_whole:
        from oea_cli.records.visible import visible

        lines = [visible(message.shown(line)) for line in lines]
    return "".join(f"{line}\n" for line in lines)


def as_object(message: Message) -> str:
    """One JSON object on a line, in ASCII, so that no encoding of stderr loses any of it."""
    text = message.shown(message.text)
    for prefix in (f"{SPEAKER.verb}: ", "oea: "):
        text = text.removeprefix(prefix)
    item = message.item and message.shown(message.item)
    if item is None:
        item = item_of(text, SPEAKER.words)
    reason, hint = reason_and_hint(text.strip().removeprefix(f"{item}: "))
    said: dict[str, Any] = {
        "level": message.level,
        "verb": SPEAKER.verb.removeprefix("oea").strip() or None,
        "code": message.code,
        "item": item,
        "reason": reason + message.origin,
        "hint": hint,
    }
    if message.details:
        said["details"] = [message.shown(detail) for detail in message.details]
    return json.dumps(said) + "\n"


def in_form(message: Message) -> str:
    """The message as whoever started the program wants to read it."""
    return as_object(message) if SPEAKER.is_for_programs else as_lines(message)


def item_of(text: str, words: Sequence[str]) -> str | None:
    """The input that a message names first, with its line: one that was typed, a file, a name."""
    text = _OPTION_FIRST.sub("", text, count=1) if text.startswith("-") else text
    typed = {part for word in words for part in (word, word.partition("=")[2]) if part}
    for word in sorted(typed, key=len, reverse=True):
        if found := re.match(rf"{re.escape(word)}(?::\d+)?(?=: )", text):
            return found[0]
    for prefix in [text[: colon.start()] for colon in re.finditer(": ", text)][:4]:
        if os.path.lexists(re.sub(r":\d+$", "", prefix)):
            return prefix
    found = _NAME_OF_ITEM.match(text)
    return found[0] if found else None


def reason_and_hint(text: str) -> tuple[str, str | None]:
    """What is wrong and what to do: what follows the first semicolon outside of brackets, but for
    `; got ...`, or stands in brackets and begins with an option, as `(-v shows where)`."""
    if found := _ADVICE_IN_BRACKETS.fullmatch(text):
        return found[1], found[2]
    depth = 0
    for place, letter in enumerate(text):
        depth = max(0, depth + (letter in "([{") - (letter in ")]}"))
        if depth == 0 and text.startswith("; ", place):
            reason, hint = text[:place], text[place + 2 :]
            return (text, None) if hint.startswith("got ") else (reason, hint)
    return text, None
