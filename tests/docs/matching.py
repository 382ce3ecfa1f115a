"""Whether a command printed what a page shows, up to what differs from machine to machine.

- A line `...` stands for any lines, `...` within a line for any text.
- A decimal number may differ by one in its last digit: processors round differently.
- How many blanks there are, and how long a bar of a table is, does not count.
"""

import re
from collections.abc import Sequence

NUMBER = r"-?\d+\.\d+"
BARS = re.compile("[█-▏]+")


def matches(expected: Sequence[str], actual: Sequence[str]) -> bool:
    """Whether the lines of `actual` are those that `expected` describes."""
    expected = [plain for line in expected if (plain := _plain(line))]
    actual = [plain for line in actual if (plain := _plain(line))]
    return _lines_match(expected, actual)


def _lines_match(expected: Sequence[str], actual: Sequence[str]) -> bool:
    if not expected:
        return not actual
    if expected[0] == "...":
        return any(_lines_match(expected[1:], actual[i:]) for i in range(len(actual) + 1))
    return bool(actual) and line_matches(expected[0], actual[0]) and _lines_match(
        expected[1:], actual[1:]
    )  # fmt: skip


def line_matches(expected: str, actual: str) -> bool:
    """Whether one line is as described, its numbers within one of their last digit."""
    parts = re.split(rf"({NUMBER}|\.\.\.)", expected)
    found = re.fullmatch("".join(map(_pattern, parts)), actual)
    numbers = [part for part in parts if re.fullmatch(NUMBER, part)]
    return found is not None and all(map(_is_near, numbers, found.groups()))


def _pattern(part: str) -> str:
    if part == "...":
        return ".*?"
    return f"({NUMBER})" if re.fullmatch(NUMBER, part) else re.escape(part)


def _is_near(expected: str, actual: str) -> bool:
    last_digit = 10.0 ** -len(expected.partition(".")[2])
    return abs(float(expected) - float(actual)) < 1.01 * last_digit


def _plain(line: str) -> str:
    return " ".join(BARS.sub("", line).split())
