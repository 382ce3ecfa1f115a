"""`oea demo`: captioned scenes, queries and hard negatives to try every verb on."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.console.terminal import Progress, say
from oea_cli.commands.options.shared import QuietOption, SeedOption, VerboseOption


class SoundFormat(StrEnum):
    """How the sounds are stored; both without loss."""

    flac = "flac"
    wav = "wav"


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to make them.")],
    scenes: Annotated[
        int, typer.Option(envvar="OEA_SCENES", min=1, max=100_000, metavar="N", help="How many.")
    ] = 100,
    seed: SeedOption = 0,
    format: Annotated[SoundFormat, typer.Option("--format", "-f", help="Kind of sound file.")] = (
        SoundFormat.flac
    ),
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Also into a folder with other files; an earlier demo's go."
        ),
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Make sounds to try things on: scenes of synthesised events, with captions and queries.

    Writes DIR/audio/ (16 kHz mono), clips.jsonl (records with captions), queries.jsonl (queries
    with their targets; the exclusions, "rain without thunder", with a hard negative: the same scene
    with both) and pairs.jsonl (hard-negative pairs). Nothing is downloaded. The same seed makes
    the same files, so it is safe to run again; more scenes go on where fewer stopped.

    \b
    Examples:
      oea demo sounds
      oea demo sounds --scenes 30 --seed 7
      oea demo sounds -f wav --overwrite
      oea embed sounds/clips.jsonl | oea index -o sounds.oea
    """
    from oea_cli.synthesis.folder import write_folder

    progress = Progress("demo", "scenes", scenes, quiet)
    try:
        made = write_folder(
            folder,
            scenes,
            seed,
            suffix=f".{format.value}",
            overwrite=overwrite,
            on_clip=progress.advance,
        )
    finally:
        progress.close()
    if not quiet:
        _summarise(folder, made)


def _summarise(folder: Path, made: dict[str, int]) -> None:
    def named(suffix: str) -> str:
        return shlex.quote(folder.as_posix() + suffix)

    say(
        f"oea demo: {made['clips']} scenes ({made['seconds'] / 60:.1f} minutes), "
        f"{made['queries']} queries, {made['pairs']} hard-negative pairs in {folder}"
    )
    say("Next:")
    say(f"  oea embed {named('/clips.jsonl')} | oea index -o {named('.oea')}")
    say(f'  oea search "a dog barking" -i {named(".oea")} -k 5')
    say(f'  oea search "rain without thunder" -i {named(".oea")} -k 5')
    say(f"  oea search --queries {named('/queries.jsonl')} -i {named('.oea')} -f trec")
