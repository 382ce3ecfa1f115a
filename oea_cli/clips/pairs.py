"""Hard-negative pairs: a target and the clip that is easily taken for it."""

from dataclasses import dataclass

from oea_cli.clips.captions import cleaned, texts_of
from oea_cli.clips.verdicts import is_valid
from oea_cli.errors import OeaError
from oea_cli.records.fields import RowError, id_of
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table

SIDES = ("target", "hard_negative")


@dataclass(frozen=True, slots=True)
class HardNegativePair:
    """A target and its hard negative, by their ids, as `oea mine-negatives` writes them.

    Captions may be missing; scores are cosines; `verdict` is what people found, by majority.
    """

    target: str
    hard_negative: str
    where: str
    captions: tuple[str, ...] = ()
    hard_negative_captions: tuple[str, ...] = ()
    acoustic_score: float | None = None
    text_score: float | None = None
    verdict: str | None = None
    annotators: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """True where people listened and did not find it valid."""
        return self.verdict is not None and not is_valid(self.verdict)

    @property
    def scores(self) -> dict[str, float]:
        """The scores that are known, by their keys in a row."""
        found = {"acoustic_score": self.acoustic_score, "text_score": self.text_score}
        return {key: score for key, score in found.items() if score is not None}

    def as_row(self, more: Record | None = None) -> Record:
        """The pair as a row of a file, with `more` before the verdict; what is not known is left
        out."""
        judged = {"verdict": self.verdict, "annotators": list(self.annotators)}
        return {
            "target": self.target,
            "hard_negative": self.hard_negative,
            **self.scores,
            "captions": list(self.captions),
            "hard_negative_captions": list(self.hard_negative_captions),
            **(more or {}),
            **(judged if self.verdict is not None else {}),
        }


def read_pairs(source: str) -> list[HardNegativePair]:
    """Read hard-negative pairs; raises OeaError naming the row that is none.

    Pairs that people listened to and did not find valid are left out.
    """
    pairs = (pair_from(where, row) for where, row in read_table(source))
    return [pair for pair in pairs if not pair.is_refused]


def is_pair(row: Record) -> bool:
    """True for a row that names a target and a hard negative, and asks nothing."""
    return all(side in row for side in SIDES)


def pair_from(where: str, row: Record) -> HardNegativePair:
    """The pair that a row holds; raises OeaError naming what is wrong with it."""
    target, hard_negative = (_id(row, side, where) for side in SIDES)
    if target == hard_negative:
        raise OeaError(f"{where}: '{target}' is its own hard negative")
    verdict = row.get("verdict")
    return HardNegativePair(
        target=target,
        hard_negative=hard_negative,
        where=where,
        captions=cleaned(texts_of(row, "captions", where)),
        hard_negative_captions=cleaned(texts_of(row, "hard_negative_captions", where)),
        acoustic_score=number_in(row.get("acoustic_score")),
        text_score=number_in(row.get("text_score")),
        verdict=verdict if isinstance(verdict, str) and verdict.strip() else None,
        annotators=cleaned(row.get("annotators")),
    )


def _id(row: Record, side: str, where: str) -> str:
    if row.get(side) in (None, ""):
        raise OeaError(f"{where}: no {side!r}; a pair has the ids of two clips")
    try:
        return id_of(row[side], side)
    except RowError as problem:
        raise OeaError(f"{where}: {problem}") from problem


def number_in(value: object) -> float | None:
    """A number of a row; None where it holds anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
