"""Lists in cells of CSV, which has no lists of its own.

pandas writes ['a', 'b'] or, for numpy's arrays, ['a' 'b']; programs that know JSON ["a", "b"]; and
targets with grades {'a': 2, 'b': 1}.
"""

import re

import orjson

LIST_COLUMNS = frozenset(
    {
        "captions",
        "caption",
        "target",
        "negatives",
        "negative_captions",
        "hard_negative_captions",
        "original_captions",
        "annotators",
    }
)
"""Columns whose values may be lists; a cell of any other stays the text that it is."""
_STRING = r"'(?:[^'\\]|\\.)*'|" + r'"(?:[^"\\]|\\.)*"'
_ITEM = re.compile(rf"\s*({_STRING}|-?\d+(?:\.\d+)?|None|null|nan)(?:\s*,|(?=\s|['\"]|$))", re.S)
_GRADE = re.compile(rf"({_STRING}|\d+)\s*:\s*(-?\d+(?:\.\d+)?)", re.S)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.S)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
_QUOTES = ("'", '"')


def value_of(cell: str) -> object:
    """A cell of such a column: a list, an object of ids and grades, or the text as it is."""
    start = cell.lstrip()[:1]
    if start == "{":
        grades = _grades_in(cell.strip())
        return cell if grades is None else grades
    if start not in ("[", "("):
        return cell
    items = list_in(cell)
    return cell if items is None else items


def list_in(cell: str) -> list[str | None] | None:
    """The items of a cell that is a list of texts and numbers, as they are written; None for any
    other cell. What is empty in it (None, null, nan) is None."""
    text = cell.strip()
    inside = text[1:-1].strip()
    is_tuple = text[:1] + text[-1:] == "()" and inside.startswith(_QUOTES)
    if text[:1] + text[-1:] != "[]" and not is_tuple:
        return None
    place, items = 0, []
    while place < len(inside):
        found = _ITEM.match(inside, place)
        if found is None:
            return None
        items.append(_item(found[1]))
        place = found.end()
    return items


def _grades_in(text: str) -> dict[str, float] | None:
    found = list(_GRADE.finditer(text))
    rest = _GRADE.sub("", text)
    if not found or rest.strip("{} ,\n") or text[-1] != "}":
        return None
    return {str(_item(grade[1])): float(grade[2]) for grade in found}


def _item(written: str) -> str | None:
    if not written.startswith(_QUOTES):
        return None if written in ("None", "null", "nan") else written
    try:
        return str(orjson.loads(written))
    except orjson.JSONDecodeError:
        return _ESCAPE.sub(_unescaped, written[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code is None:
        return _LETTERS.get(found[4], found[4])
    number = int(code, 16)
    return chr(number) if number < 0xD800 or 0xDFFF < number <= 0x10FFFF else "\ufffd"
