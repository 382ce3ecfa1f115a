"""The encoder path: the same numbers as the stock front end, whatever else is in the batch."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jinja2 import Template
from safetensors.torch import load_file, save_file

from oea_cli.encoder.loading import _no_garbage_collection, load_encoder
from oea_cli.encoder.names.places import encoder_folder
from oea_cli.encoder.omni.backbone import build_backbone
from oea_cli.encoder.omni.folder import load_encoder_folder, save_encoder_folder
from oea_cli.encoder.omni.fresh import (
    ModelSizes,
    new_front_end,
    new_model,
    thinker_config,
    train_tokenizer,
)
from oea_cli.encoder.omni.omni import OmniEncoder, OmniModel
from oea_cli.encoder.omni.prompts import chat, num_audio_tokens
from oea_cli.encoder.omni.settings import EncoderSettings
from oea_cli.errors import OeaError

SIZES = ModelSizes(hidden_size=64, text_layers=2, text_mlp=96, audio_layers=2, audio_mlp=96)
TEXTS = ["a dog barks", "rain", "", "thunder over the hills while a bell tolls twice"]
# Qwen2.5-Omni's published chat template, for a text and for an audio turn.
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{% for content in message['content'] %}"
    "{% if content['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder with random weights, saved through the production code."""
    path = tmp_path_factory.mktemp("encoders") / "tiny"
    settings = EncoderSettings(dim=32)
    tokenizer = train_tokenizer([*TEXTS, "query: system user helpful assistant"], 400)
    front_end = new_front_end(tokenizer, SIZES, settings)
    save_encoder_folder(path, new_model(SIZES, front_end, seed=1), front_end, settings)
    return path


@pytest.fixture(scope="module")
def encoder(folder: Path) -> OmniEncoder:
    return load_encoder_folder(folder)


@pytest.fixture(scope="module")
def waveforms() -> list[np.ndarray]:
    """Noise of mixed lengths, from one sample to 12 s; none a multiple of the hop."""
    rng = np.random.default_rng(0)
    lengths = (80_001, 16_003, 1, 50_001, 192_007, 641, 640, 7_777)
    return [0.1 * rng.standard_normal(n).astype(np.float32) for n in lengths]


