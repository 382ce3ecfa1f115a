"""What people heard: verdicts of several annotators on pairs, and their majority."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from oea_cli.clips.names import ClipNames
from oea_cli.clips.verdicts import VERDICT, Entry
from oea_cli.clips.verdicts import read_verdicts as read_entries


@dataclass(frozen=True)
class Verdict:
    """The majority's choice, "unsure" where there is none, and who was asked, by name."""

    choice: str
    annotators: tuple[str, ...]


class Verdicts:
    """Verdicts by pair. What was heard holds both ways round: for the pair and its reverse."""

    def __init__(self, entries: Iterable[Entry], ids: Iterable[str]) -> None:
        """Take in what `oea review` stored and nobody took back; ratings of queries do not count.

        Clips that are not among `ids` are counted in `num_elsewhere`.
        """
        names = ClipNames(ids)
        votes: dict[frozenset[str], dict[str, str]] = {}
        self.num_elsewhere = 0
        for entry in (entry for entry in entries if entry.kind == VERDICT):
            sides = (str(entry.subject.get(side, "")) for side in ("target", "hard_negative"))
            pair = frozenset(filter(None, map(names.find, sides)))
            if len(pair) < 2:
                self.num_elsewhere += 1
            else:
                votes.setdefault(pair, {})[entry.annotator] = str(entry.value)
        self._found = {pair: _majority(cast) for pair, cast in votes.items()}

    def of(self, target: str, hard_negative: str) -> Verdict | None:
        """The verdict on a pair; None where nobody was asked."""
        return self._found.get(frozenset((target, hard_negative)))


def read_verdicts(source: str, ids: Iterable[str]) -> Verdicts:
    """Read verdicts on pairs of these clips from a file; raises OeaError for what is none."""
    return Verdicts(read_entries([source]), ids)


def _majority(cast: dict[str, str]) -> Verdict:
    (first, votes), *others = Counter(cast.values()).most_common()
    is_tied = any(count == votes for _, count in others)
    annotators = tuple(sorted(filter(None, cast)))
    return Verdict("unsure" if is_tied else first, annotators)
