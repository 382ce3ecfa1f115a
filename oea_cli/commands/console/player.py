"""Playing a sound, or a part of one, through a program that is installed."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from oea_cli.commands.console.terminal import FailureLog, say
from oea_cli.errors import Failure, OeaError

if TYPE_CHECKING:
    from oea_cli.search.hits import Hit

PLAYERS = {"ffplay": "FFmpeg", "play": "SoX", "afplay": "macOS"}


def find_player() -> str:
    """Return the first player that is installed; raises OeaError naming those that could be."""
    for name in PLAYERS:
        if shutil.which(name):
            return name
    wanted = ", ".join(f"{name} ({origin})" for name, origin in PLAYERS.items())
    raise OeaError(f"--play needs a player, and none is installed: {wanted}")


def play_hits(player: str, hits: "list[Hit]", log: FailureLog, quiet: bool) -> None:
    """Play the hits one after the other; one that cannot be played is named and left out."""
    from oea_cli.commands.console.moments import moment_of
    from oea_cli.search.hits import hit_path

    for hit in hits:
        try:
            path = hit_path(hit)
            if not quiet:
                moment = moment_of(hit)
                where = f"{path} at {moment}" if moment else path
                say(f"oea search: playing {hit['rank']} of {len(hits)}: {where}")
            play(player, path, hit.get("start"), hit.get("end"))
        except OeaError as error:
            where, _, reason = str(error).partition(": ")
            log.report(Failure(where, reason, hit["id"]))


def play(player: str, path: str, start: float | None = None, end: float | None = None) -> None:
    """Play a sound file from `start` to `end` seconds and wait for its end.

    Raises OeaError where the file is missing or the player fails.
    """
    if not Path(path).is_file():
        from oea_cli.records.file_names import not_there

        raise OeaError(
            f"{path}: {not_there(path)}; a record names its sound from the folder that it was "
            "embedded in: go there, or index the sounds where they are now (`oea index --replace`)"
        )
    # A name that begins with a dash would be read as an option.
    name = str(Path(path).absolute())
    if player == "afplay" and start:
        _play_part(name, start, end)
        return
    _run(_command(player, name, start or 0.0, end), path)


def _command(player: str, path: str, start: float, end: float | None) -> list[str]:
    length = [] if end is None else [f"{end - start:.3f}"]
    if player == "ffplay":
        limit = ["-t", *length] if length else []
        quiet = ["-nodisp", "-autoexit", "-loglevel", "error"]
        return [player, *quiet, "-ss", f"{start:.3f}", *limit, "-i", path]
    if player == "play":
        return [player, "-q", path, "trim", f"{start:.3f}", *length]
    return [player, *(["-t", *length] if length else []), path]


def _play_part(path: str, start: float, end: float | None) -> None:
    """Cut the part out for a player that can only begin at the beginning."""
    import soundfile

    rate = soundfile.info(path).samplerate
    stop = None if end is None else round(end * rate)
    samples, _ = soundfile.read(path, start=round(start * rate), stop=stop)
    with tempfile.TemporaryDirectory() as folder:
        part = str(Path(folder) / "part.wav")
        soundfile.write(part, samples, rate)
        _run(_command("afplay", part, 0.0, None), path)


def _run(command: list[str], path: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit status {done.returncode}"
        raise OeaError(f"{path}: {command[0]} could not play it ({reason})")
