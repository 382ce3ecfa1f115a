"""What every verb promises: help with examples, one-line errors, exit codes, clean stdout."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from oea_cli.main import VERBS as VERBS_OF_MAIN
from oea_cli.main import read_verb
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment, verbs

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
    examples = done.stdout.partition("Examples:")[2].partition("\n\n")[0]
    assert f"oea {verb}" in examples, "help has an Examples block that shows the verb"
    assert 2 <= len(examples.strip().splitlines()) <= 3
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@cache
def panels_of(verb: str) -> dict[str, list[str]]:
    """The panels of a verb's help, each with its options and arguments: names and their help."""
    page = run([*verb.split(), "--help"]).stdout
    sections = re.findall(r"^(\S[^\n]*):\n((?:  [^\n]*\n)+)", page, re.MULTILINE)
    return {title: re.split(r"\n(?=  \S)", rows.strip("\n")) for title, rows in sections}


@pytest.mark.parametrize("verb", VERBS)
def test_every_long_option_has_help(verb: str) -> None:
    entries = [entry for entries in panels_of(verb).values() for entry in entries]
    assert any("--help" in entry for entry in entries)
    for entry in entries:
        words = re.split(r"\s{2,}", entry.strip())
        assert len(words) > 1, f"oea {verb}: no help for {words[0]}"


@pytest.mark.parametrize("verb", VERBS)
def test_help_stands_in_panels_and_what_is_rare_is_last(verb: str) -> None:
    panels = panels_of(verb)
    assert {"What goes in", "What comes out"} & set(panels)
    assert "When something fails" in panels and "Options" not in panels
    assert "Rarely needed" not in list(panels)[:-1]
    assert max(len(entries) for title, entries in panels.items() if title != "Rarely needed") <= 7


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_names_its_panel(verb: str) -> None:
    for parameter in read_verb(verb).params:
        assert parameter.rich_help_panel, parameter.name


@pytest.mark.parametrize("verb", VERBS)
def test_the_summary_of_a_verb_is_the_same_in_both_helps(verb: str) -> None:
    summary = VERBS_OF_MAIN[verb][1]
    assert read_verb(verb).help.partition("\n")[0] == summary
    group = run([*verb.split()[:-1], "--help"]).stdout
    assert re.search(rf"^  {verb.split()[-1]} +{re.escape(summary)}$", group, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_unknown_option_is_wrong_usage(verb: str) -> None:
    done = run([*verb.split(), "--no-such-option"])
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
def test_missing_file_is_one_line_that_names_it(verb: str, tmp_path: Path) -> None:
    done = run(MISSING[verb], cwd=tmp_path)
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


@pytest.mark.parametrize("verb", sorted(EMPTY))
def test_empty_input_is_a_failure_unless_allowed(verb: str, tmp_path: Path) -> None:
    done = run(EMPTY[verb], input="", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    allowed = run([*EMPTY[verb], "--allow-empty"], input="", cwd=tmp_path)
    assert allowed.returncode == 0, allowed.stderr


def test_version(oea: Run) -> None:
    from oea_cli import __version__

    assert oea(["--version"]).stdout == f"oea {__version__}\n"


def test_error_shows_its_traceback_with_v_only(oea: Run, tmp_path: Path) -> None:
    quiet = oea(["search", "rain", "-i", "no-such.oea"], cwd=tmp_path)
    loud = oea(["search", "rain", "-i", "no-such.oea", "-v"], cwd=tmp_path)
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr and loud.returncode == 1


def test_no_help_imports_what_is_heavy() -> None:
    code = (
        "import sys\nfrom oea_cli.main import VERBS, app\n"
        "for verb in ['', *VERBS]:\n"
        "    try:\n        app([*verb.split(), '--help'], prog_name='oea')\n"
        "    except SystemExit:\n        pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean_environment()
    )
    loaded = set(ast.literal_eval(done.stderr.splitlines()[-1]))
    assert not loaded & {"numpy", "torch", "rich", "polars", "yaml", "orjson"}
    assert done.stdout.count("Usage: oea") == len(VERBS) + 1
