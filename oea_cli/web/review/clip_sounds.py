"""Where a clip's sound lies: named in its row, in records, in an index, or by the id itself."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from oea_cli.clips.captions import captions_in
from oea_cli.clips.names import ClipNames
from oea_cli.records.folders import exists, resolved
from oea_cli.records.ids import clip_of, section_of
from oea_cli.records.rows import Record
from oea_cli.web.sounds import Sound

GetRecords = Callable[[Collection[str]], Mapping[str, Record]]


@dataclass(frozen=True)
class Found:
    """A clip's sound, or why there is none, and the captions that its record holds."""

    sound: Sound | None = None
    problem: str = ""
    captions: tuple[str, ...] = ()


class ClipSounds:
    """Finds the sounds of clips: `records` by any spelling of their ids, an index by `indexed`."""

    def __init__(self, records: Iterable[Record] = (), indexed: GetRecords | None = None) -> None:
        """Records whose `path` opens from the working directory; raises AmbiguousNameError when a
        name that is looked for means several."""
        self._records = {str(record["id"]): record for record in records}
        self._names = ClipNames(self._records)
        self._indexed = indexed
        self._from_index: Mapping[str, Record] = {}

    def look_up(self, ids: Collection[str]) -> None:
        """Read from the index what `find` will be asked for, in one go."""
        if self._indexed is not None:
            self._from_index = self._indexed(ids)

    def find(self, id: str, path: str | None, folder: str) -> Found:
        """The sound of a clip whose row lies in `folder` and may name its `path`."""
        record = self._record_of(id)
        captions = captions_in(record)
        if path is not None:
            path = resolved(path, folder)
            section = _section(id, record)
        elif isinstance(record.get("path"), str):
            path = str(record["path"])
            section = _section(id, record)
        else:
            path = resolved(clip_of(id) if section_of(id) else id, folder)
            section = _section(id, record)
            if not exists(path):
                problem = "no sound is known for this id; --clips or -i names it"
                return Found(problem=problem, captions=captions)
        if not exists(path):
            return Found(problem=f"missing: {path}", captions=captions)
        return Found(Sound(path, *section), captions=captions)

    def _record_of(self, id: str) -> Record:
        name = self._names.find(id) or (self._names.find(clip_of(id)) if section_of(id) else None)
        return self._records[name] if name else dict(self._from_index.get(id, {}))


def _section(id: str, record: Record) -> tuple[float | None, float | None]:
    """The part of the file that the clip is, in seconds: as its record, or as its id says."""
    named = section_of(id)
    if named and record.get("start") is None:
        return named
    return _seconds(record.get("start")), _seconds(record.get("end"))


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
