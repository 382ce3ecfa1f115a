"""Records by the ids that a ranking names: a clip, one of its windows, or one of its captions."""

from collections.abc import Callable, Collection, Iterable

from oea_cli.clips.names import ClipNames
from oea_cli.records.ids import CAPTION_ID, clip_of
from oea_cli.records.rows import Record

GetRecords = Callable[[Collection[str]], dict[str, Record]]
"""Records by the ids asked for, in whatever spelling; ids that mean nothing are left out."""


def no_records(ids: Collection[str]) -> dict[str, Record]:
    """There are none."""
    return {}


def lookup(ids: Collection[str], read: Callable[[list[str]], Iterable[Record]]) -> GetRecords:
    """Look up records among `ids`, in whatever spelling; `read` returns those of some of the ids,
    in order. Of a clip that lies as several windows, the first one's."""

    def get(asked: Collection[str]) -> dict[str, Record]:
        meant = records_meant(asked, ids)
        names = sorted(set(meant.values()))
        return by_asked(meant, dict(zip(names, read(names), strict=True)))

    return get


def records_meant(asked: Iterable[str], ids: Collection[str]) -> dict[str, str]:
    """For each id asked for, the id of the record that it means: the same one, the first window
    of the clip, or, for `CLIP#2`, the clip that is the caption's."""
    first_of_clip: dict[str, str] = {}
    for id_ in ids:
        first_of_clip.setdefault(clip_of(id_), id_)
    known, names = set(ids), ClipNames(first_of_clip)
    meant: dict[str, str] = {}
    for id_ in dict.fromkeys(asked):
        caption = CAPTION_ID.fullmatch(id_)
        clip = names.find(id_) or (names.find(caption["clip"]) if caption else None)
        if id_ in known:
            meant[id_] = id_
        elif clip is not None:
            meant[id_] = first_of_clip[clip]
    return meant


def by_asked(meant: dict[str, str], records: dict[str, Record]) -> dict[str, Record]:
    found = {}
    for asked, id_ in meant.items():
        if id_ not in records:
            continue
        record = dict(records[id_])
        caption = CAPTION_ID.fullmatch(asked)
        captions = record.get("captions")
        if asked != id_ and caption and isinstance(captions, list):
            number = int(caption["number"])
            record["captions"] = captions[number - 1 : number]
        if asked != id_ and "#t=" not in asked:
            # The clip was meant, and not the window that stands for it.
            record = {key: value for key, value in record.items() if key not in ("start", "end")}
        found[asked] = record
    return found
