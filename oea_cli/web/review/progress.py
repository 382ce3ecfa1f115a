"""Who has judged what, and what comes next; annotators do not depend on each other."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from oea_cli.clips.verdicts import Key, Value, VerdictEntry, VerdictLog
from oea_cli.web.review.items import Item

LONGEST_NAME = 80


def annotator_name(text: str) -> str:
    """A name as it is stored, with single blanks; raises ValueError for an invalid one."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a name must have 1 to {LONGEST_NAME} characters")
    return name


@dataclass
class _Own:
    """One annotator's values by item, and what can be undone: (item, value before)."""

    values: dict[Key, Value]
    history: list[tuple[Key, Value]]


class ReviewProgress:
    """The items in each annotator's order, and the verdicts that they have given."""

    def __init__(self, items: Sequence[Item], log: VerdictLog, seed: int = 0) -> None:
        self.items = list(items)
        self._log, self._seed = log, seed
        self._by_key = {item.key: item for item in items}
        self._own: defaultdict[str, _Own] = defaultdict(lambda: _Own({}, []))
        self._present: set[str] = set()
        self._orders: dict[str, list[Item]] = {}
        for entry in log.entries:
            self._take(entry)

    def enter(self, annotator: str) -> None:
        """Add an annotator who takes part in this run."""
        self._present.add(annotator)

    def order(self, annotator: str) -> list[Item]:
        """All items in this annotator's order: by a hash, so that further items do not change the
        order of earlier ones, and the order in the file, which may be by score, does not show."""
        if annotator not in self._orders:
            self._orders[annotator] = sorted(
                self.items, key=lambda item: _hashed(self._seed, annotator, item.key)
            )
        return self._orders[annotator]

    def value(self, annotator: str, item: Item) -> Value:
        """This annotator's verdict or rating of an item; None where there is none."""
        return self._own[annotator].values.get(item.key)

    def num_done(self, annotator: str) -> int:
        """How many of the items this annotator has judged."""
        values = self._own[annotator].values
        return sum(values.get(item.key) is not None for item in self.items)

    def can_undo(self, annotator: str) -> bool:
        """True where there is a verdict to take back."""
        return bool(self._own[annotator].history)

    def next_open(self, annotator: str, after: int = -1) -> int | None:
        """The place of the next item without a verdict after `after`, from the start again; None
        where all are judged."""
        order = self.order(annotator)
        places = [*range(after + 1, len(order)), *range(after + 1)]
        return next((p for p in places if self.value(annotator, order[p]) is None), None)

    def judge(self, annotator: str, item: Item, value: Value) -> None:
        """Store a verdict or a rating; raises OeaError where the log cannot be written."""
        self._store(VerdictEntry(item.subject, item.kind, value, annotator))

    def undo(self, annotator: str) -> int | None:
        """Take back the last verdict; returns the item's place, None where there is none."""
        history = self._own[annotator].history
        if not history:
            return None
        key, before = history[-1]
        item = self._by_key[key]
        self._store(VerdictEntry(item.subject, item.kind, before, annotator, is_undo=True))
        return self.order(annotator).index(item)

    def is_complete(self) -> bool:
        """True where everyone who took part in this run has judged everything, and someone did."""
        return bool(self._present) and all(
            self.num_done(name) == len(self.items) for name in self._present
        )

    def num_stored(self) -> int:
        """How many verdicts there are of the annotators who took part in this run."""
        return sum(self.num_done(name) for name in self._present)

    def _store(self, entry: VerdictEntry) -> None:
        self._log.append(entry)
        self._take(entry)

    def _take(self, entry: VerdictEntry) -> None:
        if entry.key not in self._by_key:
            return  # about an item of another file
        own = self._own[entry.annotator]
        before = own.values.get(entry.key)
        own.values[entry.key] = entry.value
        if not entry.is_undo:
            own.history.append((entry.key, before))
        elif own.history:
            own.history.pop()


def _hashed(seed: int, annotator: str, key: Key) -> bytes:
    return hashlib.sha256(repr((seed, annotator, key)).encode()).digest()