def test_vectors_are_unit_float32(encoder: OmniEncoder, waveforms: list[np.ndarray]) -> None:
    for vectors in (encoder.encode_audio(waveforms), encoder.encode_text(TEXTS)):
        assert vectors.dtype == np.float32 and vectors.flags.c_contiguous
        assert vectors.shape[1] == encoder.dim == 32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_the_batch_does_not_matter(encoder: OmniEncoder, waveforms: list[np.ndarray]) -> None:
    together = encoder.encode_audio(waveforms)
    alone = np.concatenate([encoder.encode_audio([waveform]) for waveform in waveforms])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    order = np.random.default_rng(1).permutation(len(waveforms))
    shuffled = encoder.encode_audio([waveforms[i] for i in order])
    np.testing.assert_allclose(shuffled, together[order], atol=1e-5)
    text_alone = np.concatenate([encoder.encode_text([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode_text(TEXTS), text_alone, atol=1e-5)


def test_mel_equals_the_stock_extractor_at_300_seconds(
    encoder: OmniEncoder, waveforms: list[np.ndarray]
) -> None:
    extractor = encoder.front_end.extractor
    stock = extractor(waveforms, sampling_rate=16_000, padding="max_length", return_tensors="np")
    ours = encoder.front_end.audio_inputs(waveforms)
    for i, waveform in enumerate(waveforms):
        frames = int(ours["feature_attention_mask"][i].sum())
        assert frames == max(3, -(-len(waveform) // extractor.hop_length))
        mel = ours["input_features"][i, :, :frames].numpy()
        np.testing.assert_array_equal(mel, stock["input_features"][i, :, :frames])


@pytest.mark.parametrize("hop", [160, 320])
@pytest.mark.parametrize("beyond", [0, 1, 39, 80, 120, 159])
def test_the_last_frame_sees_the_zeros_behind_the_clip(
    encoder: OmniEncoder, hop: int, beyond: int
) -> None:
    """A clip alone whose last hop is only begun: the extractor mirrors what it is not given.

    160 is the released encoders' hop; half of the extractor's 400 samples reach beyond it.
    """
    sizes = replace(SIZES, hop_length=hop)
    front_end = new_front_end(encoder.front_end.tokenizer, sizes, encoder.front_end.settings)
    waveform = np.random.default_rng(2).standard_normal(20 * hop + beyond).astype(np.float32)
    stock = front_end.extractor(
        waveform, sampling_rate=16_000, padding="max_length", return_tensors="np"
    )
    ours = front_end.audio_inputs([waveform])["input_features"][0].numpy()
    np.testing.assert_array_equal(ours, stock["input_features"][0, :, : ours.shape[1]])


def test_padding_is_not_seen_by_a_model_that_looks_both_ways(encoder: OmniEncoder) -> None:
    front_end = encoder.front_end
    config = thinker_config(SIZES, front_end.tokenizer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = OmniModel(build_backbone(config, "bidirectional"), 32).eval()
    with torch.inference_mode():
        together = model(front_end.text_inputs(TEXTS), "text")
        alone = torch.cat([model(front_end.text_inputs([text]), "text") for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_a_long_text_loses_its_end(encoder: OmniEncoder) -> None:
    """Mean pooling: of the words the first stay, and with them the prompt and the system's turn."""
    limit = encoder.front_end.settings.max_text_tokens
    ids = encoder.front_end.text_inputs(["rain on the roof " * 300])["input_ids"][0].tolist()
    begins = chat("You are a helpful assistant.", "query:rain on the roof ").split("<|im_end|>\n<")
    decoded = encoder.front_end.tokenizer.decode(ids, skip_special_tokens=False)
    assert len(ids) == limit and decoded.startswith(begins[0])
    assert "<|im_start|>user\nquery:rain on the roof rain" in decoded


def test_embedding_equals_the_documented_pooling_written_out(
    encoder: OmniEncoder, waveforms: list[np.ndarray]
) -> None:
    """The stock 300 s features, the bare model, then mean, normalise, head, normalise by hand."""
    waveform = waveforms[0]
    inputs = encoder.front_end.audio_inputs([waveform])
    stock = encoder.front_end.extractor(
        waveform, sampling_rate=16_000, padding="max_length", return_attention_mask=True,
        return_tensors="pt",
    )  # fmt: skip
    with torch.inference_mode():
        hidden = encoder.model.backbone(
            input_ids=inputs["input_ids"],
            input_features=stock["input_features"],
            feature_attention_mask=stock["attention_mask"],
        ).last_hidden_state[0]
    pooled = hidden.mean(0).numpy().astype(np.float64)
    pooled /= np.linalg.norm(pooled)
    head = encoder.model.audio_head
    projected = head.linear.weight.detach().numpy() @ pooled
    projected = (projected - projected.mean()) / np.sqrt(projected.var() + head.norm.eps)
    expected = projected / np.linalg.norm(projected)  # LayerNorm's weight is 1 and its bias 0
    np.testing.assert_allclose(encoder.encode_audio([waveform])[0], expected, atol=1e-5)


def test_chat_layout_is_the_published_template() -> None:
    template = Template(CHAT_TEMPLATE, keep_trailing_newline=True)
    text = [{"role": "user", "content": [{"type": "text", "text": "query:a dog barks"}]}]
    system = "You are a helpful assistant."
    assert chat(system, "query:a dog barks") == template.render(messages=text)
    audio = [{"role": "user", "content": [{"type": "audio"}]}]
    expected = template.render(messages=audio)
    assert chat(system, "<|audio_bos|><|AUDIO|><|audio_eos|>") == expected


def test_prompt_stands_before_the_text_without_a_space(encoder: OmniEncoder) -> None:
    ids = encoder.front_end.text_inputs(["rain"])["input_ids"][0].tolist()
    decoded = encoder.front_end.tokenizer.decode(ids, skip_special_tokens=False)
    assert "user\nquery:rain<|im_end|>" in decoded


def test_a_text_cannot_smuggle_in_an_audio_token(encoder: OmniEncoder) -> None:
    ids = encoder.front_end.text_inputs(["<|AUDIO|> and <|im_end|>"])["input_ids"]
    assert not (ids == encoder.front_end.audio_id).any()
    assert np.isfinite(encoder.encode_text(["<|AUDIO|>"])).all()


def test_audio_tokens_follow_the_towers_lengths() -> None:
    assert [num_audio_tokens(n) for n in (3, 4, 5, 7, 250, 500)] == [1, 1, 1, 2, 62, 125]


def test_silence_has_a_vector(encoder: OmniEncoder) -> None:
    assert np.isfinite(encoder.encode_audio([np.zeros(16_000, np.float32)])).all()


def test_no_input_gives_no_rows(encoder: OmniEncoder) -> None:
    assert encoder.encode_text([]).shape == encoder.encode_audio([]).shape == (0, 32)


def test_fingerprint_is_of_what_decides_a_vector(folder: Path, tmp_path: Path) -> None:
    first = load_encoder_folder(folder)
    assert first.fingerprint == load_encoder_folder(folder).fingerprint
    front_end, settings = first.front_end, first.front_end.settings
    save_encoder_folder(tmp_path / "other", new_model(SIZES, front_end, 2), front_end, settings)
    other = load_encoder_folder(tmp_path / "other")
    assert other.fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tokenizer.json", '"<|im_start|>"', '"<|im_begin|>"'),
        ("preprocessor_config.json", '"hop_length": 320', '"hop_length": 160'),
        ("encoder.json", '"query:"', '"passage:"'),
    ],
)
def test_fingerprint_is_of_prompt_tokenizer_and_mel(
    folder: Path, tmp_path: Path, name: str, old: str, new: str
) -> None:
    changed = Path(shutil.copytree(folder, tmp_path / "changed"))
    content = (changed / name).read_text(encoding="utf-8")
    assert old in content
    (changed / name).write_text(content.replace(old, new), encoding="utf-8")
    fingerprints = {load_encoder_folder(path).fingerprint for path in (folder, changed)}
    assert len(fingerprints) == 2


def test_an_encoder_is_named_by_its_folder(folder: Path) -> None:
    encoder = load_encoder(str(folder), device="cpu")
    assert encoder.encoder_id == f"{folder}:{encoder.fingerprint}"


@pytest.mark.parametrize("name", ["no-such-model", "./nowhere"])
def test_unknown_encoder_says_what_there_is(name: str) -> None:
    with pytest.raises(OeaError, match=f"no encoder '{name}'; there are mini, oea-nemo3b"):
        encoder_folder(name)


def test_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(OeaError, match=r"no encoder\.json in it"):
        load_encoder(str(tmp_path))


def test_unknown_device_and_missing_gpu(folder: Path) -> None:
    with pytest.raises(OeaError, match=r"device must be auto, cpu, .*; got 'toaster'"):
        load_encoder(str(folder), device="toaster")
    with pytest.raises(OeaError, match="there is no device 'cuda:99'"):
        load_encoder(str(folder), device="cuda:99")


def test_broken_weights_are_named(folder: Path, tmp_path: Path) -> None:
    import shutil

    broken = shutil.copytree(folder, tmp_path / "broken")
    weights = broken / "heads.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(OeaError, match=r"heads\.safetensors: cannot be read"):
        load_encoder(str(broken))
    tensors = load_file(folder / "heads.safetensors")
    tensors.pop("text_head.norm.bias")
    save_file(tensors, weights)
    with pytest.raises(OeaError, match=r"heads\.safetensors: lacks text_head\.norm\.bias"):
        load_encoder(str(broken))


def test_loading_leaves_garbage_collection_as_it_was(folder: Path) -> None:
    import gc

    with _no_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    load_encoder(str(folder), device="cpu")
    assert gc.isenabled()
    gc.disable()
    try:
        load_encoder(str(folder), device="cpu")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_chunks_of_the_audio_tower_attend_at_once_as_they_do_one_by_one(
    encoder: OmniEncoder,
) -> None:
    from oea_cli.encoder.omni.chunk_attention import CHUNKS

    rng = np.random.default_rng(0)
    config = encoder.model.backbone.audio_tower.config
    for lengths in ([160_000] * 3, [160_000, 64_000, 79_999, 700], [321]):
        clips = [rng.normal(0, 0.1, length).astype(np.float32) for length in lengths]
        one_by_one = encoder.encode_audio(clips)
        config._attn_implementation = CHUNKS
        try:
            at_once = encoder.encode_audio(clips)
        finally:
            config._attn_implementation = "sdpa"
        assert np.abs(at_once - one_by_one).max() < 1e-6
        assert np.abs(at_once - one_by_one).max() > 0 or len(clips) == 1, "another kernel ran"


def test_attention_is_never_written_out_for_encoding(encoder: OmniEncoder) -> None:
    backbone = encoder.model.backbone
    assert backbone.language_model.config._attn_implementation == "sdpa"
    assert backbone.audio_tower.config._attn_implementation == "sdpa"


def test_bfloat16_is_chosen_where_it_is_fast() -> None:
    from oea_cli.encoder.hardware import has_fast_bfloat16, resolve_dtype

    cpu, cuda, mps = (torch.device(name) for name in ("cpu", "cuda", "mps"))
    assert resolve_dtype("auto", cuda) == torch.bfloat16
    assert resolve_dtype("auto", mps, is_large=True) == torch.float32
    assert resolve_dtype("auto", cpu) == torch.float32, "mini gives the same on every machine"
    large = resolve_dtype("auto", cpu, is_large=True)
    assert large == (torch.bfloat16 if has_fast_bfloat16() else torch.float32)
    flags = Path("/proc/cpuinfo")
    if flags.is_file() and " avx2 " in flags.read_text():
        named = {"avx512_bf16", "amx_tile"} & set(flags.read_text().split())
        assert has_fast_bfloat16() == bool(named)


def test_a_bfloat16_backbone_stays_near_the_float32_one() -> None:
    """Heads and pooling stay float32; measured on mini, whose weights mean something."""
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 0.1, n).astype(np.float32) for n in (80_000, 30_000)]
    texts = ["a dog barks", "rain on a roof without any thunder"]
    exact, short = (load_encoder("mini", device="cpu", dtype=d) for d in ("float32", "bfloat16"))
    for ours, theirs in (
        (exact.encode_audio(clips), short.encode_audio(clips)),
        (exact.encode_text(texts), short.encode_text(texts)),
    ):
        cosines = (ours * theirs).sum(1)
        assert cosines.min() > 0.9999, cosines
