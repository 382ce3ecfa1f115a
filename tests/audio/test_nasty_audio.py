"""The 212 broken, odd and hostile files: every one is used or named, none brings anything down."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oea_cli.audio.ffmpeg import is_installed
from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_windows
from tests.conftest import Completed

RATE, MAX_SECONDS = 16_000, 10.0
Row = dict[str, str]


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "nasty_audio"


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    with (folder / "MANIFEST.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def outcomes(folder: Path, rows: list[Row]) -> dict[str, float | str]:
    """Per file the seconds that were read, or the reason why not."""
    found: dict[str, float | str] = {}
    for row in rows:
        try:
            windows = list(read_windows(str(folder / row["path"]), RATE, MAX_SECONDS))
        except AudioError as error:
            found[row["path"]] = str(error)
        else:
            assert all(np.isfinite(window.samples).all() for window in windows)
            assert all(0 < len(window.samples) <= 10.1 * RATE for window in windows)
            found[row["path"]] = windows[-1].end
    return found


def test_the_manifest_is_complete(rows: list[Row]) -> None:
    assert len(rows) == 212


def test_every_valid_file_is_read_to_its_end(
    rows: list[Row], outcomes: dict[str, float | str]
) -> None:
    valid = [row for row in rows if row["outcome"] == "ok"]
    assert len(valid) == 132
    for row in valid:
        expected = int(row["decoded"]) / int(row["sr"])
        assert outcomes[row["path"]] == pytest.approx(expected, abs=2 / RATE), row["path"]


def test_what_soundfile_loses_is_read(rows: list[Row], outcomes: dict[str, float | str]) -> None:
    """FLAC without a length: all samples, also the last short block; and one wrong header."""
    lengths = {
        "45 - no total number of samples set.flac": 336_410 / 48_000,
        "01 - changing samplerate.flac": 555_747 / 32_000,
        "04 - changing bitdepth.flac": 495_232 / 44_100,
        "01 - wrong max blocksize.flac": 101_999 / 24_000,
        # Up to where the number of channels changes, or with PyAV to the end.
        "02 - increasing number of channels.flac": (147_456 / 44_100, 638_856 / 44_100),
        "03 - decreasing number of channels.flac": (180_224 / 44_100, 375_226 / 44_100),
    }
    for path, outcome in outcomes.items():
        expected = lengths.pop(Path(path).name, None)
        if isinstance(expected, tuple):
            expected = expected[is_installed()]
        if expected is not None:
            assert outcome == pytest.approx(expected, abs=2 / RATE), path
    assert not lengths


def test_every_other_file_says_why_in_one_line(
    rows: list[Row], outcomes: dict[str, float | str]
) -> None:
    refused = {path: why for path, why in outcomes.items() if isinstance(why, str)}
    allowed = {row["path"] for row in rows if row["outcome"] in ("error", "empty")}
    assert set(refused) <= allowed
    assert {row["path"] for row in rows if row["outcome"] == "empty"} <= set(refused)
    for path, why in refused.items():
        assert why and "\n" not in why and "does not exist" not in why.lower(), path
        assert len(why) < 150, path


@pytest.mark.slow
def test_embed_accounts_for_every_file(
    oea: Callable[..., Completed], folder: Path, rows: list[Row], tiny_encoder: Path, tmp_path: Path
) -> None:
    """One run over all 212: exit 3, each input in the output or in the errors, none in both."""
    clips = tmp_path / "clips.jsonl"
    clips.write_text(
        "".join(
            json.dumps({"id": row["path"], "path": str(folder / row["path"])}) + "\n"
            for row in rows
        )
    )
    errors = tmp_path / "errors.jsonl"
    done = oea(
        ["embed", clips, "-m", tiny_encoder, "-o", tmp_path / "x.npy", "--errors", errors],
        timeout=300,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("oea embed: ") for line in lines), "no noise from C libraries"
    records = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    used = {record["id"].partition("#t=")[0] for record in records}
    failed = {json.loads(line)["id"] for line in errors.read_text().splitlines()}
    assert used | failed == {row["path"] for row in rows}
    assert not used & failed
    assert {row["path"] for row in rows if row["outcome"] in ("ok", "partial")} <= used
    assert lines[-1] == f"oea embed: {len(failed)} of 212 inputs failed, {len(used)} done"
    vectors = np.load(tmp_path / "x.npy")
    assert vectors.shape[0] == len(records) and np.isfinite(vectors).all()
    in_order = list(dict.fromkeys(record["id"].partition("#t=")[0] for record in records))
    assert in_order == [row["path"] for row in rows if row["path"] in used]
