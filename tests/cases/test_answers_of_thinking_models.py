"""Models that think first, wrap their answers or say nothing; and two servers with one model."""

import json
from pathlib import Path
from typing import Any

import pytest

from oea_cli.query_generation.models.answers import Answer, AnswerFile, key_of
from oea_cli.query_generation.models.writers import plain_text
from tests.commands.in_process import run
from tests.conftest import Completed
from tests.query_generation.llm_server import Reply, llm_server

pytest.importorskip("openai")

GOOD = "Is there steady rain falling on a metal roof?"
THOUGHT = "The user wants a question about rain.\n\nKeep it short.\n"
CLIP = {"id": "r1", "path": "r1.wav", "captions": ["steady rain falling on a metal roof"]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clips.jsonl").write_text(json.dumps(CLIP) + "\n")


def ask(*servers: str, more: tuple[str, ...] = ()) -> Completed:
    named = [word for server in servers for word in ("--llm", server, "--llm-model", "m")]
    return run(
        ["gen-queries", "clips.jsonl", "-t", "question", *named, "--answers", "a.jsonl", *more],
        env={"OEA_LLM_KEY": "x"},
    )


FORMS = [
    GOOD,
    f"<think>\n{THOUGHT}</think>\n\n{GOOD}",
    f"{THOUGHT}</think>\n{GOOD}",  # the template opened the thoughts
    f"<thinking>{THOUGHT}</thinking>{GOOD}",
    f"```\n{GOOD}\n```",
    f"```text\n{GOOD}\n```\n",
    f"<think></think>\n```\n{GOOD}\n```",
    f"\u201c{GOOD}\u201d",
    f"**{GOOD}**",
    f'**"{GOOD}"**',
    f"Query: {GOOD}",
    json.dumps({"query": GOOD}),
    f"```json\n{json.dumps({'query': GOOD})}\n```",
]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_around_an_answer_is_left_out(form: str) -> None:
    assert plain_text(form) == GOOD


@pytest.mark.parametrize(
    "text",
    ["a {b} c", '"Rain" and "hail"', "{not json}", '{"a": "b", "c": "d"}', "5 < 6", "'n' roll"],
)
def test_other_texts_stay(text: str) -> None:
    assert plain_text(f" {text}\n") == text


@pytest.mark.parametrize("form", FORMS[1:7:4])
def test_a_wrapped_answer_is_accepted_at_once(form: str) -> None:
    with llm_server(lambda question, count: Reply(form)) as service:
        done = ask(service.address)
        assert service.asked.total() == 1
    assert json.loads(done.stdout)["generated_query"] == GOOD
    assert json.loads(Path("a.jsonl").read_text())["text"] == GOOD


def body(message: dict[str, Any], finish_reason: str = "stop") -> bytes:
    choice = {"index": 0, "finish_reason": finish_reason, "message": message}
    usage = {"prompt_tokens": 100, "completion_tokens": 500, "total_tokens": 600}
    whole = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "usage": usage}
    return json.dumps({**whole, "choices": [choice]}).encode()


@pytest.mark.parametrize(
    ("message", "finish_reason", "says"),
    [
        ({"content": None, "reasoning_content": "hm"}, "stop", "the model only thought"),
        ({"content": None, "reasoning": "hm"}, "stop", "the model only thought"),
        ({"content": "<think>\nThe user wants"}, "length", "its 500 tokens went into thinking"),
        ({"content": "<think>\nThe user wants"}, "stop", "the model only thought"),
        ({"content": ""}, "stop", "the answer is empty"),
        ({"content": " \n"}, "stop", "the answer is empty"),
        ({"content": None}, "stop", "the answer is empty"),
    ],
)
def test_an_empty_answer_is_named_and_asked_once(
    message: dict[str, Any], finish_reason: str, says: str
) -> None:
    content = body({"role": "assistant", **message}, finish_reason)
    with llm_server(lambda question, count: Reply(body=content)) as service:
        done = ask(service.address, more=("--price-in", "1000", "--price-out", "1000"))
        assert service.asked.total() == 1
    assert done.returncode in (1, 3)
    (line,) = [line for line in done.stderr.splitlines() if "clips.jsonl:1" in line]
    assert "the answer is empty" in line and says in line
    # It is paid for all the same.
    assert "1 answer requested" in done.stderr and "cost 0.6000" in done.stderr


def test_two_servers_do_not_share_answers() -> None:
    names = ["rain", "hail", "snow", "wind", "fire", "water", "ice", "sand"]
    clips = [{"id": n, "captions": [f"steady {n} falling on a metal roof"]} for n in names]
    Path("clips.jsonl").write_text("".join(json.dumps(clip) + "\n" for clip in clips))

    def answer(question: str, _: int) -> Reply:
        name = next(name for name in names if f"steady {name}" in question)
        return Reply(f"Is there steady {name} falling on a metal roof?")

    with llm_server(answer) as one, llm_server(answer) as other:
        assert ask(one.address).returncode == 0 and one.asked.total() == 8
        assert ask(other.address).returncode == 0 and other.asked.total() == 8
        # Both at once: each has its share, and its own answers at hand.
        done = ask(one.address, other.address)
        assert done.returncode == 0 and "0 answers requested, 8 reused" in done.stderr
        Path("a.jsonl").unlink()
        ask(one.address, other.address)
        assert 8 < one.asked.total() < 16 and one.asked.total() + other.asked.total() == 24
    rows = [json.loads(line) for line in Path("a.jsonl").read_text().splitlines()]
    assert {row["server"] for row in rows} == {one.address, other.address}


def test_answers_of_earlier_versions_are_read() -> None:
    """They say nothing of their server, and may hold the thoughts."""
    with llm_server(lambda question, count: Reply(GOOD)) as service:
        ask(service.address)
        request = service.bodies[0]
        Path("a.jsonl").unlink()
        older = AnswerFile(Path("a.jsonl"))
        text = f"<think>\n{THOUGHT}</think>\n\n{GOOD}"
        older.add(key_of("question/r1", "question", request), Answer(text, 1, 1), {})
        older.close()
        done = ask(service.address)
        assert service.asked.total() == 1
    assert json.loads(done.stdout)["generated_query"] == GOOD
