"""Encoders of other packages: the documented example, built, installed and used; broken ones."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.plug_ins import plug_in_names
from oea_cli.errors import OeaError
from tests.commands.in_process import run
from tests.conftest import REPOSITORY, Completed

EXAMPLE = REPOSITORY / "shell_examples" / "encoder_package"
Run = Callable[..., Completed]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the example in it, as pip would put it there from its wheel."""
    source = tmp_path_factory.mktemp("source") / "encoder_package"
    shutil.copytree(EXAMPLE, source)
    target = tmp_path_factory.mktemp("installed")
    build = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, target], cwd=source, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(target / done.stdout.split()[-1]) as wheel:
        wheel.extractall(target)
    return target


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    sizes = {"words": 512, "bands": 128}
    weights = {f"{part}.weight": torch.randn(32, size) for part, size in sizes.items()}
    weights |= {f"{part}.bias": torch.randn(32) for part in sizes}
    save_file(weights, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


@pytest.mark.slow
def test_the_example_embeds_and_searches(
    installed: Path, checkpoint: Path, oea: Run, tone: Callable[..., Path], tmp_path: Path
) -> None:
    env = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(installed)])}
    env["PYTHONPATH"] += os.pathsep + os.environ.get("PYTHONPATH", "")
    for hz in (200, 5_000):
        tone(tmp_path / "sounds" / f"{hz}.wav", hz)
    name = f"words-and-bands:{checkpoint}"
    done = oea(["embed", tmp_path / "sounds", "-m", name], env=env)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(row["embedding"]) for row in rows] == [32, 32]
    assert rows[0]["encoder"].startswith(f"{name}:")
    assert np.dot(rows[0]["embedding"], rows[1]["embedding"]) < 0.99
    index = tmp_path / "x.oea"
    assert oea(["index", "-o", index], input=done.stdout).returncode == 0
    found = oea(["search", "--audio", tmp_path / "sounds/200.wav", "-i", index], env=env)
    assert json.loads(found.stdout.splitlines()[0])["id"] == "200.wav", found.stderr
    unknown = oea(["embed", tmp_path / "sounds", "-m", "words-and-band"], env=env)
    assert "did you mean words-and-bands?" in unknown.stderr
    broken = oea(["embed", tmp_path / "sounds", "-m", "words-and-bands:nowhere"], env=env)
    assert broken.returncode == 1 and len(broken.stderr.splitlines()) == 1
    assert "the package words-and-bands: its encoder 'words-and-bands' cannot be" in broken.stderr
    assert "nowhere" in broken.stderr


def offer(folder: Path, package: str, name: str, module: str, code: str) -> None:
    """Put a package with one entry point into a folder of packages."""
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[oea.encoders]\n{name} = {module}:load\n")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_thing", r"cannot be imported \(ModuleNotFoundError: No module named"),
        ("raise SystemError('one\\ntwo')", r"cannot be imported \(SystemError: one two\)$"),
        ("x = 1", r"cannot be imported \(AttributeError: .*load"),
        ("load = 3", "is not a function"),
        ("def load(name, placement): 1 / 0", r"cannot be loaded \(ZeroDivisionError"),
        ("def load(name, placement): return object()", "lacks 'concurrency'"),
    ],
)
def test_a_broken_package_is_one_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    module = f"broken_{abs(hash(code))}"
    offer(tmp_path, "poor-thing", "poor", module, code)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "poor" in plug_in_names()
    for name in ("poor:a", "poor"):
        with pytest.raises(OeaError, match=message) as caught:
            load_encoder(name)
        assert str(caught.value).startswith("the package poor-thing: its encoder 'poor' ")
        assert "\n" not in str(caught.value)


def test_two_packages_with_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("a", "b"):
        offer(tmp_path, f"package-{package}", "both", f"module_{package}", "")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(OeaError, match="packages package-a and package-b both have an encoder"):
        load_encoder("both:x")


def test_what_is_built_in_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path, "impostor", "mini", "impostor", "raise SystemError")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_encoder("mini", device="cpu").dim == 512


def test_models_info_and_list_name_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path, "poor-thing", "poor", "poor_module", "raise SystemError")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("poor", "poor:place"):
        described = run(["models", "info", name, "-f", "json"])
        assert json.loads(described.stdout) == {
            "name": "poor",
            "kind": "plug-in",
            "package": "poor-thing",
            "version": "1.0",
        }
    assert "poor           from the package poor-thing 1.0\n" in run(["models", "list"]).stdout
    assert "no encoder 'poorly'; did you mean poor?" in run(["models", "info", "poorly"]).stderr
    assert run(["models", "info", "clap:x"]).returncode == 2
