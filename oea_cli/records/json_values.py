"""Values from JSON text, whole numbers of any length with all their digits."""

import json
from typing import Any

import orjson

from oea_cli.records.text import not_utf8

SMALLEST, TOO_LARGE = -(2**63), 2**64
"""Whole numbers from the one to before the other are read and written as such."""
DEPTH_OF_IDS = 4  # a document, its records, one of their keys, a list in it
SHORT = 1000  # bytes
DIGITS = bytes(ord("0") if chr(byte).isdecimal() else byte for byte in range(256))
LONG_NUMBER = b"0" * 19
NO_IDS = "embedding"  # the key of long lists of numbers


def parse_json(content: bytes) -> Any:
    """The value; a whole number that no 64 bits hold becomes its digits as text.

    An id may be such a number, and rounded to a float two of them would be one. Raises
    orjson.JSONDecodeError.
    """
    value = orjson.loads(content)
    # Lines are read by the million: the digits of a short one are looked at, not its values.
    if len(content) < SHORT and LONG_NUMBER not in content.translate(DIGITS):
        return value
    if not _may_be_rounded(value, DEPTH_OF_IDS):
        return value
    try:
        return json.loads(content, parse_int=_exact)
    except RecursionError:
        return value


def _may_be_rounded(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is float:
        return not SMALLEST < value < TOO_LARGE
    if kind is dict and depth > 0:
        return any(_may_be_rounded(part, depth - 1) for key, part in value.items() if key != NO_IDS)
    return kind is list and depth > 0 and any(_may_be_rounded(part, depth - 1) for part in value)


def _exact(digits: str) -> int | str:
    if len(digits) > len(str(TOO_LARGE)):
        return digits
    number = int(digits)
    return number if SMALLEST <= number < TOO_LARGE else digits


def json_problem(content: bytes, error: orjson.JSONDecodeError) -> tuple[int, str]:
    """The line, from 1, at which a text is no JSON, and what is wrong there."""
    try:
        content.decode()
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        return line, not_utf8(content.split(b"\n")[line - 1])
    place = error.lineno, error.colno
    if "end of data" in error.msg:
        # The line feed behind a text that ends too early is no place where anything is missing.
        lines = content.rstrip().split(b"\n")
        place = len(lines), len(lines[-1].decode()) + 1
    return place[0], f"not JSON ({error.msg} at column {place[1]})"
