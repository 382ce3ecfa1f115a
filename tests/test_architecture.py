"""The shape of the house: who may import whom, what is never used, and that --help is instant."""

import ast
import importlib
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, clean_environment

PACKAGE = REPOSITORY / "oea_cli"
SOURCES = sorted(PACKAGE.rglob("*.py"))
FLOORS = (
    "errors",
    "records metrics",
    "audio vectors",
    "clips encoder",
    "search evaluation mining query_generation training",
    "web",
    "commands",
    "main",
    "__main__",
)
"""The rooms, lowest floor first; a room imports from the floors below its own."""
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
NEVER = {
    "metrics": "records audio vectors clips encoder",
    "records": "metrics",
    "audio": "metrics vectors",
    "vectors": "metrics audio",
    "clips": "metrics vectors encoder",
    "encoder": "metrics clips",
    "search": "metrics audio",
    "mining": "metrics search",
    "query_generation": "metrics vectors audio search",
    "training": "vectors search",
    "web": "metrics",
}
"""What a room must not know although it lies on a floor below."""
TORCH = ("oea_cli.encoder.", "oea_cli.training.", "oea_cli.query_generation.models.")
WITHOUT_TORCH = ("oea_cli.encoder.names.", "oea_cli.encoder.onnx.", "oea_cli.encoder.streaming.")
HEAVY = {"numpy", "polars", "orjson", "soundfile", "soxr", "usearch", "torch", "torchaudio"}
HEAVY |= {"transformers", "peft", "safetensors", "rich", "yaml", "tokenizers"}
BANNED_NAMES = {"utils", "common", "helpers", "misc", "base", "core", "manager"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


def room_of(module: str) -> str:
    """The folder or file at the top of the package that a module lies in."""
    return [*module.split("."), "__init__"][1]


def part_of(module: str) -> str:
    """The folder or file of its room that a module lies in."""
    return [*module.split("."), "__init__", "__init__"][2]


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
    for statement in tree_of(path).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        found.update(imports([statement]))
    return found


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def everywhere(path: Path) -> set[str]:
    return set(imports(tree_of(path).body))


def test_there_are_sources() -> None:
    assert len(SOURCES) > 10


@cache
def own_imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever in it; `from a import b` names a.b where
    that is a module."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("oea_cli"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in MODULES else str(node.module))
    return found


MODULES = {module_name(path).removesuffix(".__init__") for path in SOURCES}


def circle_in(arrows: dict[str, set[str]]) -> list[str]:
    """One circle among these arrows, or none."""
    done: set[str] = set()

    def visit(place: str, way: list[str]) -> list[str]:
        if place in way:
            return [*way[way.index(place) :], place]
        if place in done:
            return []
        done.add(place)
        return next(filter(None, (visit(next_, [*way, place]) for next_ in arrows[place])), [])

    return next(filter(None, (visit(place, []) for place in list(arrows))), [])


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(module_name(path)) for path in SOURCES} - {"__init__"}
    assert rooms == set(FLOOR_OF)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_go_down(path: Path) -> None:
    own = room_of(module_name(path))
    others = {room_of(name) for name in own_imports(path)} - {own, "__init__"}
    assert not {room for room in others if FLOOR_OF[room] >= FLOOR_OF[own]}
    assert not others & set(NEVER.get(own, "").split())


@pytest.mark.parametrize("room", sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))
def test_no_room_has_a_circle(room: str) -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    for path in (PACKAGE / room).rglob("*.py"):
        own = part_of(module_name(path))
        names = {name for name in own_imports(path) if room_of(name) == room}
        arrows[own] |= {part_of(name) for name in names} - {own, "__init__"}
    assert not circle_in(arrows)


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py"], ids=module_name)
def test_an_init_holds_names_and_no_code(path: Path) -> None:
    for node in tree_of(path).body:
        # The package's own names are those of its Python API, looked up when they are asked for.
        if path.parent == PACKAGE and isinstance(node, ast.FunctionDef):
            assert node.name in ("__getattr__", "__dir__")
            continue
        assert isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign)


def is_light(path: Path) -> bool:
    """Whether the file is loaded for `oea --help`, or by it: lists of names, from any room."""
    room = room_of(module_name(path))
    return room in ("main", "commands", "errors") or module_name(path) in NAMES_FOR_HELP


NAMES_FOR_HELP = {
    name
    for path in SOURCES
    if room_of(module_name(path)) == "commands"
    for name in module_level(path)
    if name.startswith("oea_cli.") and name.endswith(".names")
}
"""What the options offer, where it stands: files called names."""


@pytest.mark.parametrize("path", [p for p in SOURCES if is_light(p)], ids=module_name)
def test_what_help_loads_is_light(path: Path) -> None:
    names = module_level(path)
    assert not {name.split(".")[0] for name in names} & HEAVY
    others = {name for name in names if name.startswith("oea_cli.")} - NAMES_FOR_HELP
    assert {room_of(name) for name in others} <= {"errors", "commands"}


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.parent.name == "commands"], ids=module_name
)
def test_verbs_never_import_verbs(path: Path) -> None:
    ours = {name for name in own_imports(path) if name.startswith("oea_cli.commands.")}
    assert {part_of(name) for name in ours} <= {"options", "console"}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_only_verbs_talk_to_people(path: Path) -> None:
    if room_of(module_name(path)) in ("main", "__main__", "commands"):
        return
    assert not {"typer", "rich"} & {name.split(".")[0] for name in everywhere(path)}
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    called = {ast.unparse(call.func) for call in calls}
    assert not called & {"print", "sys.exit", "exit", "quit", "os._exit"}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_torch_stays_in_its_rooms(path: Path) -> None:
    name = module_name(path)
    if name.startswith(TORCH) and not name.startswith(WITHOUT_TORCH):
        return
    roots = {imported.split(".")[0] for imported in module_level(path)}
    assert not roots & {"torch", "transformers", "peft", "torchaudio"}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_is_never_used(path: Path) -> None:
    assert path.stem not in BANNED_NAMES and path.parent.name not in BANNED_NAMES
    names = everywhere(path)
    assert not names & {"pickle", "dill", "cloudpickle", "shelve", "click"}
    tree = tree_of(path)
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
            assert path == PACKAGE / "encoder" / "hub.py", "one function loads what is pretrained"


def test_one_definition_of_the_chat_layout() -> None:
    holders = [path.name for path in SOURCES if "<|im_start|>system" in path.read_text()]
    assert holders == ["prompts.py"]


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
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("oea_cli", "tests")):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
