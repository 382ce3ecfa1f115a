"""`oea help VERB` is `oea VERB --help`; a verb that is not there is one line with the nearest."""

import pytest

from tests.commands.in_process import run
from tests.conftest import verbs


@pytest.mark.parametrize("verb", ["", "models", *verbs()])
def test_it_is_the_help_of_the_verb(verb: str) -> None:
    done = run(["help", *verb.split()])
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == run([*verb.split(), "--help"]).stdout
    assert done.stdout.startswith(f"Usage: oea {verb}".rstrip())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["serch"], "oea: there is no verb 'serch'; did you mean search?"),
        (["convert"], "oea: there is no verb 'convert'; did you mean models convert?"),
        (["models", "exprt"], "oea models: there is no verb 'exprt'; did you mean export?"),
        (["xyzzy"], "oea: there is no verb 'xyzzy'"),
        (["it's"], "oea: there is no verb 'it's'"),
    ],
    ids=lambda value: str(value),
)
def test_a_verb_that_is_not_there(words: list[str], line: str) -> None:
    for command in (["help", *words], words):
        done = run(command)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{line}\n")


def test_what_follows_the_verb_changes_nothing() -> None:
    page = run(["search", "--help"]).stdout
    assert run(["help", "search", "rain"]).stdout == page
    assert run(["help", "search", "--errors-format", "json"]).stdout == page
    assert run(["help", "-h"]).stdout == run(["--help"]).stdout
