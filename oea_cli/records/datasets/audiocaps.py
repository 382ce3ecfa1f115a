"""AudioCaps: one row per caption, gathered per clip with the id YOUTUBEID_START."""

from oea_cli.errors import Failure, Report
from oea_cli.records.datasets.finder import SUFFIXES, SoundFinder
from oea_cli.records.datasets.values import rows_with, texts_of
from oea_cli.records.fields import RowError
from oea_cli.records.rows import Record, Rows

AUDIOCAPS_KEYS = {"youtube_id", "start_time", "caption"}


def audiocaps_rows(rows: Rows, finder: SoundFinder, report: Report) -> Rows:
    clips: dict[str, tuple[str, Record]] = {}
    for where, row in rows_with(rows, "AudioCaps", ("youtube_id", "start_time"), report):
        try:
            captions = texts_of(row.get("caption"), "caption")
        except RowError as problem:
            report(Failure(where, str(problem)))
            continue
        clip = f"{row['youtube_id']}_{row['start_time']}"
        _, gathered = clips.setdefault(clip, (where, _audiocaps_clip(clip, row)))
        gathered["captions"] += captions
        if "audiocap_id" in row:
            gathered["audiocap_ids"].append(row["audiocap_id"])
    for where, row in clips.values():
        video = row["youtube_id"]
        stems = (row["id"], f"Y{row['id']}", f"Y{video}", video)
        path = finder.find([stem + suffix for stem in stems for suffix in SUFFIXES])
        yield where, {**row, "path": path}


def _audiocaps_clip(clip: str, row: Record) -> Record:
    rest = {key: value for key, value in row.items() if key not in ("caption", "audiocap_id")}
    return {**rest, "id": clip, "captions": [], "audiocap_ids": []}
