"""Hard-negative pairs: a target and the clip that is easily taken for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from oea_cli.errors import OeaError
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table

GOOD_VERDICTS = ("valid", "valid hard negative", "yes", "")


@dataclass(frozen=True)
class Pair:
    """A target and its hard negative, by their ids; captions may be missing in the pairs' file."""

    target: str
    hard_negative: str
    where: str
    captions: tuple[str, ...] = ()
    hard_negative_captions: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


def read_pairs(source: str, stdin: BinaryIO | None = None) -> list[Pair]:
    """Read hard-negative pairs; raises OeaError naming the row that is none.

    Pairs that people heard and did not find valid are left out.
    """
    stream = stdin if source == "-" and stdin is not None else source
    return [pair_of(where, row) for where, row in read_table(stream) if _is_wanted(row)]


def is_pair(row: Record) -> bool:
    return "target" in row and "hard_negative" in row


def _is_wanted(row: Record) -> bool:
    verdict = row.get("verdict")
    return not isinstance(verdict, str) or verdict.strip().lower() in GOOD_VERDICTS


def pair_of(where: str, row: Record) -> Pair:
    names = {key: row.get(key) for key in ("target", "hard_negative")}
    for key, value in names.items():
        if not isinstance(value, str) or not value:
            raise OeaError(f"{where}: {key!r} is {value!r:.60}; a pair has the ids of two clips")
    if names["target"] == names["hard_negative"]:
        raise OeaError(f"{where}: '{names['target']}' is its own hard negative")
    scores = {
        key: row[key] for key in ("acoustic_score", "text_score") if isinstance(row.get(key), float)
    }
    return Pair(
        target=str(names["target"]),
        hard_negative=str(names["hard_negative"]),
        where=where,
        captions=texts_of(row.get("captions"), where),
        hard_negative_captions=texts_of(row.get("hard_negative_captions"), where),
        scores=scores,
    )


def texts_of(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise OeaError(f"{where}: captions are {value!r:.60}; they must be a list of texts")
    return tuple(text.strip() for text in value if text.strip())
