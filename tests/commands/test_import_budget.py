"""How much is imported before there is work: little for `--help`, and for what is misspelt."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from oea_cli.main import VERBS
from tests.conftest import clean_environment

HEAVY = {"numpy", "polars", "torch", "transformers", "usearch", "soundfile", "soxr", "scipy"}
HEAVY |= {"onnxruntime", "tokenizers", "safetensors", "yaml", "rich", "huggingface_hub"}
BUDGET = {"--help": 300, "--nope": 300, "wrong": 350}
"""Modules in all, of which Typer and pydantic are 260."""
WRONG = {
    "embed": [
        ["x.wav", "-o", "x.foo"],
        ["x", "--shard", "9/2", "-o", "x.npy"],
        ["--text", "--files-from", "a", "-o", "x.npy"],
        ["x", "-b", "0", "-o", "x.npy"],
        ["x", "--channel", "up", "-o", "x.npy"],
        ["x", "-o", ""],
    ],
    "index": [["--append", "--info"], ["-o", "-"], ["a", "b", "--info"]],
    "search": [
        [],
        ["x", "--audio", "y"],
        ["x", "-0", "-f", "json"],
        ["x", "--where", "duration <"],
        ["--queries", "q", "--play"],
        ["x", "--channel", "up"],
    ],
    "eval": [
        ["--set", "a=1"],
        ["r.yaml", "--queries", "q"],
        ["-o", "x.foo"],
        ["--report", "x.foo"],
    ],
    "mine-negatives": [["-", "--verdicts", "-"], ["x", "--for", "train", "--qrels", "q"]],
    "gen-queries": [["x", "--check", "--llm", "rules"]],
    "train": [[], ["r.yaml", "--plot", "x"]],
    "review": [[], ["x"], ["x", "-f", "json"], ["x", "--summary", "-o", "y"]],
    "demo": [[], ["x", "--scenes", "0"]],
    "models list": [["x"], ["-f", "xml"]],
    "models info": [[]],
    "models convert": [[], ["x"]],
    "models export": [["mini"], ["mini", "-o", "x", "-f", "xml"]],
    "models bench": [["mini", "-b", "x"]],
    "models check": [["mini", "--dtype", "half"]],
}
"""What is refused without a look at any file."""
CLIP = {"id": "a", "path": "a.wav", "captions": ["a dog barks at the rain"]}
LIGHT = {
    ("--describe",): 330,
    ("help", "models", "convert"): 300,
    ("models", "list"): 320,
    ("models", "info", "mini"): 320,
    ("eval", "--list-metrics"): 310,
    ("train", "--explain"): 310,
    ("demo", "sounds", "--scenes", "2"): 310,
    ("gen-queries", "clips.jsonl"): 400,
    ("gen-queries", "clips.jsonl", "--dry-run"): 400,
}
"""Work that needs nothing heavy, and the modules that it may import."""
RUN = ("eval", "--run", "run.txt", "--qrels", "qrels.txt", "-f", "json")
CASES = [
    *((verb, (option,)) for verb in VERBS for option in ("--help", "--nope")),
    *((verb, tuple(words)) for verb, lists in WRONG.items() for words in lists),
]
ONE_BY_ONE = """
import json, os, sys
import oea_cli.main
from contextlib import redirect_stderr, suppress
with suppress(SystemExit), redirect_stderr(open(os.devnull, "w")):
    oea_cli.main.app(["demo", "x", "--scenes", "0"], prog_name="oea")  # pydantic, for all of them
for words in json.load(sys.stdin):
    heard, told = os.pipe()
    if not os.fork():
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        try:
            oea_cli.main.app(words, prog_name="oea")
        except SystemExit as end:
            os.write(told, json.dumps([end.code, sorted(sys.modules)]).encode())
        os._exit(0)
    os.close(told)
    with open(heard, "rb") as stream:
        print(stream.read().decode())
    os.wait()
"""


Words = tuple[str, ...]


@cache
def imported() -> dict[Words, tuple[int, list[str]]]:
    """The exit code and the modules of each case, each in a process that has done nothing else."""
    commands = [*((*verb.split(), *words) for verb, words in CASES), *LIGHT, RUN]
    with TemporaryDirectory() as folder:
        Path(folder, "clips.jsonl").write_text(json.dumps(CLIP))
        Path(folder, "run.txt").write_text("q Q0 a 1 0.9 t\n")
        Path(folder, "qrels.txt").write_text("q 0 a 1\n")
        done = subprocess.run(
            [sys.executable, "-c", ONE_BY_ONE],
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            cwd=folder,
            env=clean_environment(),
            check=True,
        )
    return dict(zip(commands, map(json.loads, done.stdout.splitlines()), strict=True))


def heavy(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} & HEAVY


def test_every_verb_has_its_cases() -> None:
    assert set(WRONG) == set(VERBS)


@pytest.mark.parametrize(("verb", "words"), CASES, ids=lambda value: " ".join(value) or "alone")
def test_little_is_imported_before_there_is_work(verb: str, words: tuple[str, ...]) -> None:
    code, modules = imported()[(*verb.split(), *words)]
    assert code == (0 if words == ("--help",) else 2)
    assert not heavy(modules)
    limit = BUDGET[words[0]] if words and words[0] in BUDGET else BUDGET["wrong"]
    assert len(modules) <= limit, sorted(modules)


@pytest.mark.parametrize("words", LIGHT, ids=" ".join)
def test_light_work_imports_nothing_heavy(words: Words) -> None:
    code, modules = imported()[words]
    assert code == 0 and not heavy(modules)
    assert len(modules) <= LIGHT[words], sorted(modules)


def test_a_run_is_measured_with_numpy_alone() -> None:
    code, modules = imported()[RUN]
    assert code == 0 and heavy(modules) == {"numpy"}
    assert not {"ssl", "http.client", "urllib.request"} & set(modules), "nothing is fetched"
    assert len(modules) <= 500, sorted(modules)
