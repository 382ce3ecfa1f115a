"""Lists about clips: which sound the same, which are asked for by what they lack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oea_cli.clips.names import ClipNames
from oea_cli.clips.pairs import pair_from
from oea_cli.clips.queries import read_queries
from oea_cli.clips.query_types import NEGATIVE
from oea_cli.clips.verdicts import SAME
from oea_cli.errors import OeaError
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table
from oea_cli.training.data.sources import TrainingClip

Exclusions = dict[int, list[tuple[str, int]]]


@dataclass(frozen=True)
class ClipNumbers:
    """Clips by their ids, in any spelling."""

    names: ClipNames
    by_name: dict[str, int]

    @classmethod
    def of(cls, clips: Sequence[TrainingClip]) -> "ClipNumbers":
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
            names = _pair_in(where, row)
            if row.get("verdict", SAME) == SAME:
                found = [numbers.names.find(name) for name in names]
                if found[0] and found[1]:
                    pairs.append((found[0], found[1]))
    return pairs


def _pair_in(where: str, row: Record) -> tuple[str, str]:
    """The ids of two clips; raises OeaError for a row without them."""
    if "target" in row and not row.get("ids"):
        pair = pair_from(where, row)
        return pair.target, pair.hard_negative
    match row.get("ids"):
        case [str(one), str(other)] if one and other:
            return one, other
    raise OeaError(f"{where}: no pair; it needs 'target' and 'hard_negative', or 'ids'")


def read_exclusions(
    paths: Sequence[str], clips: Sequence[TrainingClip], numbers: ClipNumbers
) -> Exclusions:
    """Of each clip: texts that ask for it, and the clip that has what they exclude.

    Rows are {"text", "target", "hard_negative"} or UIQ's. Queries of another type and rows about
    clips that are not trained on stay out; raises OeaError for a file of which none is left, or a
    row without these keys.
    """
    found: Exclusions = {}
    for path in paths:
        before = sum(map(len, found.values()))
        for text, name, excluded in _exclusions_in(path, clips):
            target, other = numbers.find(name), numbers.find(excluded)
            if target is not None and other is not None and target != other:
                found.setdefault(target, []).append((text, other))
        if sum(map(len, found.values())) == before:
            raise OeaError(f"{path}: none of its rows is about two clips that are trained on")
    return found


def _exclusions_in(path: str, clips: Sequence[TrainingClip]) -> Iterator[tuple[str, str, str]]:
    """Texts, the ids of the clips that they ask for, and of those that they exclude."""
    for query in read_queries([path], lambda: {clip.id: clip.captions for clip in clips}):
        if query.hard_negative is None and query.type not in (None, NEGATIVE):
            continue  # a question or the like, of a file with queries of every type
        targets = list(query.targets)
        if query.text is None or len(targets) != 1 or query.hard_negative is None:
            raise OeaError(
                f"{query.where}: an exclusion needs 'text', 'target' and 'hard_negative'"
            )
        yield query.text, targets[0], query.hard_negative
