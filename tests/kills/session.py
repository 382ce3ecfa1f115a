"""Everything that is needed once: what is imported, an encoder, inputs, a server of answers."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from tests.conftest import REPOSITORY, clean_environment
from tests.kills.children import in_child, run_verb
from tests.kills.jobs import Job, jobs, prepare
from tests.kills.killing import Killer, Tally, mixed

IMPORTED = (
    "numpy",
    "polars",
    "torch",
    "transformers",
    "openai",
    "oea_cli.main",
    "oea_cli.encoder.loading",
    "oea_cli.encoder.omni.folder",
    "oea_cli.encoder.streaming.writing",
    "oea_cli.vectors.opening",
    "oea_cli.vectors.index.building",
    "oea_cli.evaluation.evaluate",
    "oea_cli.mining.mine",
    "oea_cli.query_generation.generation",
    "oea_cli.training.loop.train",
)
SERVER = """
import re, sys, time
from tests.query_generation.llm_server import Reply, llm_server
def answer(question, _):
    noun = re.search(r"- a (\\w+) makes", question)[1]
    return Reply(f"Find a {noun} making a loud call near a wooden barn.", seconds=0.02)
with llm_server(answer) as service:
    print(service.address, flush=True)
    sys.stdin.read()
"""


def kill(names: Sequence[str], runs: int, seed: int, scratch: Path) -> Iterator[Tally]:
    """End every job (or those whose names start so) `runs` times in all; a tally for each."""
    for name in IMPORTED:
        import_module(name)
    place, encoder = scratch / "given", scratch / "encoder"
    place.mkdir()
    with _answering() as llm:
        in_child(lambda: _make(place, encoder))
        chosen = [job for job in jobs(encoder, llm) if job.name.startswith(tuple(names) or "")]
        for number, job in enumerate(chosen):
            own = runs * (number + 1) // len(chosen) - runs * number // len(chosen)
            yield _killed(job, own, seed, place, scratch)


def _killed(job: Job, runs: int, seed: int, place: Path, scratch: Path) -> Tally:
    killer = Killer(job, place, scratch, seed)
    killer.runs(mixed(runs, seed))
    return killer.tally


def _make(place: Path, encoder: Path) -> None:
    from tests.kills.tiny import save_tiny

    save_tiny(encoder)
    prepare(place)
    words = ["index", "old.npy", "-o", "old.oea"]
    if ended := run_verb(words, place).code:
        raise RuntimeError(f"oea {' '.join(words)}: {ended}")


@contextmanager
def _answering() -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env=clean_environment(),
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        address = server.stdout.readline().decode().strip()
        assert re.match("http://127", address)
        yield address
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()
