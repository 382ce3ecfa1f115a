"""`oea --describe` is the command line itself as JSON: what every `--help` says, and no more."""

import json
import re
from functools import cache
from typing import Any

import pytest

from oea_cli.commands.options.contents import CONTENTS, READS, WRITES
from oea_cli.errors import EXIT_CODES
from oea_cli.main import VERBS, read_verb
from tests.commands.in_process import run
from tests.conftest import REPOSITORY

TOP = ["format", "version", "exit_codes", "contents", "options", "verbs"]
VERB = ["summary", "description", "examples", "arguments", "options", "stdout", "exit_codes"]
VALUE = [
    *("type", "choices", "minimum", "maximum", "count", "repeatable", "required", "default"),
    *("reads", "writes", "panel", "help"),
]
OPTION = ["name", "names", "off_names", "value", *VALUE, "environment"]
FILES = re.compile(r"FILE|DIR|PATH|X\.\w+|PAIRS|RECIPE|CKPT|VECTORS|INPUTS")


@cache
def document() -> dict[str, Any]:
    done = run(["--describe"])
    assert done.returncode == 0 and done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@cache
def page(verb: str) -> str:
    """The help of a verb on one line, without what a choice of columns does to it."""
    return " ".join(run([*verb.split(), "--help"], env={"COLUMNS": "400"}).stdout.split())


def parameters(verb: str) -> list[dict[str, Any]]:
    described = document()["verbs"][verb]
    return [*described["arguments"], *described["options"]]


def test_it_has_the_shape_that_is_promised() -> None:
    found = document()
    assert list(found) == TOP and found["format"] == "oea-description/1"
    assert list(found["verbs"]) == list(VERBS)
    for described in found["verbs"].values():
        assert list(described) == VERB
        assert all(list(one) == ["name", *VALUE] for one in described["arguments"])
        assert all(list(one) == OPTION for one in described["options"])
        assert list(described["stdout"]) == ["contents", "formats"]
    types = {one["type"] for verb in VERBS for one in parameters(verb)}
    assert types == {"flag", "choice", "integer", "number", "path", "text"}


@pytest.mark.parametrize("verb", VERBS)
def test_it_says_what_the_help_says(verb: str) -> None:
    described = document()["verbs"][verb]
    shown = page(verb)
    for text in (described["summary"], described["description"], *described["examples"]):
        assert " ".join(text.split()) in shown
    for one in parameters(verb):
        assert one["panel"] in shown
        explained = re.sub(r" \[(default|env var): .*\]\.?$", "", " ".join(one["help"].split()))
        assert explained.rstrip(".") in shown
    for option in described["options"]:
        entry = re.escape(", ".join(sorted(option["names"], key=len)))
        assert re.search(entry, shown) or all(name in shown for name in option["names"])
        assert all(name in shown for name in [*option["off_names"], *option["environment"]])
        if option["choices"] and option["value"] is None:
            assert "|".join(option["choices"]) in shown
        if option["default"] not in (None, False, "") and option["type"] != "flag":
            default = option["default"]
            default = ", ".join(default) if isinstance(default, list) else str(default)
            assert re.search(rf"default: {re.escape(default)}[\];]", shown)


@pytest.mark.parametrize("verb", VERBS)
def test_it_leaves_no_option_out(verb: str) -> None:
    shown = run([*verb.split(), "--help"]).stdout.partition("Examples:")[2].partition("\n\n")[2]
    named = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", shown, re.MULTILINE))
    described = {name for one in document()["verbs"][verb]["options"] for name in one["names"]}
    assert named - {"--help"} <= described
    assert len(document()["verbs"][verb]["options"]) == len(
        [param for param in read_verb(verb).params if param.param_type_name == "option"]
    )


def test_bounds_repeats_and_flags() -> None:
    search = {one["name"]: one for one in document()["verbs"]["search"]["options"]}
    assert (search["--top-k"]["type"], search["--top-k"]["minimum"]) == ("integer", 1)
    assert search["--top-k"]["default"] == 10 and search["--top-k"]["names"] == ["--top-k", "-k"]
    assert search["--not"]["repeatable"] and search["--not"]["type"] == "text"
    assert search["--windows"]["off_names"] == ["--no-windows"]
    assert search["--index"]["repeatable"] and search["--index"]["default"] == ["index.oea"]
    assert search["--index"]["environment"] == ["OEA_INDEX"]
    evaluation = {one["name"]: one for one in document()["verbs"]["eval"]["options"]}
    assert evaluation["--index"]["environment"] == ["OEA_INDEX"]
    mining = {one["name"]: one for one in document()["verbs"]["mine-negatives"]["options"]}
    assert mining["--explain"]["count"] == 2
    assert document()["verbs"]["review"]["arguments"][0]["required"]


def test_every_kind_of_content_is_used_and_explained() -> None:
    used = {kind for table in (READS, WRITES) for verb in table.values() for kind in verb.values()}
    for verb in VERBS:
        for one in parameters(verb):
            used |= {" ".join(one["reads"]), " ".join(one["writes"])}
    assert {kind for kinds in used for kind in kinds.split()} == set(CONTENTS)


@pytest.mark.parametrize("verb", VERBS)
def test_what_files_hold_is_said_of_every_one(verb: str) -> None:
    for param in read_verb(verb).params:
        if param.metavar and FILES.fullmatch(param.metavar.rstrip(".")):
            (one,) = [
                one
                for one in parameters(verb)
                if one["name"] in (param.metavar, max(param.opts, key=len))
                and one["help"] == param.help
            ]
            assert one["reads"] or one["writes"], f"{verb} {one['name']}: say it in contents.py"
    names = {param.name for param in read_verb(verb).params}
    assert set(READS.get(verb, {})) | set(WRITES.get(verb, {})) <= names | {"stdout"}


def test_exit_codes_are_those_of_the_guide() -> None:
    guide = (REPOSITORY / "docs" / "formats.md").read_text(encoding="utf-8")
    section = guide.partition("## Exit codes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| ([^|]*) \|$", section, re.MULTILINE)
    assert document()["exit_codes"] == {str(code): text for code, text in EXIT_CODES.items()}
    assert [int(code) for code, _ in rows] == list(EXIT_CODES)
    for code, text in rows:
        assert text.startswith(EXIT_CODES[int(code)].partition(";")[0])


def test_exit_codes_of_a_verb_are_those_that_it_can_have() -> None:
    codes = {verb: document()["verbs"][verb]["exit_codes"] for verb in VERBS}
    assert codes["embed"] == codes["index"] == [0, 1, 2, 3, 130]
    assert codes["eval"] == [0, 1, 2, 3, 4, 130]
    assert codes["models list"] == codes["demo"] == [0, 1, 2, 130]
    for verb in VERBS:
        has_errors_file = any(one["name"] == "--errors" for one in parameters(verb))
        assert 3 in codes[verb] or not has_errors_file
