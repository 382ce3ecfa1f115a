"""X.npy, X.jsonl and X.meta.json: whatever a kill or a full disk leaves, the same command works."""

from pathlib import Path

import numpy as np
import pytest

from oea_cli.errors import OeaError
from oea_cli.records.artefacts import AtomicFile
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from tests.commands.in_process import run
from tests.vectors.batches import STAMP, named, unit


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(rows: int, seed: int = 0) -> None:
    with open_writer("k.npy", encoder=STAMP) as writer:
        writer.write(Batch(named(rows), unit(rows, seed=seed)))


def assert_holds(rows: int, seed: int = 0) -> None:
    (batch,) = read_embeddings("k.npy")
    assert (batch.vectors == unit(rows, seed=seed)).all() and batch.records[0] == named(1)[0]
    assert sorted(path.name for path in Path().iterdir()) == ["k.jsonl", "k.meta.json", "k.npy"]


def test_the_meta_file_alone_is_missing(tiny_encoder: Path) -> None:
    command = ["embed", "--text", "a", "b", "-o", "k.npy", "-m", tiny_encoder]
    assert run(command).returncode == 0
    Path("k.meta.json").unlink()
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert np.load("k.npy").shape == (2, 32) and Path("k.meta.json").exists()


@pytest.mark.parametrize("kept", [0, 3])
@pytest.mark.parametrize("step", range(4))
def test_killed_at_any_rename(monkeypatch: pytest.MonkeyPatch, step: int, kept: int) -> None:
    """Old files or none are there; the writer ends before its nth rename."""
    if kept:
        write(kept, seed=9)
    renames = 0
    commit = AtomicFile.commit

    def until(self: AtomicFile) -> None:
        nonlocal renames
        renames += 1
        if renames > step:
            raise SystemExit
        commit(self)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(AtomicFile, "commit", until)
        write(5)
    if step == 0 and kept:
        assert_holds(kept, seed=9)
    elif step:
        with pytest.raises(OeaError, match=r"did not finish|no such file"):
            list(read_embeddings("k.npy"))
    write(6, seed=2)
    assert_holds(6, seed=2)


def test_somebody_elses_records_are_not_replaced() -> None:
    Path("k.jsonl").write_text('{"path": "a.wav"}\n')
    for matrix in (None, unit(1), unit(2)):
        if matrix is not None:
            np.save("k.npy", matrix)
        with pytest.raises(OeaError, match=r"k\.jsonl, which would be written beside it"):
            write(2)
    assert Path("k.jsonl").read_text() == '{"path": "a.wav"}\n'
