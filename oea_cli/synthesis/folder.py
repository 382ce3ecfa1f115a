"""The demo folder on disk: sounds under audio/, and clips, queries and pairs as JSON lines."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from oea_cli.errors import OeaError
from oea_cli.records.artefacts import Aside, write_whole
from oea_cli.synthesis.collection import (
    Clip,
    clip_record,
    make,
    pair_rows,
    plan,
    query_rows,
)
from oea_cli.synthesis.scenes import SAMPLE_RATE, Scene
from oea_cli.synthesis.shaping import Signal

TABLES = ("clips.jsonl", "queries.jsonl", "pairs.jsonl")
OURS = re.compile(r"audio/\d{3,}-[a-z-]+\.(?:flac|wav)")
"""What a sound of an earlier run is called."""


def write_folder(
    folder: Path,
    num_scenes: int,
    seed: int,
    *,
    suffix: str = ".flac",
    overwrite: bool = False,
    on_clip: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Make the scenes of a seed into a folder; the same arguments give the same bytes.

    Returns counts: clips, queries, pairs and seconds of sound. Files of the same run are written
    again; raises OeaError when anything else lies in the folder, unless `overwrite`, which removes
    the sounds of an earlier run and leaves what is not ours alone.
    """
    planned = plan(num_scenes, seed)
    names = {f"audio/{name}{suffix}" for turn in planned for name in turn.names}
    _prepare(folder, names, overwrite)
    clips: list[Clip] = []
    records: list[dict[str, Any]] = []
    for turn in planned:
        for clip in make(turn, seed):
            path = f"audio/{clip.name}{suffix}"
            _write_sound(folder / path, clip.scene.samples)
            records.append(clip_record(clip, path))
            clips.append(replace(clip, scene=_silent(clip.scene)))
            on_clip()
    queries, pairs = query_rows(records, clips), pair_rows(records, clips)
    # Last, because a folder with clips.jsonl is a whole one.
    for name, rows in zip(reversed(TABLES), (pairs, queries, records), strict=True):
        _write_lines(folder / name, rows)
    seconds = sum(record["duration"] for record in records)
    return {"clips": len(records), "queries": len(queries), "pairs": len(pairs), "seconds": seconds}


def _prepare(folder: Path, names: set[str], overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OeaError(f"{folder}: is a file, not a folder")
    present = _content(folder)
    foreign = sorted(present - names - set(TABLES))
    if foreign and not overwrite:
        raise OeaError(
            f"{folder}: holds other files ({foreign[0]}); choose another folder, or --overwrite"
        )
    for name in foreign:
        if OURS.fullmatch(name):
            (folder / name).unlink()
    try:
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        (folder / "clips.jsonl").unlink(missing_ok=True)
    except OSError as error:
        raise OeaError(f"{folder}: {error.strerror}") from error


def _content(folder: Path) -> set[str]:
    """Relative POSIX paths of all files in the folder; hidden ones are nobody's business."""
    if not folder.is_dir():
        return set()
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return {p.as_posix() for p in paths if not any(part.startswith(".") for part in p.parts)}


def _silent(scene: Scene) -> Scene:
    """The scene without its samples: they are on disk, and there may be many of them."""
    return replace(scene, samples=np.zeros(0, np.float32))


def _write_sound(path: Path, samples: Signal) -> None:
    aside = Aside(path)
    try:
        kind = path.suffix[1:].upper()
        soundfile.write(aside.temporary, samples, SAMPLE_RATE, "PCM_16", format=kind)
        aside.commit()
    except (soundfile.LibsndfileError, OSError) as error:
        raise OeaError(f"{path}: {error}") from error
    finally:
        aside.discard()


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_whole(path, "".join(lines).encode())
