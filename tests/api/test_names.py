"""What `import oea_cli` gives: every name, typed, and nothing loaded before it is asked for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import oea_cli as oea
from tests.conftest import REPOSITORY, clean_environment

HEAVY = {"numpy", "polars", "orjson", "torch", "transformers", "soundfile", "typer", "rich"}
STUB = REPOSITORY / "oea_cli" / "__init__.pyi"


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(code: str) -> set[str]:
    found = python(f"import sys\n{code}\nprint({{name.split('.')[0] for name in sys.modules}})")
    return set(ast.literal_eval(found.splitlines()[-1]))


def test_importing_the_package_loads_nothing() -> None:
    plain = loaded_by("")
    assert loaded_by("import oea_cli") - plain == {"oea_cli"}


def test_errors_and_records_load_no_arrays() -> None:
    assert not loaded_by("from oea_cli import OeaError, UsageError, Failure") & HEAVY
    assert "torch" not in loaded_by("from oea_cli import Index, read_records, evaluate, frame")


@pytest.mark.parametrize("name", [name for name in oea.__all__ if name != "__version__"])
def test_every_name_is_there_and_documented(name: str) -> None:
    found = getattr(oea, name)
    assert found.__name__ == name and found.__doc__
    assert name in dir(oea)


def test_the_stub_names_what_there_is_where_it_is() -> None:
    named = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert named == {name: f"{getattr(oea, name).__module__}.{name}" for name in named}
    assert {*named, "__version__"} == set(oea.__all__)


def test_other_names_are_missing_as_from_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'oea_cli' has no attribute 'find'"):
        _ = oea.find  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_program_that_uses_it_is_checked(tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api")
    program = tmp_path / "program.py"
    program.write_text(
        "import numpy as np\n"
        "import oea_cli as oea\n\n"
        "encoder: oea.Encoder = oea.load_encoder('mini')\n"
        "batch: oea.Batch = oea.embed(encoder, [np.zeros(8000, np.float32)], rate=16_000)\n"
        "index: oea.Index = oea.build_index('x.oea', batch)\n"
        "hits = oea.search_index(index, ['rain'], k=3, encoder=encoder)\n"
        "scores: list[float] = [hit['score'] for hit in hits[0]]\n"
        "results: oea.Results = oea.evaluate(index=index, metrics=['r@1'])\n"
        "value: float = results['r@1']\n"
        "mined: oea.MinedPairs = oea.mine(batch, top_k=3)\n"
    )
    (tmp_path / "wrong.py").write_text(
        "import oea_cli as oea\n"
        "oea.build_index('x.oea', 3)\n"
        "oea.mine('clips.jsonl', top_k='many')\n"
        "oea.evaluate(index='x.oea', task='texts')\n"
    )
    flags = ["--strict", "--config-file=", "--follow-imports=silent"]
    flags.append(f"--cache-dir={tmp_path / 'cache'}")
    said, problems, status = mypy.run([*flags, str(program), str(tmp_path / "wrong.py")])
    wrong = [line.split(": error:")[0] for line in said.splitlines() if ": error:" in line]
    assert (status, problems) == (1, ""), said
    assert wrong == [f"{tmp_path / 'wrong.py'}:{number}" for number in (2, 3, 4)], said
