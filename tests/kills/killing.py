"""Ends a job at a random moment, looks at what is left, and does the job again."""

import random
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kills.children import Ended, in_child, run_verb
from tests.kills.contents import left_behind
from tests.kills.jobs import Job, give

DISK_FULL = "full disk"
ENDS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", DISK_FULL)
CODES = {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130, "SIGHUP": 129, DISK_FULL: 1}
STARTING = 0.02  # seconds in which a child becomes the program


@dataclass
class Tally:
    """What one job's runs came to: counts of `ended`, lost, doubled, torn, left behind, unclean."""

    job: str
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def note(self, what: str, text: str) -> None:
        """Count a problem."""
        self.counts[what] += 1
        self.problems.append(f"{self.job}: {what}: {text}")


class Killer:
    """One job, its undisturbed run, and runs that are ended."""

    def __init__(self, job: Job, place: Path, scratch: Path, seed: int) -> None:
        self._job, self._place, self._scratch = job, place, scratch
        self._random = random.Random(f"{job.name} {seed}")
        folder = self._fresh()
        self._before = self._read(folder)
        ended = run_verb(job.words, folder)
        if ended.code:
            raise RuntimeError(f"{job.name}: exit code {ended.code} undisturbed: {ended.said}")
        self._seconds = ended.seconds
        self._whole = self._read(folder)
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        self._largest = max(sizes, default=1)
        self.tally = Tally(job.name)

    def runs(self, ends: Iterator[str]) -> None:
        """End the job once in each of these ways."""
        for end in ends:
            self._run(end)

    def _run(self, end: str) -> None:
        folder = self._fresh()
        self.tally.counts["runs"] += 1
        if end == DISK_FULL:
            size = int(self._largest ** self._random.uniform(0.3, 1.0))
            ended = run_verb(self._job.words, folder, file_bytes=size)
        else:
            after = STARTING + self._seconds * self._random.uniform(0, 1.05)
            ended = run_verb(self._job.words, folder, end=signal.Signals[end], after=after)
        was_ended = ended.code != 0
        self.tally.counts["ended"] += was_ended
        self._check_end(end, ended)
        self._check_files(end, folder)
        self._repeat(end, folder)
        shutil.rmtree(folder)

    def _check_end(self, end: str, ended: Ended) -> None:
        if ended.code not in (0, CODES[end]):
            self.tally.note("unclean", f"{end}: exit code {ended.code}: {ended.said}")
        elif "Traceback" in ended.said or (end != "SIGKILL" and ended.code and not ended.said):
            self.tally.note("unclean", f"{end}: {ended.said or 'nothing was said'}")

    def _check_files(self, end: str, folder: Path) -> None:
        try:
            found = self._read(folder)
        except RuntimeError as error:
            self.tally.note("doubled" if "doubled" in str(error) else "torn", f"{end}: {error}")
            return
        if not self._job.goes_on and not self._is_old_or_new(found):
            self.tally.note("torn", f"{end}: neither the old nor the new content")
        if end != "SIGKILL" and (left := left_behind(folder)):
            self.tally.note("left behind", f"{end}: {', '.join(left)}")

    def _is_old_or_new(self, found: Any) -> bool:
        if self._job.one_by_one and found is not None:
            return bool(found.items() <= self._whole.items())
        return found in [self._before, self._whole, *([] if self._job.given else [None])]

    def _repeat(self, end: str, folder: Path) -> None:
        """The same command must come to what an undisturbed run came to."""
        kept = {name: _content(folder / name) for name in self._job.kept}
        if self._before == self._whole or self._read_or_none(folder) != self._whole:
            ended = run_verb(self._job.words, folder)
            if ended.code:
                self.tally.note("lost", f"{end}: again: exit code {ended.code}: {ended.said}")
                return
        found = self._read_or_none(folder)
        if found != self._whole:
            self.tally.note("lost", f"{end}: again: not what an undisturbed run leaves")
        for name, content in kept.items():
            whole_lines = content[: content.rfind(b"\n") + 1]
            if not _content(folder / name).startswith(whole_lines):
                self.tally.note("lost", f"{end}: {name} lost lines")
        if end == "SIGKILL" and (left := left_behind(folder)):
            self.tally.note("left behind", f"{end}, again: {', '.join(left)}")

    def _fresh(self) -> Path:
        folder = self._scratch / "job"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        give(self._job, self._place, folder)
        return folder

    def _read(self, folder: Path) -> Any:
        return in_child(lambda: self._job.read(folder))

    def _read_or_none(self, folder: Path) -> Any:
        try:
            return self._read(folder)
        except RuntimeError:
            return None


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def mixed(runs: int, seed: int) -> Iterator[str]:
    """So many ways to end, each as often as the others."""
    order = random.Random(seed)
    for start in range(0, runs, len(ENDS)):
        yield from order.sample(ENDS, len(ENDS))[: runs - start]
