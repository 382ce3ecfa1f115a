"""Lists about clips: which sound the same, which are asked for by what they lack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oea_cli.clips.names import ClipNames
from oea_cli.clips.query_types import NEGATIVE
from oea_cli.clips.uiq import is_uiq_row, resolve_uiq
from oea_cli.errors import OeaError
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table
from oea_cli.training.data.sources import Clip

SAME = "same"  # the verdict of `oea review`
Exclusions = dict[int, list[tuple[str, int]]]


@dataclass(frozen=True)
class ClipNumbers:
    """Clips by their ids, in any spelling."""

    names: ClipNames
    by_name: dict[str, int]

    @classmethod
    def of(cls, clips: Sequence[Clip]) -> "ClipNumbers":
        """Of clips that are numbered as they stand; of two with one id, the first."""
        by_name: dict[str, int] = {}
        for number, clip in enumerate(clips):
            by_name.setdefault(clip.id, number)
        return cls(ClipNames(by_name), by_name)

    def find(self, name: str) -> int | None:
        """A clip's number; None for one that is not there."""
        found = self.names.find(name)
        return None if found is None else self.by_name[found]


def read_same(paths: Sequence[str], numbers: ClipNumbers) -> list[tuple[str, str]]:
    """Pairs of ids out of files: of rows with a target and a hard_negative, or with two `ids`.

    Where people have judged the pairs (`verdict`), only those judged the same count. Ids that are
    no clip's stay out. Raises OeaError for a row that names no pair.
    """
    pairs = []
    for path in paths:
        for where, row in read_table(path):
            names = row.get("ids") or [row.get("target"), row.get("hard_negative")]
            if not isinstance(names, list) or not _are_ids(names) or len(names) != 2:
                raise OeaError(f"{where}: no pair; it needs 'target' and 'hard_negative', or 'ids'")
            if row.get("verdict", SAME) == SAME:
                found = [numbers.names.find(name) for name in names]
                if found[0] and found[1]:
                    pairs.append((found[0], found[1]))
    return pairs


def read_exclusions(
    paths: Sequence[str], clips: Sequence[Clip], numbers: ClipNumbers
) -> Exclusions:
    """Of each clip: texts that ask for it, and the clip that has what they exclude.

    Rows are {"text", "target", "hard_negative"} or UIQ's. Rows about clips that are not trained on
    stay out; raises OeaError for a file of which none is left, or a row without these keys.
    """
    found: Exclusions = {}
    for path in paths:
        before = sum(map(len, found.values()))
        for row in _exclusion_rows(path, clips):
            target, other = numbers.find(row["target"]), numbers.find(row["hard_negative"])
            if target is not None and other is not None and target != other:
                found.setdefault(target, []).append((row["text"], other))
        if sum(map(len, found.values())) == before:
            raise OeaError(f"{path}: none of its rows is about two clips that are trained on")
    return found


def _exclusion_rows(path: str, clips: Sequence[Clip]) -> Iterator[Record]:
    rows = list(read_table(path))
    if rows and is_uiq_row(rows[0][1]):
        resolved = resolve_uiq(rows, {clip.id: clip.captions for clip in clips})
        yield from (row for row in resolved if row["type"] == NEGATIVE)
        return
    for where, row in rows:
        if not _are_ids([row.get(key) for key in ("text", "target", "hard_negative")]):
            raise OeaError(f"{where}: an exclusion needs 'text', 'target' and 'hard_negative'")
        yield row


def _are_ids(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) and value for value in values)
