"""The command reference is what the program says now, and the pages name what exists."""

import re
from pathlib import Path

import pytest

from tests.docs import recipe_keys
from tests.docs.pages import PAGES, REPOSITORY, page_id
from tests.docs.reference import PAGE, live_help, reference, verbs

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
OTHER_OPTIONS = {"--help", "--version", "--describe"}


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_the_keys_of_recipes_are_up_to_date() -> None:
    page = recipe_keys.PAGE.read_text(encoding="utf-8")
    assert page == recipe_keys.recipe_keys(), "run `make docs`"


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_stands_in_the_table_and_in_an_example(verb: str) -> None:
    first = verb.split()[0]
    assert f"| [`oea {first}`](docs/commands.md#oea-{verb.split()[0]}" in README
    examples = "".join(p.read_text() for p in (REPOSITORY / "shell_examples").glob("*.sh"))
    assert f"oea {first}" in examples


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_options_that_pages_name_exist(path: Path) -> None:
    known = "".join(map(live_help, verbs()))
    named = re.findall(r"`(?:oea [^`]*?)?(--[a-z][a-z-]+)", path.read_text(encoding="utf-8"))
    for option in set(named):
        assert option in known or option in OTHER_OPTIONS, option
