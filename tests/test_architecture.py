"""The shape of the house: who may import whom, what is never used, and that --help is instant."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, clean_environment

PACKAGE = REPOSITORY / "oea_cli"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LIGHT = {
    "main",
    "options",
    "eval_options",
    "mining_options",
    "errors",
    "terminal",
}  # and everything in commands/
TORCH_ZONE = ("oea_cli.encoder.", "oea_cli.training.", "oea_cli.tokenizer")
HEAVY = {"numpy", "polars", "orjson", "soundfile", "soxr", "usearch", "torch", "torchaudio"}
HEAVY |= {"transformers", "peft", "safetensors", "rich", "yaml", "tokenizers"}
BANNED_NAMES = {"utils", "common", "helpers", "misc", "base", "core", "manager"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


def is_light(path: Path) -> bool:
    return path.parent.name == "commands" or (path.parent == PACKAGE and path.stem in LIGHT)


def imports(nodes: list[ast.stmt]) -> Iterator[str]:
    """Absolute names of the modules imported by these statements, nested blocks included."""
    for statement in nodes:
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module


def module_level(path: Path) -> set[str]:
    """What importing the module imports: everything outside of functions and TYPE_CHECKING."""
    found: set[str] = set()
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        found.update(imports([statement]))
    return found


def everywhere(path: Path) -> set[str]:
    return set(imports(ast.parse(path.read_text()).body))


def test_there_are_sources() -> None:
    assert len(SOURCES) > 10


@pytest.mark.parametrize("path", [p for p in SOURCES if is_light(p)], ids=module_name)
def test_light_zone_is_light(path: Path) -> None:
    roots = {name.split(".")[0] for name in module_level(path)}
    assert not roots & HEAVY
    own = {name for name in module_level(path) if name.startswith("oea_cli.")}
    light = {f"oea_cli.{name}" for name in LIGHT}
    if path.name != "main.py":
        assert own <= light, f"imports {own - light} at module level"


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.parent.name == "commands"], ids=module_name
)
def test_commands_never_import_commands(path: Path) -> None:
    assert not [name for name in everywhere(path) if name.startswith("oea_cli.commands")]


@pytest.mark.parametrize("path", [p for p in SOURCES if not is_light(p)], ids=module_name)
def test_domain_modules_do_not_talk_to_people(path: Path) -> None:
    if path.name in {"__init__.py", "__main__.py"} and path.parent == PACKAGE:
        return
    names = everywhere(path)
    assert not {"typer", "oea_cli.main", "oea_cli.options", "oea_cli.terminal"} & names
    assert not [name for name in names if name.startswith("oea_cli.commands")]
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    called = {ast.unparse(call.func) for call in calls}
    assert not called & {"print", "sys.exit", "exit", "quit", "os._exit"}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_torch_stays_in_its_zone(path: Path) -> None:
    name = module_name(path)
    if name.startswith(TORCH_ZONE):
        return
    roots = {imported.split(".")[0] for imported in module_level(path)}
    assert not roots & {"torch", "transformers", "peft", "torchaudio"}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_is_never_used(path: Path) -> None:
    assert path.stem not in BANNED_NAMES and path.parent.name not in BANNED_NAMES
    names = everywhere(path)
    assert not names & {"pickle", "dill", "cloudpickle", "shelve", "click"}
    tree = ast.parse(path.read_text())
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = ast.unparse(call.func)
        assert function not in {"eval", "exec", "os.system", "os.popen"}
        assert not any(
            word.arg == "shell" and ast.unparse(word.value) == "True" for word in call.keywords
        )
        assert not any(
            word.arg == "allow_pickle" and ast.unparse(word.value) == "True"
            for word in call.keywords
        )
        if function.endswith("from_pretrained"):
            assert path.parent.name == "encoder", "models are loaded in encoder/ only"


def test_one_definition_of_the_chat_layout() -> None:
    holders = [path.name for path in SOURCES if "<|im_start|>system" in path.read_text()]
    assert holders == ["front_end.py"]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["embed", "--help"], ["train", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom oea_cli.main import app\n"
        f"try:\n    app({arguments!r}, prog_name='oea')\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    loaded = set(ast.literal_eval(done.stderr.splitlines()[-1]))
    assert not loaded & HEAVY


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "tests" / "benchmarks").glob("*.py")), ids=lambda path: path.stem
)
def test_what_a_benchmark_imports_is_there(path: Path) -> None:
    """Nobody runs them all after every change, and mypy does not read them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("oea_cli", "tests")):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
