"""Clips as samples: one stretch of each, read from where it lies in the file."""

import json
from pathlib import Path

import numpy as np

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_windows
from oea_cli.training.data.sources import TrainingClip

UNDECODABLE_FILE = "undecodable.jsonl"


class ClipAudio:
    """Reads clips; what cannot be decoded is named in a file of the run's folder, once."""

    def __init__(self, folder: Path, sample_rate: int, max_seconds: float) -> None:
        self._failures = folder / UNDECODABLE_FILE
        self._rate, self._max_seconds = sample_rate, max_seconds
        self._named = {str(row["path"]) for row in undecodable(folder)}

    def samples(self, clip: TrainingClip, place: float) -> np.ndarray | None:
        """(n,) float32: all of a clip, or of a longer one a stretch; None for a broken one.

        `place` (0..1) says from where: 0 is the beginning, 1 the end. No more than the stretch is
        decoded.
        """
        slack = max(0.0, clip.seconds - self._max_seconds)
        length = min(clip.seconds or self._max_seconds, self._max_seconds)
        reason = ""
        # A length that was stated and is wrong may lead beyond the end of the file.
        for start in dict.fromkeys((clip.start + place * slack, clip.start)):
            window = read_windows(
                clip.path,
                self._rate,
                self._max_seconds,
                start=start,
                end=start + length,
                channel=clip.channel,
            )
            try:
                return next(window).samples
            except AudioError as error:
                reason = str(error)
        self._name(clip.path, reason)
        return None

    def _name(self, path: str, reason: str) -> None:
        if path not in self._named:
            self._named.add(path)
            # Several processes write here; a short line in one go stays whole.
            with self._failures.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"path": path, "error": reason}) + "\n")


def undecodable(folder: Path) -> list[dict[str, str]]:
    """The clips that could not be decoded so far, each once."""
    path = folder / UNDECODABLE_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = {row["path"]: row for row in (json.loads(line) for line in lines if line[-1:] == "}")}
    return list(rows.values())
