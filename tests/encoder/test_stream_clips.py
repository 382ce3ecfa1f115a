"""One vector for a clip, whatever its length; texts in their order; what a single text costs."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.others.plain import PlainEncoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming import batch_plan
from oea_cli.encoder.streaming.stream import embed_texts, stream, stream_clips
from oea_cli.errors import Failure, OeaError, raise_failure
from oea_cli.vectors.arrays import mean_direction
from tests.conftest import clean_environment

Record = dict[str, Any]


class Shape(PlainEncoder):
    """Vectors that differ from window to window: mean, loudest and last sample."""

    max_seconds = 1.0

    def __init__(self) -> None:
        super().__init__("shape", "0", 3)

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[len(text), 1, text.count("a")] for text in texts])

    def audio_vectors(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([[np.abs(w).mean(), w.max(), 0.1 + w[-1]] for w in waveforms])


@pytest.fixture(scope="module")
def long_sound(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("long") / "long.wav"
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal(12 * 16_000)
    soundfile.write(path, noise * np.linspace(0, 1, len(noise)), 16_000)
    return str(path)


def rows(encoder: Encoder, records: Sequence[Record]) -> list[tuple[Record, np.ndarray]]:
    batches = list(stream_clips(encoder, records, report=raise_failure))
    return [pair for b in batches for pair in zip(b.records, b.vectors, strict=True)]


def test_a_long_clip_is_one_row(long_sound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its windows lie in several groups."""
    record = {"id": "x", "path": long_sound, "note": 1}
    short = {"id": "y", "path": long_sound, "start": 1.0, "end": 1.5}
    windows = list(stream(Shape(), [record], report=raise_failure))
    expected = mean_direction(np.concatenate([batch.vectors for batch in windows]))
    for seconds in (600.0, 2.0):
        monkeypatch.setattr(batch_plan, "MIN_GROUP_SECONDS", seconds)
        monkeypatch.setattr(batch_plan, "CPU_TOKENS", 100)
        found = rows(Shape(), [short, record, short])
        assert [one["id"] for one, _ in found] == ["y", "x", "y"]
        assert found[1][0] == record, "as it came"
        np.testing.assert_allclose(found[1][1], expected, atol=1e-6)
        np.testing.assert_array_equal(found[0][1], found[2][1])


def test_neighbours_are_not_joined(long_sound: str) -> None:
    """Two sections of a file, and one record twice."""
    parts = [
        {"id": f"x#t={start},{start + 3}", "path": long_sound, "start": start, "end": start + 3}
        for start in (0, 3)
    ]
    found = rows(Shape(), [*parts, parts[1], {"id": "t", "text": "a"}, {"id": "t", "text": "a"}])
    assert [one["id"] for one, _ in found] == ["x#t=0,3", "x#t=3,6", "x#t=3,6", "t", "t"]
    np.testing.assert_array_equal(found[1][1], found[2][1])
    assert np.abs(found[0][1] - found[1][1]).max() > 1e-4


def test_a_clip_with_a_window_without_a_vector_is_one_failure(long_sound: str) -> None:
    class Deaf(Shape):
        def audio_vectors(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
            vectors = super().audio_vectors(waveforms)
            return np.where(vectors[:, :1] > 0.03, np.nan, vectors)

    failures: list[Failure] = []
    records = [{"id": "x", "path": long_sound}, {"id": "t", "text": "a"}]
    batches = list(stream_clips(Deaf(), records, report=failures.append))
    assert [record["id"] for batch in batches for record in batch.records] == ["t"]
    assert failures == [Failure(long_sound, "the encoder gives no finite vector for it", "x")]


def test_texts_keep_their_order(tiny_encoder: Path) -> None:
    encoder = load_encoder(str(tiny_encoder), device="cpu")
    texts = [f"{'a dog ' * (n % 7)}barks {n} times" for n in range(300)] + ["rain"] * 2
    expected = np.concatenate([encoder.encode_text([text]) for text in texts])
    np.testing.assert_allclose(embed_texts(encoder, texts), expected, atol=1e-6)
    assert embed_texts(encoder, []).shape == (0, 32)


def test_a_text_without_a_vector_is_named() -> None:
    class Mute(Shape):
        def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
            return np.array([[text != "bad", 0, 0] for text in texts], np.float64)

    assert embed_texts(Mute(), ["good", "fine"]).shape == (2, 3)
    with pytest.raises(OeaError, match=r"^shape gives no finite vector for 'bad'$"):
        embed_texts(Mute(), ["good", "bad"])


ONE_TEXT = """
import sys, threading
import numpy as np
from oea_cli.encoder.others.plain import PlainEncoder
from oea_cli.encoder.streaming.stream import embed_texts

class Short(PlainEncoder):
    def text_vectors(self, texts):
        assert threading.current_thread() is threading.main_thread()
        return np.ones((len(texts), self.dim))

assert embed_texts(Short("short", "0", 4), ["a dog"]).shape == (1, 4)
assert threading.active_count() == 1
loaded = {name.split(".")[0] for name in sys.modules}
print(sorted(loaded & {"torch", "soundfile", "soxr", "concurrent"}))
"""


def test_a_single_text_costs_what_the_encoder_costs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONE_TEXT], capture_output=True, text=True, env=clean_environment()
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
