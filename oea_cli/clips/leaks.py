"""Clips that an encoder was trained on and is measured with.

Two records may be one clip under different names. Compared are ids, YouTube ids, Freesound ids,
file names and titles (`clip_origins`), and on request the sound itself. Appendix B of the paper
counts such overlaps: 173 of AudioCaps' 975 test clips with WavCaps by YouTube id, 638 of Clotho's
1,045 by file name.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.clips.origins import KINDS, Mark, marks_of, may_be_one
from oea_cli.errors import Failure, OeaError, Report, raise_failure
from oea_cli.records.lines import read_json
from oea_cli.records.rows import Record
from oea_cli.records.sections import file_section

HASH_RATE = 16_000  # Hz
HASH_SECONDS = 60.0  # decoded at a time
FULL_SCALE = 32767


@dataclass(frozen=True)
class Leak:
    """One clip on both sides: by what (one of `KINDS`), the value they share, and their ids."""

    by: str
    value: str
    evaluation: str
    training: str

    def __str__(self) -> str:
        return f"{self.evaluation}: also in training as {self.training} (by {self.by})"


def find_leaks(
    training: Iterable[Record],
    evaluation: Iterable[Record],
    *,
    content: bool = False,
    report: Report = raise_failure,
) -> list[Leak]:
    """Return every pair of an evaluation and a training record that are one clip.

    One Leak per pair, by the surest reason that holds: id, YouTube id, Freesound id, content (with
    `content`: equal mono samples at 16 kHz, rounded to 16 bits, so that a lossless copy in another
    container counts; files that exist are decoded in full), title (a hint: two sounds can share
    one). Ordered as the evaluation records are, then as the training records are; the training side
    streams. Sounds that cannot be decoded go to `report`. `load_blacklist` makes an evaluation side
    of WavCaps' lists of clips that must not be trained on.
    """
    judged = list(evaluation)
    by_mark: dict[Mark, list[int]] = {}
    for number, record in enumerate(judged):
        for mark in _marks(record, content, report):
            by_mark.setdefault(mark, []).append(number)
    found: dict[tuple[int, int], Leak] = {}
    for position, record in enumerate(training):
        for mark in _marks(record, content, report):
            for number in by_mark.get(mark, ()):
                other = judged[number]
                if (number, position) not in found and may_be_one(mark, other, record):
                    leak = Leak(*mark, str(other.get("id", "")), str(record.get("id", "")))
                    found[number, position] = leak
    return [found[pair] for pair in sorted(found)]


def leak_counts(leaks: Iterable[Leak]) -> dict[str, int]:
    """How many evaluation clips are in training, by their surest reason; zeros included."""
    surest: dict[str, int] = {}
    for leak in leaks:
        rank = KINDS.index(leak.by)
        surest[leak.evaluation] = min(rank, surest.get(leak.evaluation, rank))
    return {kind: list(surest.values()).count(rank) for rank, kind in enumerate(KINDS)}


def load_blacklist(path: str | Path) -> list[Record]:
    """Read a list of clips that must not be trained on, as records for `find_leaks`.

    WavCaps' files are {"AudioSet": ["Y{id}.wav", ...], "FreeSound": ["1234", ...]}; a plain JSON
    list of ids will do. Raises OeaError for anything else.
    """
    records = list(_blacklisted(read_json(path)))
    if not records or None in records:
        raise OeaError(
            f"{path}: not a blacklist; WavCaps' map 'AudioSet' and 'FreeSound' to lists of ids"
        )
    return [record for record in records if record is not None]


def _blacklisted(document: Any) -> Iterator[Record | None]:
    """A record per id; None for what is no id."""
    parts = document if isinstance(document, dict) else {"": document}
    for source, ids in parts.items():
        for name in ids if isinstance(ids, list) else [None]:
            if isinstance(name, bool) or not isinstance(name, str | int):
                yield None
            else:
                yield {"id": str(name), **({"source": source} if source else {})}


def _marks(record: Record, content: bool, report: Report) -> list[Mark]:
    marks = marks_of(record)
    path = record.get("path")
    if content and isinstance(path, str) and Path(path).is_file():
        digest = _content(record, path, report)
        marks += [Mark("content", digest)] if digest else []
    return sorted(marks, key=lambda mark: KINDS.index(mark.kind))


def _content(record: Record, path: str, report: Report) -> str | None:
    """SHA-256 of the decoded sound; None for silence, which all silent clips share."""
    from oea_cli.audio.sources import AudioError
    from oea_cli.audio.windows import read_windows

    digest = hashlib.sha256()
    is_silent = True
    try:
        for window in read_windows(path, HASH_RATE, HASH_SECONDS, **file_section(record)):
            samples = np.rint(np.clip(window.samples, -1, 1) * FULL_SCALE).astype("<i2")
            is_silent = is_silent and not samples.any()
            digest.update(samples.tobytes())
    except AudioError as error:
        report(Failure(path, str(error), str(record.get("id", "")) or None))
        return None
    return None if is_silent else digest.hexdigest()
