"""The harness itself: each kind of unclean end is seen, and the input that made it is known."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from oea_cli.errors import OeaError
from tests.fuzz.broken_readers import make
from tests.fuzz.harness import Limits, Result, keep, run_job
from tests.fuzz.mutations import damaged_bytes, damaged_lines, lying_json
from tests.fuzz.target import Inputs, Target, all_targets
from tests.fuzz.worker import Job, run


def _nothing(_: Path) -> None:
    pass


def _refuse(folder: Path) -> None:
    if _is_damaged(folder):
        raise OeaError("a.txt: damaged; write it again")


def _fail(folder: Path) -> None:
    if _is_damaged(folder):
        raise KeyError("a.txt")


def _grow(folder: Path) -> None:
    if _is_damaged(folder):
        bytes(bytearray(b"\x01") * 300_000_000)


def _is_damaged(folder: Path) -> bool:
    return (folder / "a.txt").read_bytes() != b"whole"


def _job(place: Path, target: str, last: int, memory: int = 100) -> Job:
    return Job(target, 0, 0, last, str(place / "job"), memory)


@pytest.mark.parametrize(
    ("read", "expected"),
    [(_nothing, (3, 0, 0)), (_refuse, (0, 3, 0)), (_fail, (0, 0, 3))],
)
def test_ends_are_counted(
    tmp_path: Path, read: Callable[[Path], object], expected: tuple[int, int, int]
) -> None:
    counts = run(_job(tmp_path, "t", 3), Target("t", make, read))
    assert (counts.read, counts.refused, len(counts.unclean)) == expected


def test_a_reader_that_refuses_the_whole_files_is_no_target(tmp_path: Path) -> None:
    def read(_: Path) -> None:
        raise OeaError("a.txt: no; yes")

    with pytest.raises(OeaError, match="no; yes"):
        run(_job(tmp_path, "t", 3), Target("t", make, read))


def test_memory_is_counted(tmp_path: Path) -> None:
    counts = run(_job(tmp_path, "t", 1), Target("t", make, _grow))
    assert [reason[:15] for _, reason in counts.unclean] == ["memory grew by "]


def test_an_input_has_a_number(tmp_path: Path) -> None:
    target = Target("t", make, _nothing)
    first, again = (Inputs(target, 5, tmp_path) for _ in range(2))
    assert [first[n] for n in range(50)] == [again[n] for n in reversed(range(50))][::-1]
    kept = keep(target, 5, [7], tmp_path / "kept")
    assert [path.read_bytes() for path in kept] == [first[7].content]


@pytest.mark.slow
def test_an_abort_and_a_hang_are_seen_and_passed(tmp_path: Path) -> None:
    for name, reason in (("abort", "ended by -6"), ("hang", "no end in 1 s")):
        result = Result(name, 10)
        left = run_job(_job(tmp_path, name, 10), Limits(seconds=1), result)
        assert (left, result.unclean[-1]) == (4, (3, reason))


def test_damage_is_damage() -> None:
    whole = json.dumps({"a": [1, 2, {"b": "c"}], "d": None}).encode()
    for mutate in (damaged_bytes, lying_json, damaged_lines):
        made = {mutate(Random(number), whole) for number in range(200)}
        assert len(made) > 20


def test_every_target_is_found() -> None:
    assert {"npy", "shards-manifest", "parquet-vectors"} <= set(all_targets())
