"""Records by the ids that a ranking names: a clip, one of its windows, or one of its captions."""

from collections.abc import Callable, Collection, Iterable

from oea_cli.clips.captions import captions_in
from oea_cli.clips.names import ClipNames
from oea_cli.records.ids import caption_of, clip_of, is_window
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
        resolved = resolve_ids(asked, ids)
        names = sorted(set(resolved.values()))
        return by_given_id(resolved, dict(zip(names, read(names), strict=True)))

    return get


def resolve_ids(asked: Iterable[str], ids: Collection[str]) -> dict[str, str]:
    """For each id asked for, the id of the record that it means: the same one, the first window
    of the clip, or, for `CLIP#2`, the clip that is the caption's."""
    first_of_clip: dict[str, str] = {}
    for id_ in ids:
        first_of_clip.setdefault(clip_of(id_), id_)
    known, names = set(ids), ClipNames(first_of_clip)
    resolved: dict[str, str] = {}
    for id_ in dict.fromkeys(asked):
        caption = caption_of(id_)
        clip = names.find(id_) or (names.find(caption[0]) if caption else None)
        if id_ in known:
            resolved[id_] = id_
        elif clip is not None:
            resolved[id_] = first_of_clip[clip]
    return resolved


def by_given_id(resolved: dict[str, str], records: dict[str, Record]) -> dict[str, Record]:
    """The records under the ids that were asked for: of a caption its clip's, with that caption
    alone; of a clip that lies as windows its first one's, as if it were whole."""
    found = {}
    for asked, id_ in resolved.items():
        if id_ not in records:
            continue
        record = dict(records[id_])
        caption = caption_of(asked)
        if asked != id_ and caption:
            record["captions"] = list(captions_in(record)[caption[1] - 1 : caption[1]])
        if asked != id_ and not is_window(asked):
            # The clip was asked for, and not the window that stands for it.
            record = {key: value for key, value in record.items() if key not in ("start", "end")}
        found[asked] = record
    return found
