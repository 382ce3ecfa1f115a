"""Runs targets in processes of their own and counts how their inputs end."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.fuzz.target import Inputs, Target
from tests.fuzz.worker import Counts, Job

POLL_SECONDS = 0.05
# A process is started anew after so many inputs, so that what one leaves behind meets few others.
INPUTS_PER_PROCESS = 5_000


@dataclass(frozen=True)
class Limits:
    """What an input may take: seconds without an end, and megabytes."""

    seconds: float = 30
    memory: int = 400


@dataclass
class Result:
    """How all inputs of a target ended."""

    target: str
    inputs: int
    read: int = 0
    refused: int = 0
    seconds: float = 0.0
    unclean: list[tuple[int, str]] = field(default_factory=list)

    def add(self, counts: Counts) -> None:
        """Count what a process did."""
        self.read += counts.read
        self.refused += counts.refused
        self.seconds += counts.seconds
        self.unclean += counts.unclean


def fuzz(
    targets: Sequence[Target], inputs: int, seed: int, workers: int, limits: Limits
) -> Iterator[Result]:
    """Give the targets `inputs` inputs by weight; a result for each, in their order."""
    total = sum(target.weight for target in targets)
    with ThreadPoolExecutor(workers) as pool, tempfile.TemporaryDirectory() as place:

        def one(target: Target) -> Result:
            count = max(1, round(inputs * target.weight / total))
            return _fuzz_one(target, count, seed, Path(place), limits)

        yield from pool.map(one, targets)


def _fuzz_one(target: Target, count: int, seed: int, place: Path, limits: Limits) -> Result:
    result = Result(target.name, count)
    first = 0
    while first < count:
        last = min(count, first + INPUTS_PER_PROCESS)
        job = Job(target.name, seed, first, last, f"{place}/{target.name}", limits.memory)
        first = run_job(job, limits, result)
    return result


def run_job(job: Job, limits: Limits, result: Result) -> int:
    """Run a process over a job's inputs; the number of the first input that is left."""
    settings = Path(f"{job.place}.job")
    settings.write_text(json.dumps(asdict(job)))
    job.progress.unlink(missing_ok=True)
    job.report.unlink(missing_ok=True)
    errors = Path(f"{job.place}.stderr")
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", str(settings)],
            stdout=subprocess.DEVNULL, stderr=stderr, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        hung = _wait(process, lambda: _number(job), limits.seconds)
    at = _number(job)
    if at is None:
        raise RuntimeError(f"{job.target}: its worker did not start: {_last_line(errors)}")
    if job.report.exists():
        result.add(Counts(**json.loads(job.report.read_text())))
    if not hung and process.returncode == 0:
        return job.last
    ended = f"no end in {limits.seconds:g} s" if hung else f"ended by {process.returncode}"
    result.unclean.append((at, f"{ended} {_last_line(errors)}".strip()))
    return at + 1


def _wait(
    process: subprocess.Popen[bytes], number: Callable[[], int | None], seconds: float
) -> bool:
    """Wait for the end, or until one input has taken too long; whether it was killed for that."""
    at, since = number(), time.monotonic()
    while process.poll() is None:
        time.sleep(POLL_SECONDS)
        if number() != at:
            at, since = number(), time.monotonic()
        # The start, with its imports, counts as no input.
        elif at is not None and time.monotonic() - since > seconds:
            process.kill()
            process.wait()
            return True
    return False


def _number(job: Job) -> int | None:
    try:
        return int(struct.unpack("q", job.progress.read_bytes())[0])
    except (FileNotFoundError, struct.error):
        return None


def _last_line(errors: Path) -> str:
    lines = [line for line in errors.read_text(errors="replace").splitlines() if line.strip()]
    return f"({lines[-1].strip()[:200]})" if lines else ""


def keep(target: Target, seed: int, numbers: Sequence[int], folder: Path) -> list[Path]:
    """Write the damaged files of some inputs into a folder, under names that say which they are."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    with tempfile.TemporaryDirectory() as place:
        inputs = Inputs(target, seed, Path(place))
        for number in numbers:
            one = inputs[number]
            kept.append(folder / f"{target.name}-{seed}-{number}-{Path(one.name).name}")
            kept[-1].write_bytes(one.content)
    return kept
