"""`clap:`: the vectors of transformers' own calls, whatever else is in the batch."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import OeaError, UsageError
from tests.encoder.tiny_models import save_clap

TEXTS = ["a dog barks", "rain", "", "thunder over the hills while a bell tolls twice"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clap(tmp_path_factory.mktemp("clap") / "unfused")


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clap(tmp_path_factory.mktemp("clap") / "fused", fused=True)


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return load_encoder(f"clap:{folder}", device="cpu")


@pytest.fixture(scope="module")
def waveforms() -> list[np.ndarray]:
    """Tones, from one sample to the full two seconds and a little more."""
    clips = [(60, 48_000), (9_000, 70_003), (440, 1), (2_000, 96_000), (300, 100_000)]
    return [np.sin(np.arange(n) * 2 * np.pi * hz / 48_000, dtype=np.float32) for hz, n in clips]


def plain(folder: Path, waveforms: list[np.ndarray], fused: bool = False) -> np.ndarray:
    """What transformers gives, one clip after the other."""
    extractor = ClapFeatureExtractor.from_pretrained(folder)
    model = ClapModel.from_pretrained(folder).eval()
    rows = []
    for waveform in waveforms:
        inputs = extractor(waveform, sampling_rate=48_000, return_tensors="pt")
        if fused:
            inputs["is_longer"] = torch.tensor([[False]])
        with torch.inference_mode():
            rows.append(model.get_audio_features(**inputs).pooler_output[0].numpy())
    return np.stack(rows)


def test_sounds_equal_transformers(
    encoder: Encoder, folder: Path, waveforms: list[np.ndarray]
) -> None:
    fitting = [waveform[:96_000] for waveform in waveforms]
    expected = plain(folder, fitting)
    np.testing.assert_allclose(encoder.encode_audio(waveforms), expected, atol=1e-5)
    assert np.abs(expected[0] - expected[1]).max() > 0.01, "the model tells sounds apart"


def test_fused_models_draw_no_lots(fused: Path, waveforms: list[np.ndarray]) -> None:
    encoder = load_encoder(f"clap:{fused}", device="cpu")
    fitting = [waveform[:96_000] for waveform in waveforms]
    together = encoder.encode_audio(fitting)
    np.testing.assert_allclose(together, plain(fused, fitting, fused=True), atol=1e-5)
    for _ in range(3):
        np.testing.assert_array_equal(encoder.encode_audio(fitting), together)


def test_texts_equal_transformers(encoder: Encoder, folder: Path) -> None:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), ClapModel.from_pretrained(folder)
    rows = []
    for text in TEXTS:
        with torch.inference_mode():
            features = model.eval().get_text_features(**tokenizer(text, return_tensors="pt"))
            rows.append(features.pooler_output[0].numpy())
    np.testing.assert_allclose(encoder.encode_text(TEXTS), np.stack(rows), atol=1e-5)
    assert np.isfinite(encoder.encode_text(["bark " * 500])).all(), "a long text is cut"


def test_cut_texts_are_counted(encoder: Encoder, folder: Path) -> None:
    tokenizer, cut = AutoTokenizer.from_pretrained(folder), encoder.cut_texts  # type: ignore[attr-defined]
    num_words = next(n for n in range(600) if len(tokenizer("bark " * n)["input_ids"]) > cut.limit)
    fits, too_long = "bark " * (num_words - 1), "bark " * num_words
    assert len(tokenizer(fits)["input_ids"]) <= cut.limit
    cut.take()
    encoder.encode_text([fits, too_long, "bark", "bark " * 500])
    assert (cut.take(), cut.take()) == (2, 0)


def test_the_order_does_not_matter(encoder: Encoder, waveforms: list[np.ndarray]) -> None:
    together = encoder.encode_audio(waveforms)
    backwards = encoder.encode_audio(waveforms[::-1])[::-1]
    np.testing.assert_allclose(backwards, together, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert together.dtype == np.float32 and together.shape[1] == encoder.dim == 24
    assert encoder.encode_text([]).shape == encoder.encode_audio([]).shape == (0, 24)
    assert encoder.encode_prepared(encoder.prepare_audio([])).shape == (0, 24)
    assert (encoder.sample_rate, encoder.max_seconds) == (48_000, 2.0)


def test_several_threads_at_once(encoder: Encoder) -> None:
    alone = encoder.encode_text(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda i: encoder.encode_text(TEXTS[i % 4 :]), range(40)))
    for i, part in enumerate(parts):
        np.testing.assert_allclose(part, alone[i % 4 :], atol=1e-5)


def test_the_prompt_and_the_weights_decide_the_fingerprint(
    encoder: Encoder, folder: Path, tmp_path: Path
) -> None:
    prompted = load_encoder(f"clap:{folder}?text_prompt=the sound of ", device="cpu")
    expected = encoder.encode_text([f"the sound of {text}" for text in TEXTS])
    np.testing.assert_allclose(prompted.encode_text(TEXTS), expected, atol=1e-6)
    assert prompted.fingerprint != encoder.fingerprint
    assert prompted.name.endswith("?text_prompt=the sound of ")
    assert load_encoder(f"clap:{folder}", device="cpu").fingerprint == encoder.fingerprint
    copy = save_clap(tmp_path / "copy")
    assert load_encoder(f"clap:{copy}", device="cpu").fingerprint == encoder.fingerprint
    weights = load_file(copy / "model.safetensors")
    weights["logit_scale_a"] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert load_encoder(f"clap:{copy}", device="cpu").fingerprint != encoder.fingerprint


def test_weights_in_a_pickle_are_read_weights_only(folder: Path, tmp_path: Path) -> None:
    copy = save_clap(tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    ours = load_encoder(f"clap:{copy}", device="cpu").encode_text(TEXTS)
    np.testing.assert_allclose(
        ours, load_encoder(f"clap:{folder}", device="cpu").encode_text(TEXTS), atol=1e-6
    )
    trap = tmp_path / "trap"

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (trap,)

    (copy / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Hostile()}))
    with pytest.raises(OeaError, match=r"cannot be loaded \(.*\)$"):
        load_encoder(f"clap:{copy}", device="cpu")
    torch.save({"a": Hostile()}, copy / "pytorch_model.bin")
    with pytest.raises(OeaError, match=r"cannot be loaded \(.*\)$"):
        load_encoder(f"clap:{copy}", device="cpu")
    assert not trap.exists(), "nothing in a pickle is executed"


def test_what_is_no_clap_is_refused(tmp_path: Path) -> None:
    copy = save_clap(tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    lacking = {name: tensor for name, tensor in weights.items() if "text_projection" not in name}
    save_file(lacking, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(OeaError, match="its weights lack text_projection"):
        load_encoder(f"clap:{copy}", device="cpu")
    (copy / "model.safetensors").write_bytes(b"short")
    with pytest.raises(OeaError, match="cannot be loaded"):
        load_encoder(f"clap:{copy}", device="cpu")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    with pytest.raises(OeaError, match="of type 'bert', not 'clap'"):
        load_encoder(f"clap:{copy}", device="cpu")
    (copy / "config.json").unlink()
    with pytest.raises(OeaError, match="cannot be loaded"):
        load_encoder(f"clap:{copy}", device="cpu")
    with pytest.raises(UsageError, match=r"no option 'pooling' for this kind.*text_prompt"):
        load_encoder(f"clap:{copy}?pooling=mean")
    with pytest.raises(UsageError, match="--quantize does not apply to CLAP"):
        load_encoder(f"clap:{copy}", quantize="int8")
