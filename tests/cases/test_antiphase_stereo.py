"""Channels that cancel in the mix are named; `--channel`, or a record's own key, takes one."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_windows
from oea_cli.encoder.streaming.hearing import hearing
from oea_cli.encoder.streaming.stream import stream
from oea_cli.records.sections import file_section, parse_channel
from tests.audio.damaged import RATE, tone
from tests.commands.in_process import run

CANCELS = "its channels cancel in the mix, which is near silence; --channel left takes one"
LEFT, RIGHT = tone(2.0), tone(2.0, 880)


def written(path: Path, *channels: np.ndarray) -> Path:
    soundfile.write(path, np.stack(channels, axis=1), RATE, subtype="PCM_16")
    return path


def heard(path: Path, channel: object = "mix") -> tuple[np.ndarray, list[str]]:
    said: list[str] = []
    (window,) = read_windows(path, RATE, 10.0, channel=channel, notice=said.append)
    return window.samples, said


@pytest.mark.parametrize(
    ("channels", "cancels"),
    [
        ((LEFT, -LEFT), True),
        ((LEFT, -0.9 * LEFT), True),
        ((LEFT, -LEFT, RIGHT, -RIGHT), True),
        ((LEFT, LEFT), False),
        ((LEFT, RIGHT), False),
        ((LEFT, 0 * LEFT), False),
        ((0 * LEFT, 0 * LEFT), False),
        ((LEFT, -0.5 * LEFT), False),
    ],
)
def test_what_cancels_is_named(
    tmp_path: Path, channels: tuple[np.ndarray, ...], cancels: bool
) -> None:
    assert heard(written(tmp_path / "a.wav", *channels))[1] == ([CANCELS] if cancels else [])


@pytest.mark.parametrize(("channel", "which"), [("left", 0), ("right", 1), (1, 0), ("2", 1)])
def test_one_channel(tmp_path: Path, channel: object, which: int) -> None:
    samples, said = heard(written(tmp_path / "a.wav", LEFT, RIGHT), channel)
    np.testing.assert_array_equal(samples, (LEFT, RIGHT)[which])
    assert said == []


def test_a_channel_that_is_not_there(tmp_path: Path) -> None:
    stereo, mono = written(tmp_path / "a.wav", LEFT, RIGHT), written(tmp_path / "b.wav", LEFT)
    with pytest.raises(AudioError, match=r"^has 2 channels; channel 3 was asked for$"):
        heard(stereo, 3)
    np.testing.assert_array_equal(heard(mono, "right")[0], LEFT)
    with pytest.raises(AudioError, match=r"^has 1 channel; channel 3 was asked for$"):
        heard(mono, 3)


@pytest.mark.parametrize("value", [0, -1, "1.5", "middle", True, None, "", float("nan")])
def test_what_names_no_channel(value: object) -> None:
    with pytest.raises(ValueError, match="must be mix, left, right or a number from 1; got"):
        parse_channel(value)
    assert file_section({"channel": value})["channel"] == "mix"


def test_a_records_key_is_stronger_than_the_option(tmp_path: Path, encoder: object) -> None:
    path = str(written(tmp_path / "a.wav", LEFT, RIGHT))
    records = [
        {"id": "option", "path": path},
        {"id": "own", "path": path, "channel": "left"},
        {"id": "mixed", "path": path, "channel": "mix"},
        {"id": "other", "path": path, "channel": "BBC"},
        {"id": "left", "path": str(written(tmp_path / "l.wav", LEFT))},
        {"id": "right", "path": str(written(tmp_path / "r.wav", RIGHT))},
    ]
    said: list[str] = []
    with hearing("right", lambda notice: said.append(str(notice))):
        (batch,) = stream(encoder, iter(records))  # type: ignore[arg-type]
    rows = {
        record["id"]: vector for record, vector in zip(batch.records, batch.vectors, strict=True)
    }
    for name, same in [("option", "right"), ("own", "left"), ("other", "right")]:
        np.testing.assert_allclose(rows[name], rows[same], atol=1e-5)
    assert not np.allclose(rows["mixed"], rows["left"], atol=1e-3)
    channels = [record.get("channel") for record in batch.records[:4]]
    assert channels == ["right", "left", "mix", "right"]
    assert said == [
        "1 record: a 'channel' such as 'BBC' is not mix, left, right or a number from 1; "
        "it was not used"
    ]


def test_embed_and_its_resume(tmp_path: Path, tiny_encoder: Path) -> None:
    written(tmp_path / "a.wav", LEFT, -LEFT)
    written(tmp_path / "left.wav", LEFT)
    embed = ["embed", tmp_path, "-m", tiny_encoder]
    done = run([*embed, "-o", tmp_path / "x.jsonl"])
    assert done.returncode == 0
    notice, summary = done.stderr.splitlines()
    assert notice == f"oea embed: {tmp_path}/a.wav: {CANCELS}" and "2 sounds in" in summary
    done = run([*embed, "--channel", "left", "-o", f"{tmp_path}/v/"])
    assert done.returncode == 0 and "cancel" not in done.stderr
    assert run([*embed, "--channel", "left", "-o", f"{tmp_path}/v/"]).returncode == 0
    done = run([*embed, "-o", f"{tmp_path}/v/"])
    assert done.returncode == 1
    assert "holds vectors of channel left, not of mix" in done.stderr
    done = run([*embed, "--channel", "0", "-o", tmp_path / "y.jsonl"])
    assert done.returncode == 2
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert "channel" not in rows[0]
