"""Near-duplicates among pairs: the same sound, encoded again.

Hard negatives are similar by design, so similar vectors do not mean that two sounds are one: the
files are decoded and their fingerprints compared. Where a file is missing, only vectors that are
almost equal count as one sound.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from oea_cli.clips.names import listed
from oea_cli.mining.fingerprints import (
    MAX_SECONDS,
    SAMPLE_RATE,
    Fingerprint,
    SoundComparison,
    compare,
    fingerprint,
)
from oea_cli.mining.pool import Clips
from oea_cli.records.addresses import is_remote
from oea_cli.records.file_names import NO_FILE, not_there
from oea_cli.records.rows import Record
from oea_cli.records.sections import file_section
from oea_cli.vectors.arrays import Mask, RowNumbers
from oea_cli.vectors.scan.threads import num_cores

SUSPECT = 0.8
"""Pairs less similar than this are never one sound encoded twice, so they are not decoded."""
COINCIDING = 0.998
"""Without their files, pairs at least this similar count as one sound."""


class Duplicates:
    """Finds pairs that are one sound; every file is decoded once at most."""

    def __init__(
        self, clips: Clips, compare_sounds: bool, advance: Callable[[], object] = lambda: None
    ) -> None:
        self._clips, self._compare, self._advance = clips, compare_sounds, advance
        self._prints: dict[int, Fingerprint | None] = {}
        self._failed: dict[str, list[str]] = {}  # paths, by the reason
        self._comparisons: dict[tuple[int, int], SoundComparison | None] = {}

    @property
    def num_decoded(self) -> int:
        """How many files were decoded."""
        return sum(found is not None for found in self._prints.values())

    @property
    def notice(self) -> str:
        """How many sounds could not be compared, why, and what mends it; empty for none."""
        count = sum(map(len, self._failed.values()))
        if not count:
            return ""
        reasons = [f"{why} ({listed(paths)})" for why, paths in sorted(self._failed.items())]
        moved = any(why.startswith(NO_FILE) for why in self._failed)
        mended = "run it where their paths lead to them, or embed them anew; " if moved else ""
        sounds = "1 sound was" if count == 1 else f"{count} sounds were"
        return (
            f"{sounds} not compared: {', '.join(reasons)}; {mended}of their pairs, those with a "
            f"similarity of {COINCIDING:g} or more count as one sound"
        )

    def among(self, targets: RowNumbers, negatives: RowNumbers, scores: np.ndarray) -> Mask:
        """Which pairs (P,) with these similarities are one sound."""
        found = np.zeros(len(targets), bool)
        suspects = np.flatnonzero(scores >= SUSPECT)
        self._decode(np.unique([targets[suspects], negatives[suspects]]).tolist())
        for place in suspects.tolist():
            compared = self.compare(int(targets[place]), int(negatives[place]))
            is_same = scores[place] >= COINCIDING if compared is None else compared.is_same
            found[place] = is_same
        return found

    def compare(self, one: int, other: int) -> SoundComparison | None:
        """How two clips differ by their fingerprints; None where a file is missing."""
        pair = (min(one, other), max(one, other))
        if pair not in self._comparisons:
            self._decode(pair)
            prints = [self._prints[clip] for clip in pair]
            known = [found for found in prints if found is not None]
            self._comparisons[pair] = compare(*known) if len(known) == 2 else None
        return self._comparisons[pair]

    def _decode(self, numbers: Iterable[int]) -> None:
        missing = [number for number in numbers if number not in self._prints]
        with ThreadPoolExecutor(num_cores()) as pool:
            prints = pool.map(self._print_of, missing)
            for number, found in zip(missing, prints, strict=True):
                if isinstance(found, str):
                    path = str(self._clips[number].record["path"])
                    self._failed.setdefault(found, []).append(path)
                self._prints[number] = found if isinstance(found, Fingerprint) else None
                self._advance()

    def _print_of(self, number: int) -> Fingerprint | str | None:
        return fingerprint_of(self._clips[number].record) if self._compare else None


def fingerprint_of(record: Record) -> Fingerprint | str | None:
    """The fingerprint of a record's sound, or why it has none; None for a record without a path."""
    path = record.get("path")
    if not isinstance(path, str):
        return None
    if is_remote(path):
        return "on a server"
    if not Path(path).is_file():
        return not_there(path)
    from oea_cli.audio.sources import AudioError
    from oea_cli.audio.windows import read_windows

    try:
        window = next(read_windows(path, SAMPLE_RATE, MAX_SECONDS, **file_section(record)))
    except AudioError:
        return "cannot be decoded"
    return fingerprint(window.samples)
