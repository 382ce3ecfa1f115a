"""Runs some inputs of one target in this process: `python -m tests.fuzz.worker JOB.json`.

Before each input its number is written into a mapped file: when this process dies or hangs, the
harness reads there which input it was.
"""

import json
import mmap
import resource
import signal
import struct
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from oea_cli.errors import OeaError
from tests.fuzz.target import Input, Inputs, Target, all_targets

MAX_TEXT = 2_000
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Job:
    """Inputs FIRST to LAST - 1 of a target; `place` is the common start of the job's files."""

    target: str
    seed: int
    first: int
    last: int
    place: str
    memory: int

    @property
    def progress(self) -> Path:
        """Holds the number of the input that is being read (int64)."""
        return Path(f"{self.place}.progress")

    @property
    def report(self) -> Path:
        """Holds the counts and the unclean ends, written after each of these."""
        return Path(f"{self.place}.json")


@dataclass
class Counts:
    """How the inputs of a target ended."""

    read: int = 0
    refused: int = 0
    unclean: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0


def run(job: Job, target: Target) -> Counts:
    """Read the job's inputs, one after the other."""
    counts = Counts()
    with tempfile.TemporaryDirectory(prefix="oea-fuzz-") as place:
        folder = Path(place, "input")
        folder.mkdir()
        inputs = Inputs(target, job.seed, folder)
        target.read(folder)  # whole, it must be read: else every refusal would look right
        progress = _mapped(job)  # from here on, time counts
        start = time.monotonic()
        for number in range(job.first, job.last):
            progress[:] = struct.pack("q", number)
            if reason := _end_of(target, inputs[number], inputs, folder, counts, job.memory):
                counts.unclean.append((number, reason))
            counts.seconds = time.monotonic() - start
            if reason or number % 50 == 0:
                job.report.write_text(json.dumps(asdict(counts)))
        job.report.write_text(json.dumps(asdict(counts)))
    return counts


def _mapped(job: Job) -> mmap.mmap:
    job.progress.write_bytes(struct.pack("q", job.first))
    with job.progress.open("r+b") as file:
        return mmap.mmap(file.fileno(), 8)


def _end_of(
    target: Target, one: Input, inputs: Inputs, folder: Path, counts: Counts, memory: int
) -> str | None:
    """Read one input; what was unclean about its end, if anything."""
    before = _peak()
    (folder / one.name).write_bytes(one.content)
    try:
        reason = _read(target, folder, counts)
    finally:
        (folder / one.name).write_bytes(inputs.whole[one.name])
    grown = (_peak() - before) // MEGABYTE
    return reason or (f"memory grew by {grown} MB" if grown > memory else None)


def _read(target: Target, folder: Path, counts: Counts) -> str | None:
    try:
        target.read(folder)
    except OeaError as error:
        counts.refused += 1
        # A recipe's mistakes are a line each.
        size = max(map(len, str(error).splitlines()), default=0)
        return f"an error line of {size:,} characters" if size > MAX_TEXT else None
    except BaseException as error:  # a Rust panic is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
    counts.read += 1
    return None


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """Read the job, lower this process's limits, run it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    run(job, all_targets(broken=True)[job.target])


if __name__ == "__main__":
    main()
