"""Measuring an encoder: what is counted is right, whatever the machine."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.parsing import Placement, parse_name
from oea_cli.encoder.omni.backbone import build_backbone
from oea_cli.encoder.omni.known_backbones import KNOWN_BACKBONES, TOKEN_IDS, backbone_config
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import stream_inputs
from oea_cli.encoder.tools.bench import (
    Recorder,
    Work,
    captions,
    forward_flops,
    matrix_product_rate,
    measure,
    noise,
)
from oea_cli.encoder.tools.random_weights import random_encoder
from oea_cli.errors import OeaError, UsageError, raise_failure
from tests.commands.in_process import run


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> Encoder:
    return load_encoder(str(tiny_encoder), device="cpu", dtype="float32")


def test_everything_is_measured(encoder: Encoder) -> None:
    said: list[str] = []
    result = measure(encoder, Work(seconds=1.0, number=3, rounds=2), notice=said.append)
    assert result["clips"] == 3 and result["seconds"] == 1.0 and result["dtype"] == "float32"
    assert result["clips_per_second"] == pytest.approx(1000 / result["ms_per_clip"])
    share = result["forward_ms_per_clip"] / result["ms_per_clip"]
    assert result["share_of_forward"] == pytest.approx(share)
    assert 0 < result["share_of_matrix_rate"] < 1
    assert result["forward_flops_per_second"] == pytest.approx(
        result["flops_per_clip"] / result["forward_ms_per_clip"] * 1000
    )
    assert result["peak_memory_bytes"] > result["weights_bytes"] > 0
    assert result["weights_bytes"] == 4 * result["parameters"]
    assert said[0] == "one clip and one text at a time"


def test_a_clip_longer_than_a_window_is_refused(encoder: Encoder) -> None:
    with pytest.raises(OeaError, match="at most 10 s, the encoder's window"):
        measure(encoder, Work(seconds=11))
    with pytest.raises(OeaError, match="must be more than 0"):
        measure(encoder, Work(seconds=0))


def test_operations_are_those_of_the_weights(encoder: Encoder) -> None:
    """Twice the weights of every linear layer for each position, and the attention's products."""
    model = encoder.model  # type: ignore[attr-defined]
    texts = ["a dog barks"] * 5
    tokens = model and encoder.front_end.text_inputs(texts)["input_ids"].numel()  # type: ignore[attr-defined]
    layers = model.backbone.language_model.layers
    linear = [m for m in layers.modules() if isinstance(m, torch.nn.Linear)]
    head = model.text_head.linear.weight.numel() * len(texts)
    expected = 2 * (tokens * sum(m.weight.numel() for m in linear) + head)
    counted = forward_flops(lambda: encoder.encode_text(texts))
    assert expected <= counted < 1.15 * expected


@pytest.mark.parametrize("key_heads", [4, 2])
@pytest.mark.parametrize("backend", [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION])
def test_attention_is_counted_whatever_does_it(backend: SDPBackend, key_heads: int) -> None:
    """Also where queries share keys, as in the larger backbones."""
    query = torch.ones(2, 4, 5, 8)
    key, value = torch.ones(2, key_heads, 6, 8), torch.ones(2, key_heads, 6, 8)

    def attend() -> np.ndarray:
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(query, key, value, enable_gqa=True).numpy()

    assert forward_flops(attend) == 2 * 2 * 4 * 5 * 6 * (8 + 8)


def test_the_forward_pass_is_timed_on_the_streams_own_batches(encoder: Encoder) -> None:
    recorder = Recorder(encoder)
    made = [
        batch.vectors
        for batch in stream_inputs(recorder, captions(50), batch_size=8, report=raise_failure)
    ]
    assert sum(recorder.rows) == 50 and max(recorder.rows) <= 8
    again = np.concatenate([forward() for forward in recorder.passes])
    assert sorted(again[:, 0]) == pytest.approx(sorted(np.concatenate(made)[:, 0]), abs=1e-6)
    clip = noise(1.0, 16_000)
    recorder = Recorder(encoder)
    vectors = recorder.encode_prepared(recorder.prepare_audio([clip] * 2))
    np.testing.assert_array_equal(recorder.passes[0](), vectors)


