"""What every verb promises: help with examples, one-line errors, exit codes, clean stdout."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Completed, verbs

VERBS = verbs()
Run = Callable[..., Completed]


def test_the_verbs_are_those_of_the_design() -> None:
    assert {"embed", "index", "search", "eval", "train", "review", "demo"} <= set(VERBS)
    assert {"embed", "index", "search", "eval", "train", "mine-negatives", "demo"} <= set(VERBS)
    assert {"embed", "index", "search", "eval", "train", "gen-queries", "demo"} <= set(VERBS)


def test_bare_oea_shows_help(oea: Run) -> None:
    done = oea([])
    assert "Usage: oea" in done.stdout + done.stderr
    assert done.returncode in (0, 2)


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_a_summary_and_examples(oea: Run, verb: str) -> None:
    done = oea([*verb.split(), "--help"])
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"Usage: oea {verb}")
    assert oea([*verb.split(), "-h"]).stdout == done.stdout
    examples = done.stdout.partition("Examples:")[2].partition("Options:")[0]
    assert f"oea {verb}" in examples, "help has an Examples block that shows the verb"
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("verb", VERBS)
def test_every_long_option_has_help(oea: Run, verb: str) -> None:
    options = oea([*verb.split(), "--help"]).stdout.partition("Options:")[2]
    entries = re.split(r"\n(?=  -)", options.strip("\n"))
    for entry in entries:
        words = re.split(r"\s{2,}", entry.strip())
        assert len(words) > 1, f"oea {verb}: no help for {words[0]}"


@pytest.mark.parametrize("verb", VERBS)
def test_unknown_option_is_wrong_usage(oea: Run, verb: str) -> None:
    done = oea([*verb.split(), "--no-such-option"])
    assert done.returncode == 2
    assert done.stdout == "" and "--no-such-option" in done.stderr
    assert "Traceback" not in done.stderr


MISSING = {
    "embed": ["embed", "no/such/place"],
    "index": ["index", "no-such.npy", "-o", "x.oea"],
    "search": ["search", "rain", "-i", "no-such.oea"],
    "eval": ["eval", "--run", "no-such.trec", "--qrels", "no-such.txt"],
    "gen-queries": ["gen-queries", "no-such.jsonl"],
    "models info": ["models", "info", "no/such/place"],
    "models convert": ["models", "convert", "no-such.pt", "-o", "x"],
    "models check": ["models", "check", "no-such-encoder"],
    "models export": ["models", "export", "no-such-encoder", "-o", "x"],
    "train": ["train", "no-such.yaml", "-o", "x"],
    "review": ["review", "no-such.jsonl", "-o", "verdicts.jsonl"],
    "mine-negatives": ["mine-negatives", "no-such.npy"],
}


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb in MISSING])
def test_missing_file_is_one_line_that_names_it(oea: Run, verb: str, tmp_path: Path) -> None:
    done = oea(MISSING[verb], cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"oea {verb}: ")
    assert "no" in lines[0] and ("no-such" in lines[0] or "no/such" in lines[0])
    assert not list(tmp_path.iterdir()), "nothing is left behind"


EMPTY = {
    "embed": ["embed", "-"],
    "index": ["index", "-", "-o", "x.oea"],
    "review": ["review", "-", "-o", "verdicts.jsonl"],
    "mine-negatives": ["mine-negatives", "-", "-o", "pairs.jsonl"],
    "gen-queries": ["gen-queries", "-"],
}


LOADS_TWO_MODELS = {"mine-negatives"}


@pytest.mark.parametrize(
    "verb",
    [
        pytest.param(verb, marks=[pytest.mark.slow] if verb in LOADS_TWO_MODELS else [])
        for verb in sorted(EMPTY)
    ],
)
def test_empty_input_is_a_failure_unless_allowed(oea: Run, verb: str, tmp_path: Path) -> None:
    done = oea(EMPTY[verb], input="", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    allowed = oea([*EMPTY[verb], "--allow-empty"], input="", cwd=tmp_path)
    assert allowed.returncode == 0, allowed.stderr


def test_version(oea: Run) -> None:
    from oea_cli import __version__

    assert oea(["--version"]).stdout == f"oea {__version__}\n"


def test_error_shows_its_traceback_with_v_only(oea: Run, tmp_path: Path) -> None:
    quiet = oea(["search", "rain", "-i", "no-such.oea"], cwd=tmp_path)
    loud = oea(["search", "rain", "-i", "no-such.oea", "-v"], cwd=tmp_path)
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr and loud.returncode == 1
