"""Finds a clip's sound: named in its row, in records, in an index, or by the id itself."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oea_cli.clips.captions import captions_in
from oea_cli.clips.lookup import lookup
from oea_cli.clips.names import ClipNames
from oea_cli.errors import raise_failure
from oea_cli.records.file_names import exists, not_there, resolved
from oea_cli.records.ids import clip_of, section_of
from oea_cli.records.inputs import read_records
from oea_cli.records.rows import Record
from oea_cli.records.sections import file_section
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.web.sounds import Sound

GetRecords = Callable[[Collection[str]], Mapping[str, Record]]


@dataclass(frozen=True)
class ClipSound:
    """A clip's sound, or why there is none, and the captions that its record holds."""

    sound: Sound | None = None
    problem: str = ""
    captions: tuple[str, ...] = ()


class ClipSounds:
    """Finds the sounds of clips: `records` by any spelling of their ids, an index by `indexed`."""

    def __init__(self, records: Iterable[Record] = (), indexed: GetRecords | None = None) -> None:
        """Records whose `path` opens from the working directory; `find` raises AmbiguousNameError
        for a name that stands for several."""
        self._records = {str(record["id"]): record for record in records}
        self._names = ClipNames(self._records)
        self._indexed = indexed
        self._from_index: Mapping[str, Record] = {}

    def look_up(self, ids: Collection[str]) -> None:
        """Read the records of these ids from the index, all at once, for `find`."""
        if self._indexed is not None:
            self._from_index = self._indexed(ids)

    def find(self, id: str, path: str | None, folder: str) -> ClipSound:
        """The sound of a clip whose row is in a file of `folder` and may name its `path`."""
        record = self._record_of(id)
        captions = captions_in(record)
        named = [] if path is None else [resolved(path, folder)]
        if isinstance(record.get("path"), str):
            named.append(str(record["path"]))
        by_id = resolved(clip_of(id) if section_of(id) else id, folder)
        path = next((place for place in [*named, by_id] if exists(place)), None)
        if path is None:
            return ClipSound(problem=_problem(named), captions=captions)
        section = _section(id, record)
        return ClipSound(Sound(path, *section, file_section(record)["channel"]), captions=captions)

    def _record_of(self, id: str) -> Record:
        name = self._names.find(id) or (self._names.find(clip_of(id)) if section_of(id) else None)
        return self._records[name] if name else dict(self._from_index.get(id, {}))


def _problem(named: list[str]) -> str:
    if not named:
        return "no sound is known for this id; name its records with --clips or -i"
    return f"missing: {named[0]} ({not_there(named[0])}; --clips says where the sounds are now)"


def _section(id: str, record: Record) -> tuple[float | None, float | None]:
    """Start and end of the clip in its file, in seconds: from its record, or from its id."""
    named = section_of(id)
    if named and record.get("start") is None:
        return named
    return _seconds(record.get("start")), _seconds(record.get("end"))


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def find_sounds(inputs: Sequence[str], index: Path | None) -> ClipSounds:
    """The places to find sounds besides what rows name: records with paths, folders, an index."""
    records = read_records(inputs, report=raise_failure)
    if index is None:
        return ClipSounds(records)
    opened = VectorIndex.open(index)
    return ClipSounds(records, lookup(opened.row_of, opened.records_of))
