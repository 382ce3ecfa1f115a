"""A condition as tokens: names, words, values and signs, with their places."""

import re
from dataclasses import dataclass

from oea_cli.errors import UsageError
from oea_cli.records.where.predicates import Value

WORDS = frozenset(
    ("AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "ESCAPE", "BETWEEN", "IS", "NULL", "TRUE", "FALSE")
)
EXAMPLE = "duration < 10 AND category = 'dog'"
SHOWN = 20

_TOKEN = re.compile(
    r"""\s*+(?:
      (?P<text>'[^']*+(?:''[^']*+)*+')
    | (?P<column>"[^"]*+(?:""[^"]*+)*+"(?!"))
    | (?P<number>(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+(?!\w))
    | (?P<name>[^\W\d]\w*+)
    | (?P<sign><=|>=|<>|!=|==|[=<>(),.+\-])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_SPELT = {"==": "=", "<>": "!="}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a condition: "value", "column", "word", "sign" or "end", from character `at` on.

    `shown` is how a message names it.
    """

    kind: str
    value: Value
    at: int
    shown: str


def tokens_of(condition: str) -> list[Token]:
    """The tokens of a condition, "end" last; raises UsageError for what is none."""
    try:
        condition.encode()
    except UnicodeEncodeError as error:
        raise wrong(error.start + 1, "not UTF-8") from error
    found: list[Token] = []
    place = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(condition, place)
        if match is None:
            raise _unreadable(condition, len(condition) - len(condition[place:].lstrip()))
        found.append(_token(match))
        place = match.end()
    return found


def wrong(at: int, problem: str, hint: str = f"write a condition such as {EXAMPLE}") -> UsageError:
    """The error for what stands at this character, counted from 1."""
    return UsageError(f"--where, character {at}: {problem}; {hint}")


def _token(match: re.Match[str]) -> Token:
    kind = str(match.lastgroup)
    text = match[kind]
    at = match.start(kind) + 1
    shown = repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...") if text else "the end"
    word = text.upper()
    if kind == "name":
        is_word = word in WORDS
        return Token("word" if is_word else "column", word if is_word else text, at, shown)
    if kind == "text":
        return Token("value", text[1:-1].replace("''", "'"), at, shown)
    if kind == "column":
        return Token("column", text[1:-1].replace('""', '"'), at, shown)
    if kind == "number":
        return Token("value", _number(text), at, shown)
    return Token(kind, _SPELT.get(text, text), at, shown)


def _number(text: str) -> int | float:
    """The number, as a whole one where it is: then comparisons with whole numbers are exact."""
    try:
        return int(text)
    except ValueError:  # a fraction, or thousands of digits
        number = float(text)
        is_whole = number.is_integer() and abs(number) < 2**53
        return int(number) if is_whole else number


def _unreadable(condition: str, place: int) -> UsageError:
    at, found = place + 1, condition[place : place + SHOWN]
    if found.startswith("'"):
        return wrong(at, "the text that begins here does not end", "close it with '; ' in it is ''")
    if found.startswith('"'):
        return wrong(at, "the name that begins here does not end", 'close it with "')
    return wrong(at, f"{found!r} cannot be read")
