"""Queries from a server that is slow, fails, talks nonsense and dies: nothing is lost."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands.in_process import run
from tests.conftest import clean_environment
from tests.query_generation.llm_server import Reply, Service, llm_server

pytest.importorskip("openai")

NOUNS = ["dog", "horse", "cow", "duck", "goat", "pig", "owl", "frog", "cat", "rooster"]


def captions_of(noun: str) -> list[str]:
    return [f"a {noun} makes a loud call near a wooden barn"]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    path = tmp_path / "clips.jsonl"
    rows = [{"id": f"{noun}-0815", "captions": captions_of(noun)} for noun in NOUNS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def noun_in(question: str) -> str:
    match = re.search(r"- a (\w+) makes", question)
    assert match
    return match[1]


def good(question: str) -> Reply:
    return Reply(f"Find a {noun_in(question)} making a loud call near a wooden barn.")


def ask(
    clips: Path, service: Service, *more: str, output: str = "uiq.jsonl", key: str = "sesame"
) -> subprocess.CompletedProcess[str]:
    return run(
        ["gen-queries", clips, "-t", "imperative", "--llm", service.address, "--llm-model", "m",
         "-o", clips.parent / output, *more],
        env={"OPENAI_API_KEY": key},
    )  # fmt: skip


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_good_answers_become_rows_and_a_rerun_pays_nothing(clips: Path) -> None:
    with llm_server(lambda question, _: good(question)) as service:
        done = ask(clips, service)
        assert done.returncode == 0, done.stderr
        first = (clips.parent / "uiq.jsonl").read_bytes()
        assert "10 answers requested, 0 reused; 1000 tokens in, 100 out" in done.stderr
        again = ask(clips, service)
        assert again.returncode == 0 and "0 answers requested, 10 reused" in again.stderr
        assert service.asked.total() == 10
    made = rows(clips.parent / "uiq.jsonl")
    assert (clips.parent / "uiq.jsonl").read_bytes() == first
    assert [row["audio_id"] for row in made] == [f"{noun}-0815" for noun in NOUNS]
    assert {row["source_model"] for row in made} == {"m"}
    assert service.keys == {"Bearer sesame"}
    for path in clips.parent.iterdir():
        assert "sesame" not in path.read_text(), "the key is never stored"
    assert "sesame" not in done.stderr + done.stdout


def test_file_names_are_not_sent(clips: Path) -> None:
    with llm_server(lambda question, _: good(question)) as service:
        ask(clips, service)
        assert not [question for question in service.asked if "0815" in question]


def test_what_breaks_a_rule_is_asked_again_with_the_reason(clips: Path) -> None:
    def answer(question: str, _: int) -> Reply:
        if "Not yet" not in question:
            return Reply('"A noise, a dog and thunder"')
        return good(question)

    with llm_server(answer) as service:
        done = ask(clips, service)
        assert done.returncode == 0, done.stderr
        assert service.asked.total() == 20
    again = [json.loads(question) for question in service.asked if "Not yet" in question]
    assert all(talk[-2]["content"] == "A noise, a dog and thunder" for talk in again)
    assert all("no command starts with 'a'" in talk[-1]["content"] for talk in again)
    assert all("the captions do not say" in talk[-1]["content"] for talk in again)


def test_what_is_bad_to_the_last_is_set_aside_with_its_reason(clips: Path) -> None:
    def answer(question: str, _: int) -> Reply:
        return good(question) if noun_in(question) != "pig" else Reply("I cannot help with that.")

    rejects = clips.parent / "rejects.jsonl"
    with llm_server(answer) as service:
        done = ask(clips, service, "--rejects", str(rejects), "--ask-again", "1")
        assert done.returncode == 0, done.stderr
        assert service.asked.total() == 11
        named = ask(clips, service, "--ask-again", "1")
        assert named.returncode == 3 and "imperative/pig-0815: " in named.stderr
        assert service.asked.total() == 11
    (row,) = rows(rejects)
    assert row["audio_id"] == "pig-0815" and row["attempts"] == 2
    assert row["text"] == "I cannot help with that."
    assert any("no command starts with 'i'" in str(reason) for reason in row["reasons"])  # type: ignore[attr-defined]
    assert len(rows(clips.parent / "uiq.jsonl")) == 9


def test_equal_queries_are_not_both_kept(clips: Path, tmp_path: Path) -> None:
    twins = tmp_path / "twins.jsonl"
    caption = "a dog makes a loud call near a wooden barn"
    twins.write_text("".join(json.dumps({"id": i, "captions": [caption]}) + "\n" for i in "ab"))

    def answer(question: str, count: int) -> Reply:
        again = "the same words as the query of imperative/a" in question
        # The first to ask is answered last: the order of the answers decides nothing.
        late = 0.0 if count > 1 else 0.2
        end = "beside" if again else "near"
        return Reply(f"Find a dog making a loud call {end} a wooden barn.", seconds=late)

    with llm_server(answer) as service:
        done = ask(twins, service)
    assert done.returncode == 0, done.stderr
    texts = [row["generated_query"] for row in rows(tmp_path / "uiq.jsonl")]
    assert [str(text).split()[7] for text in texts] == ["near", "beside"]


def test_a_busy_server_is_waited_for_as_it_says(clips: Path) -> None:
    def answer(question: str, count: int) -> Reply:
        if noun_in(question) == "dog" and count == 1:
            return Reply(status=429, headers={"Retry-After": "1"})
        return good(question)

    with llm_server(answer) as service:
        done = ask(clips, service, "-j", "1", "--limit", "1")
    assert done.returncode == 0, done.stderr
    assert len(service.times) == 2 and service.times[1] - service.times[0] >= 1.0


def test_failures_are_tried_again_and_then_named(clips: Path) -> None:
    def answer(question: str, count: int) -> Reply:
        if noun_in(question) == "cow":
            return Reply("broken", status=500, headers={"retry-after-ms": "10"})
        if noun_in(question) == "duck" and count == 1:
            return Reply(body=b'{"choices": [', headers={})
        if noun_in(question) == "goat" and count == 1:
            return Reply(body=b"<html>busy</html>", headers={"content-type": "text/html"})
        if noun_in(question) == "owl" and count == 1:
            return Reply("x", cut_at=20)
        if noun_in(question) == "frog":
            return Reply(body=b'{"choices": []}')
        return good(question)

    with llm_server(answer) as service:
        done = ask(clips, service, "--retries", "2", "--errors", str(clips.parent / "errors.jsonl"))
        assert done.returncode == 3, done.stderr
        assert {noun_in(q): n for q, n in service.asked.items() if n > 1} == {
            "cow": 3, "duck": 2, "goat": 2, "owl": 2, "frog": 3
        }  # fmt: skip
        assert "2 of 10 rows failed, 8 done" in done.stderr
        lines = [line for line in done.stderr.splitlines() if "imperative/" in line]
        assert len(lines) == 2 and "cow-0815" in lines[0] and "broken" in lines[0]
        assert "clips.jsonl:3" in lines[0] and "frog-0815" in lines[1] and "JSON" in lines[1]
        assert [row["id"] for row in rows(clips.parent / "errors.jsonl")] == [
            "imperative/cow-0815", "imperative/frog-0815"
        ]  # fmt: skip
        asked = service.asked.total()
        ask(clips, service, "--retries", "0")
        assert service.asked.total() == asked + 2, "only what failed is asked again"
    assert max(service.answered.values()) == 1, "no answer was paid twice"


def test_a_slow_answer_times_out(clips: Path) -> None:
    def answer(question: str, _: int) -> Reply:
        slow = 5.0 if noun_in(question) == "dog" else 0.0
        return Reply(good(question).text, seconds=slow)

    with llm_server(answer) as service:
        start = time.monotonic()
        done = ask(clips, service, "--timeout", "0.5", "--retries", "0")
        assert time.monotonic() - start < 4
    assert done.returncode == 3 and "dog-0815" in done.stderr and "no answer in time" in done.stderr


def test_a_server_that_dies_half_way(clips: Path) -> None:
    with llm_server(lambda question, _: good(question)) as service:

        def dying(question: str, _: int) -> Reply:
            if service.answered.total() >= 4:
                return Reply(cut_at=0)
            return good(question)

        with llm_server(dying) as dead:
            service = dead
            done = ask(clips, dead, "-j", "1", "--retries", "0")
        assert done.returncode == 3, done.stderr
        assert "5 calls in a row failed; 1 of 10 queries were not written" in done.stderr
        assert done.stderr.count("no connection") == 5
        assert len(rows(clips.parent / "uiq.jsonl")) == 4
        paid = rows(clips.parent / "uiq.jsonl.answers.jsonl")
        assert len(paid) == 4

    with llm_server(lambda question, _: good(question), dead.address) as alive:
        done = ask(clips, alive)
        assert done.returncode == 0, done.stderr
        assert alive.asked.total() == 6, "what was paid for is not asked again"


def test_a_refused_key_stops_at_once(clips: Path) -> None:
    with llm_server(lambda *_: Reply("wrong key", status=401)) as service:
        done = ask(clips, service, "-j", "1")
        assert service.asked.total() == 1
    assert done.returncode == 1
    assert "wrong key" in done.stderr and "9 of 10 queries were not written" in done.stderr
    assert not (clips.parent / "uiq.jsonl").exists()


def test_no_more_calls_at_a_time_than_asked_for(clips: Path) -> None:
    with llm_server(lambda q, _: Reply(good(q).text, seconds=0.05)) as service:
        assert ask(clips, service, "-j", "3").returncode == 0
    assert max(service.busiest) == 3


def test_max_cost_is_not_exceeded_and_nothing_is_lost(clips: Path) -> None:
    prices = ["--price-in", "10", "--price-out", "100"]  # a call: 0.002 in fact, 0.054 at most
    with llm_server(lambda question, _: good(question)) as service:
        done = ask(clips, service, *prices, "--max-cost", "0.06", "-j", "1")
        assert done.returncode == 3, done.stderr
        paid = service.asked.total()
        assert 0 < paid < 10 and paid * 0.002 <= 0.06
        assert (
            f"--max-cost 0.06 is reached; {10 - paid} of 10 queries were not written" in done.stderr
        )
        done = ask(clips, service, *prices, "--max-cost", "1")
        assert done.returncode == 0 and service.asked.total() == 10
    unpriced = run(["gen-queries", clips, "--max-cost", "1"])
    assert unpriced.returncode == 2 and "--price-in" in unpriced.stderr


def test_max_cost_counts_the_calls_under_way(clips: Path) -> None:
    """Of ten workers one may ask at a time, as long as two calls may cost more than is left."""
    prices = ["--price-in", "10", "--price-out", "100"]  # a call: 0.002 in fact, 0.054 at most
    with llm_server(lambda q, _: Reply(good(q).text, seconds=0.05)) as service:
        done = ask(clips, service, *prices, "--max-cost", "0.07", "-j", "10")
        assert done.returncode == 0, done.stderr
    assert max(service.busiest) == 1


def test_dry_run_asks_nothing_and_knows_what_is_at_hand(clips: Path) -> None:
    prices = ["--price-in", "1", "--price-out", "2"]
    with llm_server(lambda question, _: good(question)) as service:
        output = ["--dry-run", "-f", "json", "-o", "-", "--answers", str(clips.parent / "a.jsonl")]
        before = json.loads(ask(clips, service, *prices, *output).stdout)
        assert service.asked.total() == 0
        ask(clips, service, "--limit", "4", "--answers", str(clips.parent / "a.jsonl"))
        after = json.loads(ask(clips, service, *prices, *output).stdout)
        assert service.asked.total() == 4
    assert before["calls"] == 10 and after["calls"] == 6 and after["answers_at_hand"] == 4
    assert before["tokens_in"] > 1000 and before["tokens_out"] == 250
    expected = (before["tokens_in"] + 2 * 250) / 1e6
    assert before["cost"] == pytest.approx(expected, abs=1e-6)


def start(clips: Path, service: Service) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "oea_cli", "gen-queries", clips, "-t", "imperative", "--llm",
               service.address, "--llm-model", "m", "-j", "2",
               "-o", clips.parent / "uiq.jsonl"]  # fmt: skip
    return subprocess.Popen(
        [str(word) for word in command], env=clean_environment(), stderr=subprocess.PIPE, text=True
    )


def wait_for(service: Service, answers: int) -> None:
    end = time.monotonic() + 30
    while service.answered.total() < answers:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_paid_twice_after_a_kill(clips: Path, how: signal.Signals) -> None:
    with llm_server(lambda q, _: Reply(good(q).text, seconds=0.15)) as service:
        process = start(clips, service)
        wait_for(service, 4)
        time.sleep(0.05)  # those that are answered are on disk within this time
        process.send_signal(how)
        error = process.communicate(timeout=20)[1]
        if how is signal.SIGINT:
            assert process.returncode == 130, error
            assert "waiting for" in error and "interrupted" in error
        at_hand = len(rows(clips.parent / "uiq.jsonl.answers.jsonl"))
        assert 4 <= at_hand < 10
        before = service.asked.total()
        done = ask(clips, service)
        assert done.returncode == 0, done.stderr
        assert service.asked.total() == before + 10 - at_hand
        if how is signal.SIGINT:  # what was under way has been waited for
            assert set(service.asked.values()) == {1}
    assert len(rows(clips.parent / "uiq.jsonl")) == 10


def test_writers_can_be_mixed_and_each_row_says_which(clips: Path) -> None:
    with llm_server(lambda question, _: good(question)) as service:
        done = ask(clips, service, "--llm", "rules")
        assert done.returncode == 0, done.stderr
        made = rows(clips.parent / "uiq.jsonl")
        assert {row["source_model"] for row in made} == {"rules", "m"}
        assert service.asked.total() == sum(row["source_model"] == "m" for row in made)
        assert len(made) == 10


def test_a_server_needs_a_model(clips: Path) -> None:
    done = run(["gen-queries", clips, "--llm", "http://127.0.0.1:9/v1"])
    assert done.returncode == 2 and "--llm-model" in done.stderr
    done = run(["gen-queries", clips, "--llm", "gpt"])
    assert done.returncode == 2 and "http://HOST/v1 or hf:ID" in done.stderr


def test_nothing_is_asked_where_answers_cannot_be_kept(clips: Path) -> None:
    with llm_server(lambda question, _: good(question)) as service:
        done = ask(clips, service, "--answers", str(clips.parent / "no" / "answers.jsonl"))
        assert done.returncode == 1 and "answers.jsonl: there is no folder" in done.stderr
        assert service.asked.total() == 0
