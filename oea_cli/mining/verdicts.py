"""What people heard: verdicts of several annotators on pairs, and their majority."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from oea_cli.errors import OeaError
from oea_cli.evaluation.clip_names import ClipNames
from oea_cli.tables import Record, read_table

Choice = Literal["valid", "same", "unsure"]
CHOICES: tuple[str, ...] = get_args(Choice)


@dataclass(frozen=True)
class Verdict:
    """The majority's choice, "unsure" where there is none, and who was asked, by name."""

    choice: str
    annotators: tuple[str, ...]


class Verdicts:
    """Verdicts by pair. What was heard holds both ways round: for the pair and its reverse."""

    def __init__(self, rows: Iterable[tuple[str, Record]], ids: Iterable[str]) -> None:
        """Take in (where, row) of `oea review`; an annotator's last verdict on a pair counts.

        Raises OeaError naming the row that is no verdict. Clips that are not among `ids` are
        counted in `num_elsewhere`.
        """
        names = ClipNames(ids)
        votes: dict[frozenset[str], dict[str, str]] = {}
        self.num_elsewhere = 0
        for where, row in rows:
            target, negative, choice, annotator = _checked(where, row)
            pair = frozenset(filter(None, (names.find(target), names.find(negative))))
            if len(pair) < 2:
                self.num_elsewhere += 1
            else:
                votes.setdefault(pair, {})[annotator] = choice
        self._found = {pair: _majority(cast) for pair, cast in votes.items()}

    def of(self, target: str, hard_negative: str) -> Verdict | None:
        """The verdict on a pair; None where nobody was asked."""
        return self._found.get(frozenset((target, hard_negative)))


def read_verdicts(source: str, ids: Iterable[str]) -> Verdicts:
    """Read verdicts on pairs of these clips from a file; raises OeaError for what is none."""
    return Verdicts(read_table(source), ids)


def _checked(where: str, row: Record) -> tuple[str, str, str, str]:
    target, negative = row.get("target"), row.get("hard_negative")
    if not (isinstance(target, str) and isinstance(negative, str) and target and negative):
        raise OeaError(f"{where}: a verdict needs 'target' and 'hard_negative', the ids of a pair")
    choice = row.get("verdict")
    if choice not in CHOICES:
        raise OeaError(f"{where}: 'verdict' is {choice!r:.40}; it is one of {', '.join(CHOICES)}")
    return target, negative, str(choice), str(row.get("annotator") or "")


def _majority(cast: dict[str, str]) -> Verdict:
    (first, votes), *others = Counter(cast.values()).most_common()
    is_tied = any(count == votes for _, count in others)
    annotators = tuple(sorted(filter(None, cast)))
    return Verdict("unsure" if is_tied else first, annotators)