def test_a_matrix_product_has_a_rate() -> None:
    assert 1e8 < matrix_product_rate(torch.float32, "cpu", 256) < 1e14


@pytest.mark.parametrize("repository", KNOWN_BACKBONES)
def test_known_backbones_have_the_released_sizes(repository: str) -> None:
    config = backbone_config(repository)
    with torch.device("meta"):
        backbone = build_backbone(config, KNOWN_BACKBONES[repository].attention)
    attention = ("q_proj", "k_proj", "v_proj", "o_proj", "out_proj")
    targets = {n: m for n, m in backbone.named_modules() if n.endswith(attention)}
    is_7b = "7B" in repository
    # As counted in the released checkpoints: OEA's LoRA of rank 16.
    assert 2 * len(targets) == (480 if is_7b else 544)
    lora = sum(16 * (m.in_features + m.out_features) for m in targets.values())
    assert lora == (15_335_424 if is_7b else 12_615_680)
    size = 2 * sum(parameter.numel() for parameter in backbone.parameters())
    assert size < (15.6e9 if is_7b else 7.8e9), "in bfloat16"
    assert max(TOKEN_IDS.values()) < config.text_config.vocab_size


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_random_weights_are_of_the_size_of_the_encoder_they_stand_for(
    tiny_encoder: Path, encoder: Encoder, dtype: str
) -> None:
    made = random_encoder(parse_name(str(tiny_encoder)), Placement("cpu", dtype))
    real = encoder.model.state_dict()  # type: ignore[attr-defined]
    assert {n: t.shape for n, t in made.model.state_dict().items()} == {
        name: tensor.shape for name, tensor in real.items()
    }
    assert made.model.backbone.dtype == getattr(torch, dtype)
    assert made.model.text_head.linear.weight.dtype == torch.float32
    vectors = made.encode_audio([noise(1.0, 16_000), noise(0.5, 16_000)])
    assert vectors.shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4


def test_sizes_that_are_not_known_are_refused() -> None:
    for name in ("clap:laion/clap-htsat-unfused", "omni:somebody/model"):
        with pytest.raises(UsageError, match="its sizes are not known; known: oea-nemo3b"):
            random_encoder(parse_name(name), Placement("cpu"))


def test_the_verb_prints_a_table_or_json(
    tiny_encoder: Path, tone: Callable[..., Path], tmp_path: Path
) -> None:
    for i in range(3):
        tone(tmp_path / "sounds" / f"{i}.wav", seconds=1 + i / 2)
    few = ["--seconds", "1", "--number", "2", "--rounds", "1"]
    told = run(
        ["models", "bench", tiny_encoder, *few, "--files", tmp_path / "sounds", "-f", "json"]
    )
    assert told.returncode == 0, told.stderr
    result = json.loads(told.stdout)
    assert result["files"]["clips"] == 3 and result["files"]["failed"] == 0
    assert "oea models bench: 3 sounds from their files" in told.stderr
    told = run(["models", "bench", tiny_encoder, "--random-weights", *few, "-q"])
    assert told.returncode == 0 and told.stderr == ""
    for row in ("ms per clip", "ms per text", "peak memory", "bare forward", "of matrix rate"):
        assert f"\n{row}" in told.stdout


def test_the_verb_refuses_what_makes_no_sense(tiny_encoder: Path) -> None:
    told = run(["models", "bench", tiny_encoder, "--seconds", "60"])
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == (
        "oea models bench: --seconds 60: must be more than 0 and at most 10 s, the encoder's window"
    )
    told = run(["models", "bench", "omni:a/b", "--random-weights"])
    assert told.returncode == 2 and "its sizes are not known" in told.stderr
