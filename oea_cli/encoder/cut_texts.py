"""How many texts an encoder has cut at its limit, for whoever tells the user."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

SPECIAL_TOKENS = 8  # at most, around a text


class CutTexts:
    """A count that several threads add to. `limit` is in tokens."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._count = 0
        self._lock = Lock()

    def add(self, count: int) -> None:
        """Count texts that were cut."""
        with self._lock:
            self._count += count

    def take(self) -> int:
        """The count since the last time."""
        with self._lock:
            count, self._count = self._count, 0
        return count


def num_cut(tokenizer: Any, texts: Sequence[str], limit: int) -> int:
    """How many of the texts a tokenizer of transformers makes more than `limit` tokens of."""
    # A token has at least one byte: what is short enough need not be looked at twice.
    long = [text for text in texts if len(text.encode()) > limit - SPECIAL_TOKENS]
    if not long:
        return 0
    ids = tokenizer(long, truncation=False, padding=False, verbose=False)["input_ids"]
    return sum(len(row) > limit for row in ids)
