"""`oea demo`: captioned scenes, queries and hard negatives to try every verb on."""

import json
import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from oea_cli.commands.console.terminal import say
from oea_cli.commands.options.panels import OUTPUT
from oea_cli.commands.options.shared import QuietOption, VerboseOption
from oea_cli.errors import OeaError

SHIPPED = Path(__file__).parent / "demo_clips"  # rendered by recipes/mini/demo.py
NUM_SCENES = 100
TABLES = ("pairs.jsonl", "queries.jsonl", "clips.jsonl")
EARLIER = re.compile(r"audio/\d{3,}-[a-z-]+\.(?:flac|ogg|wav)")
"""What a sound of an earlier run is called, of earlier versions too."""

Rows = list[dict[str, Any]]


def demo(
    folder: Annotated[Path, OUTPUT.argument(metavar="DIR", help="The folder to write.")],
    scenes: Annotated[
        int,
        OUTPUT.option(min=1, max=NUM_SCENES, metavar="N", help="How many scenes."),
    ] = NUM_SCENES,
    overwrite: Annotated[
        bool,
        OUTPUT.option(
            "--overwrite",
            help="Write into a folder that holds other files; sounds of an earlier demo go.",
        ),
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Copy out sounds and queries to try things on.

    Writes DIR/audio/ (Ogg Vorbis, 16 kHz mono), clips.jsonl (the clips with their captions),
    queries.jsonl (queries with their targets; an exclusion such as "rain without thunder" has a
    hard negative, the same scene with both) and pairs.jsonl (hard-negative pairs). The sounds are
    synthesised and part of the program, so nothing is downloaded. It is safe to run again.

    \b
    Examples:
      oea demo sounds
      oea demo sounds --scenes 30 --overwrite
      oea embed sounds/clips.jsonl | oea index -o sounds.oea
    """
    tables = shipped_tables(scenes)
    write_folder(folder, tables, overwrite)
    if not quiet:
        _summarise(folder, tables)


def shipped_tables(num_scenes: int) -> dict[str, Rows]:
    """The rows of the first scenes, by the name of their file.

    A query about a scene that is left out goes, and so does such a scene among its targets.
    """
    clips = _rows("clips.jsonl")[:num_scenes]
    ids = {str(clip["id"]) for clip in clips}
    pairs = [row for row in _rows("pairs.jsonl") if {row["target"], row["hard_negative"]} <= ids]
    queries = [query for row in _rows("queries.jsonl") if (query := _within(row, ids))]
    return dict(zip(TABLES, (pairs, queries, clips), strict=True))


def _rows(name: str) -> Rows:
    return [json.loads(line) for line in (SHIPPED / name).read_text(encoding="utf-8").splitlines()]


def _within(query: dict[str, Any], ids: set[str]) -> dict[str, Any] | None:
    """The query with the targets that are there; None without the scene it was written for."""
    targets = [query["target"]] if isinstance(query["target"], str) else query["target"]
    if not {targets[0], query.get("hard_negative", targets[0])} <= ids:
        return None
    present = [target for target in targets if target in ids]
    return {**query, "target": present if len(present) > 1 else present[0]}


def write_folder(folder: Path, tables: dict[str, Rows], overwrite: bool) -> None:
    """Write the sounds of these clips and the tables; files of an earlier run are written again.

    Raises OeaError when anything else lies in the folder, unless `overwrite`, which removes the
    sounds of an earlier run and leaves everybody else's files alone; and when they cannot be
    written: what was made is removed then.
    """
    from oea_cli.records.artefacts import write_whole

    paths = [str(clip["path"]) for clip in tables["clips.jsonl"]]
    was_there, before = folder.exists(), _content(folder)
    try:
        _prepare(folder, set(paths), overwrite)
        for path in paths:
            write_whole(folder / path, (SHIPPED / path).read_bytes())
        # clips.jsonl comes last, because a folder that has it is complete.
        for name, rows in tables.items():
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            write_whole(folder / name, "".join(lines).encode())
    except OSError as error:
        _remove_made(folder, {*paths, *TABLES} - before, was_there)
        raise OeaError(f"{error.filename or folder}: {error.strerror}") from error


def _remove_made(folder: Path, made: set[str], was_there: bool) -> None:
    for name in made:
        (folder / name).unlink(missing_ok=True)
    for empty in [folder / "audio", *([] if was_there else [folder])]:
        with suppress(OSError):  # it holds other files
            empty.rmdir()


def _prepare(folder: Path, paths: set[str], overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OeaError(f"{folder}: is a file; choose another name for the folder")
    foreign = sorted(_content(folder) - paths - set(TABLES))
    if foreign and not overwrite:
        raise OeaError(
            f"{folder}: holds other files ({foreign[0]}); choose another folder, or --overwrite"
        )
    for name in foreign:
        if EARLIER.fullmatch(name):
            (folder / name).unlink()
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    (folder / "clips.jsonl").unlink(missing_ok=True)


def _content(folder: Path) -> set[str]:
    """Relative POSIX paths of all files in the folder but hidden ones."""
    if not folder.is_dir():
        return set()
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return {p.as_posix() for p in paths if not any(part.startswith(".") for part in p.parts)}


def _summarise(folder: Path, tables: dict[str, Rows]) -> None:
    def named(suffix: str) -> str:
        return shlex.quote(folder.as_posix() + suffix)

    clips, queries, pairs = (tables[f"{name}.jsonl"] for name in ("clips", "queries", "pairs"))
    minutes = sum(clip["duration"] for clip in clips) / 60
    say(
        f"oea demo: {len(clips)} scenes ({minutes:.1f} minutes), "
        f"{len(queries)} queries, {len(pairs)} hard-negative pairs in {folder}"
    )
    say("Next:")
    say(f"  oea embed {named('/clips.jsonl')} | oea index -o {named('.oea')}")
    say(f'  oea search "a dog barking" -i {named(".oea")} -k 5')
    say(f'  oea search "rain without thunder" -i {named(".oea")} -k 5')
    say(f"  oea search --queries {named('/queries.jsonl')} -i {named('.oea')} -f trec")
