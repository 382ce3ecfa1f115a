"""Answers that were paid for survive whatever happens to the program."""

import os
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from oea_cli.errors import OeaError
from oea_cli.query_generation.models.answers import Answer, AnswerFile, key_of
from oea_cli.query_generation.models.calls import _WorkerPool

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_an_answer_is_on_disk_when_add_returns(tmp_path: Path) -> None:
    answers = AnswerFile(tmp_path / "a.jsonl")
    answers.add("k", Answer("Find a dog.", 3, 4), {"row": "r"})
    assert AnswerFile(tmp_path / "a.jsonl").find("k") == Answer("Find a dog.", 3, 4)
    assert answers.find("other") is None


def test_an_answer_is_synced_before_add_returns(tmp_path: Path) -> None:
    """What only the system's memory holds is lost with its power."""
    called: list[str] = []

    def follow(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function in (os.write, os.fsync):
            called.append(function.__name__)

    answers = AnswerFile(tmp_path / "a.jsonl")
    sys.setprofile(follow)
    try:
        answers.add("k", Answer("Find a dog."), {})
    finally:
        sys.setprofile(None)
    assert called == ["write", "fsync"]


@pytest.mark.parametrize("rest", [b'{"key": "b", "text": "hal', b"\xff\xfe", b"[1]\n", b"{}\n"])
def test_a_torn_line_costs_itself_only(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "a.jsonl"
    first = AnswerFile(path)
    first.add("a", Answer("one"), {})
    first.close()
    path.write_bytes(path.read_bytes() + rest)
    torn = AnswerFile(path)
    assert torn.num_unreadable == 1 and torn.find("a") == Answer("one")
    torn.add("c", Answer("three"), {})
    whole = AnswerFile(path)
    assert whole.find("a") == Answer("one") and whole.find("c") == Answer("three")


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    both = [AnswerFile(path), AnswerFile(path)]  # as two programs would have it

    def work(number: int) -> None:
        for n in range(10):
            both[number % 2].add(f"{number}/{n}", Answer("x" * 500), {})

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = AnswerFile(path)
    assert len(found) == 60 and found.num_unreadable == 0


def test_the_key_is_everything_that_was_asked() -> None:
    key = key_of("question/a", "question", REQUEST)
    assert key == key_of("question/a", "question", dict(reversed(REQUEST.items())))
    assert key != key_of("question/b", "question", REQUEST)
    assert key != key_of("question/a", "tagging", REQUEST)
    assert key != key_of("question/a", "question", {**REQUEST, "model": "n"})
    assert key != key_of("question/a", "question", {**REQUEST, "seed": 1})
    other = {**REQUEST, "messages": [{"role": "user", "content": "hi!"}]}
    assert key != key_of("question/a", "question", other)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OeaError, match=r"a\.jsonl: there is no folder"):
        AnswerFile(tmp_path / "no" / "a.jsonl")
    (tmp_path / "no").mkdir()
    answers = AnswerFile(tmp_path / "no" / "a.jsonl")
    (tmp_path / "no").rmdir()
    with pytest.raises(OeaError, match=r"a\.jsonl: No such file or directory"):
        answers.add("k", Answer("x"), {})
    with pytest.raises(OeaError, match=r"a\.jsonl: No such file or directory"):
        answers.prepare()
    with pytest.raises(OeaError, match="Is a directory"):
        AnswerFile(tmp_path)


def test_a_worker_pool_ends_even_where_an_interruption_spoilt_its_count(tmp_path: Path) -> None:
    pool = _WorkerPool(AnswerFile(tmp_path / "answers.jsonl"), 2)
    pool.num_busy = 3  # Ctrl-C came after an outcome was taken and before it was counted
    ending = threading.Thread(target=pool.finish, daemon=True)
    ending.start()
    ending.join(timeout=10)
    assert not ending.is_alive()
