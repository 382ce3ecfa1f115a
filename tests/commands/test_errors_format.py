"""`--errors-format json`: whatever stderr says is one JSON object a line, with the same keys."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oea_cli.commands.console.messages import Message, as_object, item_of, reason_and_hint
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment, verbs

KEYS = ["level", "verb", "code", "item", "reason", "hint"]
AS_JSON = ["--errors-format", "json"]
Run = Callable[..., Completed]


def said(done: Completed) -> list[dict[str, Any]]:
    """The objects on stderr; every line is one, with these keys in this order."""
    objects = [json.loads(line) for line in done.stderr.splitlines()]
    assert all(list(one)[:6] == KEYS and set(one) <= {*KEYS, "details"} for one in objects)
    return objects


def only(done: Completed) -> dict[str, Any]:
    (one,) = said(done)
    return one


def test_an_error_is_one_object(tmp_path: Path) -> None:
    done = run(["search", "rain", "-i", "none.oea", *AS_JSON], cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert only(done) == {
        "level": "error",
        "verb": "search",
        "code": 1,
        "item": "none.oea",
        "reason": "no such index",
        "hint": "build one with `oea embed ./wavs | oea index -o NAME.oea`",
    }


@pytest.mark.parametrize("verb", verbs())
@pytest.mark.parametrize("words", [["--nope"], ["--format=json", "--nope"]], ids=len)
def test_wrong_usage_of_every_verb_is_one(verb: str, words: list[str]) -> None:
    for form in (AS_JSON, ["--errors-format=json"]):
        done = run([*verb.split(), *words, *form])
        one = only(done)
        assert done.returncode == one["code"] == 2 and one["level"] == "error"
        assert one["verb"] == verb and one["item"] is None
        assert one["reason"].startswith("there is no option --")


WRONG: list[tuple[list[str], str | None, str, str | None]] = [
    (["serch"], None, "there is no verb 'serch'", "did you mean search?"),
    (["models", "exprt"], "models", "there is no verb 'exprt'", "did you mean export?"),
    ([], None, "no verb is given", "`oea -h` shows what there is"),
    (["demo"], "demo", "DIR is missing", "`oea demo -h` shows what there is"),
    (
        ["search", "x", "--top-k", "0"],
        "search",
        "--top-k must be a whole number of 1 or more; got '0'",
        None,
    ),
    (
        ["eval", "--set", "a=1"],
        "eval",
        "--set replaces a recipe's value",
        "name the recipe: oea eval RECIPE",
    ),
]


@pytest.mark.parametrize(("words", "verb", "reason", "hint"), WRONG, ids=lambda value: str(value))
def test_wrong_usage_says_what_to_do(
    words: list[str], verb: str | None, reason: str, hint: str | None
) -> None:
    done = run(words, env={"OEA_ERRORS_FORMAT": "json"})
    one = only(done)
    assert done.returncode == one["code"] == 2
    assert [one[key] for key in KEYS[1:]] == [verb, 2, None, reason, hint]


def test_a_flag_goes_before_the_variable(tmp_path: Path) -> None:
    words = ["search", "rain", "-i", "none.oea"]
    in_words = run([*words, "--errors-format", "text"], env={"OEA_ERRORS_FORMAT": "json"})
    assert in_words.stderr.startswith("oea search: none.oea: ")
    wrong = run([*words, "--errors-format", "xml"])
    assert wrong.stderr == "oea search: --errors-format must be text or json; got 'xml'\n"
    variable = run(words, env={"OEA_ERRORS_FORMAT": "xml"})
    assert variable.stderr == "oea search: OEA_ERRORS_FORMAT must be text or json; got 'xml'\n"


def test_a_value_is_named_with_its_variable() -> None:
    environment = {"OEA_BATCH_SIZE": "0", "OEA_ERRORS_FORMAT": "json"}
    one = only(run(["embed", "x", "-o", "x.npy"], env=environment))
    wrong = "--batch-size must be auto or a number of 1 or more; got '0'"
    assert one["reason"] == f"{wrong} (from OEA_BATCH_SIZE)" and one["hint"] is None


def test_failed_inputs_and_the_end_are_told_apart(
    tmp_path: Path, tiny_encoder: Path, tone: Callable[..., Path]
) -> None:
    tone(tmp_path / "good.wav")
    names = ["no; sound: 1.wav", "two.wav"]
    for name in names:
        (tmp_path / name).write_bytes(b"no sound")
    words = ["embed", "good.wav", *names, "-m", tiny_encoder, "-o", "x.npy", "--errors", "e.jsonl"]
    done = run([*words, *AS_JSON], cwd=tmp_path)
    *failures, summary, end = said(done)
    assert done.returncode == 3
    assert [one["item"] for one in failures] == names
    assert {(one["level"], one["code"]) for one in failures} == {("failure", 3)}
    assert (summary["level"], summary["code"]) == ("notice", 0)
    assert (end["level"], end["code"], end["item"]) == ("error", 3, None)
    assert end["reason"] == "2 of 3 inputs failed, 1 done"
    rows = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [row["where"] for row in rows] == names, "the file is what it always was"
    assert [row["error"] for row in rows] == [one["reason"] for one in failures]


def test_all_that_is_wrong_in_a_recipe_is_one_object(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("nme: x\nstages: 3\n")
    done = run(["train", "r.yaml", "-o", "x", *AS_JSON], cwd=tmp_path)
    one = only(done)
    assert one["item"] == "r.yaml" and one["code"] == done.returncode == 2
    assert len(one["details"]) > 1 and any("nme" in detail for detail in one["details"])


def test_gates_are_told_with_the_exit_code_that_they_cause(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("q Q0 a 1 0.9 t\n")
    (tmp_path / "qrels.txt").write_text("q 0 a 1\n")
    words = ["eval", "--run", "run.txt", "--qrels", "qrels.txt", "-M", "mrr", "-q", *AS_JSON]
    met = run([*words, "--fail-under", "mrr=0.5"], cwd=tmp_path)
    assert (only(met)["level"], only(met)["code"], met.returncode) == ("notice", 0, 0)
    (tmp_path / "qrels.txt").write_text("q 0 b 1\n")
    missed = run([*words, "--fail-under", "mrr=0.5", "--gate-exit-code", "9"], cwd=tmp_path)
    assert (only(missed)["level"], only(missed)["code"], missed.returncode) == ("error", 9, 9)


def test_notices_are_objects_too(tmp_path: Path) -> None:
    done = run(["demo", "d", "--scenes", "2", *AS_JSON], cwd=tmp_path)
    first, *rest = said(done)
    assert first["reason"].startswith("2 scenes (") and rest
    assert {(one["level"], one["verb"], one["code"]) for one in [first, *rest]} == {
        ("notice", "demo", 0)
    }


def test_a_traceback_stays_one_to_read(tmp_path: Path) -> None:
    done = run(["search", "rain", "-i", "none.oea", "-v", *AS_JSON], cwd=tmp_path)
    *trace, last = done.stderr.splitlines()
    assert trace[0] == "Traceback (most recent call last):"
    assert not any(line.startswith("{") for line in trace)
    assert json.loads(last)["item"] == "none.oea"


def test_no_key_gets_into_it(tmp_path: Path) -> None:
    environment = {"OEA_API_KEY": "sk-a-secret-of-ours", "OEA_ERRORS_FORMAT": "json"}
    done = run(["embed", "sk-a-secret-of-ours.wav", "-o", "x.npy"], env=environment, cwd=tmp_path)
    assert "sk-a-secret" not in done.stderr and only(done)["item"] == "***.wav"


def test_no_encoding_loses_any_of_it(oea: Run, tmp_path: Path) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "OEA_ERRORS_FORMAT": "json"}
    done = oea(["train", "é\n雨.yaml", "-o", "x"], env=environment, cwd=tmp_path)
    assert only(done)["item"] == "é\n雨.yaml" and done.stderr.isascii()


def test_an_interrupt_is_an_object(oea: Run, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\nfrom oea_cli.main import app\n"
        "import oea_cli.commands.eval as verb\n"
        "verb._list_metrics = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        "app(['eval', '--list-metrics', '--errors-format', 'json'], prog_name='oea')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean_environment()
    )
    one = only(done)
    assert done.returncode == one["code"] == 130
    assert (one["level"], one["verb"], one["reason"]) == ("error", "eval", "interrupted")


SPLIT = [
    ("it ends; do it again", ("it ends", "do it again")),
    ("it must be a; got 'x; y'", ("it must be a; got 'x; y'", None)),
    (
        "no queries in it (--allow-empty permits that)",
        ("no queries in it", "--allow-empty permits"),
    ),
    ("RuntimeError: x (-v shows where)", ("RuntimeError: x", "-v shows where")),
    ("one (the base; if moved, say so)", ("one (the base; if moved, say so)", None)),
    ("one (a; b); c", ("one (a; b)", "c")),
    ("one) is odd; c", ("one) is odd", "c")),
    ("plain", ("plain", None)),
]


@pytest.mark.parametrize(("text", "parts"), SPLIT, ids=[text for text, _ in SPLIT])
def test_reason_and_hint(text: str, parts: tuple[str, str | None]) -> None:
    reason, hint = reason_and_hint(text)
    assert reason == parts[0] and (hint or "").startswith(parts[1] or "")
    assert (hint is None) is (parts[1] is None)


ITEMS = [
    ("a b.wav: damaged", ["embed", "a b.wav"], "a b.wav"),
    ("a b.jsonl:12: no text", ["embed", "a b.jsonl"], "a b.jsonl:12"),
    ("a: b.wav: damaged", ["embed", "a: b.wav"], "a: b.wav"),
    ("clips.jsonl:3: no text", ["embed"], "clips.jsonl:3"),
    ("stdin:3: no text", ["embed", "-"], "stdin:3"),
    ("sub/rain.wav: damaged", ["embed", "."], "sub/rain.wav"),
    ("mini: does not", ["embed", "-m", "mini"], "mini"),
    ("x.oea: no such index", ["search", "--index=x.oea"], "x.oea"),
    ("--errors x.jsonl: is an input", ["embed", "x.jsonl"], "x.jsonl"),
    ("audio-to-text: leave --queries out", ["eval"], None),
    ("RuntimeError: it ends", ["embed"], None),
    ("--where: no record has 'x'", ["search"], None),
    ("port 80: is in use", ["review"], None),
    ("plain", ["embed"], None),
]


@pytest.mark.parametrize(("text", "words", "item"), ITEMS, ids=[text for text, _, _ in ITEMS])
def test_the_item_is_what_the_message_names_first(
    text: str, words: list[str], item: str | None
) -> None:
    assert item_of(text, words) == item


def test_what_a_room_below_logs_is_an_object_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oea_cli.commands import models_list

    def listed(*_: object) -> None:
        logging.getLogger("oea_cli.encoder.released").warning("oea-x: 9 GB; read its licence")
        logging.getLogger("somebody.else").warning("noise")

    monkeypatch.setattr(models_list, "show", listed)
    told = said(run(["models", "list", *AS_JSON]))
    assert {one["item"] for one in told} == {None} and told[0]["hint"] == "read its licence"
    assert run(["models", "list"]).stderr.splitlines()[0] == "oea-x: 9 GB; read its licence"


def test_an_interrupt_of_an_import_names_no_program() -> None:
    said_at_once = as_object(Message("oea: interrupted", level="error", code=130, is_whole=True))
    assert json.loads(said_at_once)["reason"] == "interrupted"
