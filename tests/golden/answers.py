"""What is stored of an output, and how an output is compared with it.

Vectors are stored as sixteen sums into which every dimension goes, each with signs and weights of
its own. Numbers may differ by TOLERANCE, inside a text by one of its last printed digit; all else
must be equal. What depends on the machine and the day, and not on the inputs, is not stored.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

TOLERANCE = 2e-5
DIGITS = 5
SUMS = 16
TRAINING_TOLERANCE = 2e-3  # of losses: every step adds to what the last one differed by
OF_THE_DAY = {
    "versions", "created", "updated", "oea", "oea_version", "time", "bytes", "sha256",
    "clips_per_second", "seconds_left", "memory",
}  # fmt: skip
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def sketch(vector: list[float]) -> str:
    """A vector as its dimensions, its length and sixteen weighted sums."""
    row = np.asarray(vector, np.float64)
    weights = np.cos(np.outer(np.arange(1, SUMS + 1), np.arange(len(row))) + 0.5)
    sums = " ".join(f"{total:.{DIGITS}f}" for total in weights @ row / np.sqrt(len(row)))
    return f"{len(row)} dimensions, length {np.sqrt(row @ row):.{DIGITS}f}: {sums}"


def read(name: str, content: bytes) -> Any:
    """What is stored of a file with this name and content; of a stream where the name is empty."""
    suffix = Path(name).suffix
    if suffix == ".npy":
        return [sketch(row) for row in np.load(Path(name)).tolist()]
    if suffix == ".parquet":
        return [stored(row) for row in pl.read_parquet(name).to_dicts()]
    text = content.decode()
    if suffix == ".json" or text.startswith(("{\n", "[\n")):
        return stored(json.loads(text))
    return [_line(line) for line in text.splitlines()]


def _line(line: str) -> Any:
    return stored(json.loads(line)) if line.startswith('{"') else line


def stored(value: Any, key: str = "") -> Any:
    """A value with its vectors sketched, its numbers cut and the day left out."""
    if key in OF_THE_DAY:
        return "*"
    if isinstance(value, dict):
        return {name: stored(inner, name) for name, inner in value.items()}
    if key == "embedding" and isinstance(value, list):
        return sketch(value)
    if isinstance(value, list):
        return _shorter([stored(inner) for inner in value])
    return round(value, DIGITS + 1) if isinstance(value, float) else value


def _shorter(items: list[Any]) -> Any:
    """The list itself, or its one item and how many there are."""
    is_same = len(items) > 3 and all(item == items[0] for item in items)
    return {f"{len(items)} times": items[0]} if is_same else items


def differences(expected: Any, found: Any, where: str = "") -> Iterator[str]:
    """One line for each place at which two answers differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if list(expected) != list(found):
            yield f"{where}: keys {list(expected)} became {list(found)}"
        for key in expected.keys() & found.keys():
            yield from differences(expected[key], found[key], f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{where}: {len(expected)} items became {len(found)}"
        for number, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from differences(one, other, f"{where}[{number}]")
    elif not _is_same(expected, found, TRAINING_TOLERANCE if ".losses" in where else TOLERANCE):
        yield f"{where}: {expected!r} became {found!r}"


def _is_same(expected: Any, found: Any, tolerance: float) -> bool:
    if isinstance(expected, str) and isinstance(found, str):
        return expected == found or _is_same_text(expected, found)
    if isinstance(expected, float) and isinstance(found, float):
        return abs(expected - found) <= tolerance
    return type(expected) is type(found) and bool(expected == found)


def _is_same_text(expected: str, found: str) -> bool:
    if NUMBER.sub("", expected) != NUMBER.sub("", found):
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(found), strict=True)
    return all(abs(float(one) - float(other)) <= _last_digit(one) for one, other in pairs)


def _last_digit(number: str) -> float:
    decimals = len(number.partition("e")[0].partition(".")[2])
    return float(max(TOLERANCE, 1.01 * 10.0**-decimals))


def lines_of(steps: list[dict[str, Any]]) -> str:
    """The steps as JSON for people: every row or key of an output on a line of its own."""
    return "[\n" + ",\n".join(_step(step) for step in steps) + "\n]\n"


def _step(step: dict[str, Any]) -> str:
    head = json.dumps({"$": step["$"], "exit": step["exit"]}, ensure_ascii=False)[:-1]
    return f' {head}, "out": {_opened(step["out"], 1)}}}'


def _opened(value: Any, indent: int) -> str:
    space = " " * indent
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"{space}{_flat(row)}" for row in value) + "]"
    if isinstance(value, dict):
        rows = [
            f"{space}{_flat(key)}: "
            + (_opened(inner, indent + 1) if isinstance(inner, dict) else _flat(inner))
            for key, inner in value.items()
        ]
        return "{\n" + ",\n".join(rows) + "}"
    return _flat(value)


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
