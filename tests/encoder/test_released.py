"""The released checkpoints by short name, out of a hub cache that holds tiny ones."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oea_cli.encoder.names.places import short_names
from oea_cli.encoder.names.released import RELEASED
from tests.conftest import Completed
from tests.encoder.released_layout import Release, make_release, save_release

TEXTS = ["a dog barks", "rain on a roof"]
BASE_COMMIT = "b" * 40


@pytest.fixture(scope="module")
def release() -> Release:
    return make_release()


@pytest.fixture(scope="module")
def cache(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `huggingface_hub` leaves behind after the checkpoint and its backbone were fetched."""
    home = tmp_path_factory.mktemp("hf")
    released = RELEASED["oea-qwen3b"]

    def repository(repo: str, commit: str) -> Path:
        folder = home / "hub" / f"models--{repo.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text(commit)
        (folder / "snapshots").mkdir()
        return folder / "snapshots" / commit

    snapshot = repository(released.repo, released.revision.ljust(40, "0"))
    snapshot.mkdir()
    save_release(snapshot / released.file, release.content({}))
    release.save_base(repository(released.base.repo, BASE_COMMIT))
    return home


@pytest.mark.slow
def test_a_short_name_is_the_real_thing(
    release: Release, cache: Path, tmp_path: Path, oea: Callable[..., Completed]
) -> None:
    environment = {"HF_HOME": str(cache), "OEA_CACHE": str(tmp_path)}
    command = ["embed", "-m", "oea-qwen3b", "--text", *TEXTS]
    done = oea(command, env=environment)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [release.text_vector(text) for text in TEXTS]
    np.testing.assert_allclose([row["embedding"] for row in rows], expected, atol=1e-5)
    assert rows[0]["encoder"].startswith("oea-qwen3b:")
    lines = done.stderr.splitlines()
    assert "9.5 GB, MIT; its backbone Qwen/Qwen2.5-Omni-3B: Qwen Research License" in lines[0]
    assert "the checkpoint may go" in lines[1]

    again = oea(command, env=environment)
    assert again.stdout == done.stdout
    assert "GB" not in again.stderr, "converted once"
    described = oea(["models", "info", "oea-qwen3b", "-f", "json"], env=environment)
    adapter = Path(json.loads(described.stdout)["adapter"])
    settings = json.loads((adapter / "encoder.json").read_text())
    assert settings["base_revision"] == BASE_COMMIT, "pinned when it was converted"
    as_folder = oea(["embed", "-m", str(adapter), "--text", *TEXTS], env=environment)
    own = json.loads(as_folder.stdout.splitlines()[0])["encoder"]
    assert own.rpartition(":")[2] == rows[0]["encoder"].rpartition(":")[2]


@pytest.mark.slow
def test_without_network_and_cache_it_is_one_line(
    tmp_path: Path, oea: Callable[..., Completed]
) -> None:
    done = oea(
        ["embed", "-m", "oea-qwen7b", "--text", "rain"],
        env={"HF_HOME": str(tmp_path), "OEA_CACHE": str(tmp_path)},
    )
    assert done.returncode == 1 and done.stdout == ""
    notice, error = done.stderr.splitlines()
    assert "17.9 GB" in notice
    assert error.startswith("oea embed: JudeJiwoo/OEA-Qwen7B-AC") and "HF_HUB_OFFLINE" in error


def test_the_catalogue_is_that_of_the_release() -> None:
    assert short_names() == ["mini", *RELEASED]
    files = {released.file for released in RELEASED.values()}
    assert len(files) == 6 and "step_40.pt" in files, "the one name that five cards have wrong"
    for released in RELEASED.values():
        is_7b = "7B" in released.base.repo
        assert (released.num_bytes > 10**10) == is_7b
        assert is_7b == (released.base.licence == "Apache-2.0")
