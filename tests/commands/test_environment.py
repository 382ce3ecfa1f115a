"""The shared options come from OEA_NAME in every verb, and no other option does."""

import re
from pathlib import Path

import pytest

from oea_cli.commands.options.environment import SHARED
from oea_cli.main import SETTINGS, read_verb
from tests.commands.in_process import run
from tests.conftest import REPOSITORY, verbs

OPTIONS = [
    (verb, max(param.opts, key=len).removeprefix("--"), param)
    for verb in verbs()
    for param in read_verb(verb).params
    if param.param_type_name == "option" and param.name != "help"
]
SHARED_OPTIONS = [(verb, name, param) for verb, name, param in OPTIONS if name in SHARED]


def variable(name: str) -> str:
    return f"OEA_{name.upper().replace('-', '_')}"


def two_values(name: str, param: object) -> tuple[str, str]:
    """Two values that an option takes."""
    choices = param.type_descriptor.choices  # type: ignore[attr-defined]
    if choices:
        first, last = (str(getattr(one, "value", one)) for one in (choices[0], choices[-1]))
        return first, last
    return ("3", "4") if "int" in str(param.type_descriptor.annotation) else ("one", "two")  # type: ignore[attr-defined]


def parsed(verb: str, words: list[str], name: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """What a verb gets for an option; arguments that it requires are left out."""
    command = read_verb(verb)
    for param in command.params:
        param.required = False
    context = command.make_context(verb, words, **SETTINGS)
    return context.params[next(p.name for v, n, p in OPTIONS if (v, n) == (verb, name))]


@pytest.mark.parametrize(("verb", "name", "param"), OPTIONS, ids=lambda value: str(value)[:30])
def test_the_shared_options_and_no_others_read_the_environment(
    verb: str, name: str, param: object
) -> None:
    expected = [variable(name)] if name in SHARED else []
    if (verb, name) == ("index", "output"):
        expected.insert(0, "OEA_INDEX")
    if (verb, name) == ("search", "index"):
        expected = ["OEA_INDEX"]
    assert (param.envvar or []) == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", verbs())
def test_help_shows_them(verb: str) -> None:
    page = " ".join(run([*verb.split(), "--help"]).stdout.split())
    shown = {
        name
        for group in re.findall(r"\[env var: ([A-Z_, ]+)", page)
        for name in group.replace(" ", "").split(",")
    }
    expected = {variable(name) for v, name, _ in SHARED_OPTIONS if v == verb}
    assert shown - {"OEA_INDEX"} == expected


@pytest.mark.parametrize(
    ("verb", "name", "param"), SHARED_OPTIONS, ids=lambda value: str(value)[:30]
)
def test_a_flag_goes_before_the_environment_and_that_before_the_default(
    verb: str, name: str, param: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in SHARED:
        monkeypatch.delenv(variable(other), raising=False)
    if param.is_flag:  # type: ignore[attr-defined]
        default = parsed(verb, [], name, monkeypatch)
        monkeypatch.setenv(variable(name), str(not default).lower())
        assert parsed(verb, [], name, monkeypatch) is (not default)
        flag = param.opts if default is False else param.secondary_opts  # type: ignore[attr-defined]
        monkeypatch.setenv(variable(name), str(default).lower())
        assert parsed(verb, flag[:1], name, monkeypatch) is (not default)
        return
    first, second = two_values(name, param)
    monkeypatch.setenv(variable(name), first)
    of_environment = parsed(verb, [], name, monkeypatch)
    of_flag = parsed(verb, [f"--{name}", second], name, monkeypatch)
    assert first in str(of_environment) and second in str(of_flag)
    assert first not in str(of_flag)


def test_several_metrics_are_separated_by_blanks(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("q Q0 a 1 0.9 t\n")
    (tmp_path / "qrels.txt").write_text("q 0 a 1\n")
    done = run(
        ["eval", "--run", "run.txt", "--qrels", "qrels.txt", "-f", "json"],
        cwd=tmp_path,
        env={"OEA_METRIC": "r@1 mrr"},
    )
    assert '"r@1"' in done.stdout and '"mrr"' in done.stdout, done.stderr


WRONG = [
    (["search", "x"], "OEA_TOP_K", "0", "OEA_TOP_K must be a whole number of 1 or more; got '0'"),
    (["search", "x"], "OEA_QUIET", "maybe", "OEA_QUIET must be true or false; got 'maybe'"),
    (["embed", "x"], "OEA_DTYPE", "half", "OEA_DTYPE must be auto, float32, bfloat16 or float16"),
    (["embed", "--text", "x", "-o", "x.npy"], "OEA_BATCH_SIZE", "0", "(from OEA_BATCH_SIZE)"),
    (["embed", "--text", "x", "-o", "x.npy"], "OEA_SHARD", "3/2", "(from OEA_SHARD)"),
    (["embed", "--text", "x", "-o", "x.npy"], "OEA_DEVICE", "gpu", "(from OEA_DEVICE)"),
    (["embed", "--text", "x", "-o", "x.npy"], "OEA_MODEL", "nope", "(from OEA_MODEL)"),
]


@pytest.mark.parametrize(("words", "name", "value", "said"), WRONG, ids=lambda value: str(value))
def test_a_wrong_value_names_its_variable(
    words: list[str], name: str, value: str, said: str, tmp_path: Path
) -> None:
    done = run(words, env={name: value}, cwd=tmp_path)
    assert done.returncode in (1, 2) and len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_verbose_comes_from_the_environment_and_can_be_false(tmp_path: Path) -> None:
    words = ["search", "x", "-i", "none.oea"]
    assert "Traceback" in run(words, env={"OEA_VERBOSE": "1"}, cwd=tmp_path).stderr
    assert "Traceback" not in run(words, env={"OEA_VERBOSE": "0"}, cwd=tmp_path).stderr


def test_the_guide_lists_them_all() -> None:
    guide = (REPOSITORY / "docs" / "formats.md").read_text(encoding="utf-8")
    section = guide.partition("## Environment variables")[2].partition("\n## ")[0]
    assert all(f"`{variable(name)}`" in section for name in SHARED)
