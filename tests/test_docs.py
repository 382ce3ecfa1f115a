"""The README cannot drift: its help blocks are live, its commands exist, its files are there."""

import re

import pytest

from tests.conftest import REPOSITORY, verbs
from tests.readme_help import BLOCK, live_help

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
VERBS = verbs()


@pytest.mark.parametrize("verb", VERBS)
def test_help_block_equals_live_help(verb: str) -> None:
    blocks = {match["verb"]: match["help"] for match in BLOCK.finditer(README)}
    assert blocks.get(verb) == live_help(verb), "run `make docs`"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_stands_in_the_table_and_in_an_example(verb: str) -> None:
    assert re.search(rf"^\| \[?`oea {verb.split()[0]}`", README, re.MULTILINE)
    examples = "".join(p.read_text() for p in (REPOSITORY / "shell_examples").glob("*.sh"))
    assert f"oea {verb.split()[0]}" in examples


def test_files_named_in_the_file_map_exist() -> None:
    rows = README.partition("## Where things are")[2].partition("\n## ")[0]
    places = [row.split("|")[1] for row in rows.splitlines() if row.startswith("| `")]
    names = [name for place in places for name in re.findall(r"`([^`]+)`", place)]
    assert len(names) > 10
    for name in names:
        assert (REPOSITORY / name.rstrip("/")).exists(), name


def test_every_module_is_in_the_file_map() -> None:
    rows = README.partition("## Where things are")[2].partition("\n## ")[0]
    for path in (REPOSITORY / "oea_cli").iterdir():
        if path.name.startswith("__"):
            continue
        assert f"`oea_cli/{path.name}" in rows, f"{path.name} is missing from the file map"


def test_options_named_in_the_readme_exist() -> None:
    known = "".join(live_help(verb) for verb in VERBS)
    prose = README[: README.find("<!-- help:")]
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose)):
        assert option in known or option in {"--help", "--version", "--editable"}, option


def test_no_machine_paths_or_registry_addresses() -> None:
    wrong = re.compile("/" + "(?:work|root|farm)/|pypi" + r"\.org|files\.pythonhosted")
    for path in REPOSITORY.rglob("*"):
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".sh", ".txt"} and path.is_file():
            if {".venv", ".git", "demo"} & set(path.relative_to(REPOSITORY).parts):
                continue
            assert not wrong.search(path.read_text(encoding="utf-8")), path


def test_nothing_is_left_to_fill_in() -> None:
    assert not re.search(r"@@|TODO|FIXME|lorem ipsum", README)
