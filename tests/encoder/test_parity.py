"""`oea models check`: right encoders pass, wrong ones are caught."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.encoder.omni.front_end import Inputs
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.others.plain import PlainEncoder
from oea_cli.encoder.tools import parity
from oea_cli.encoder.tools.parity import Check
from tests.commands.in_process import run

FEW = (1.7, 0.02, 2.51)  # seconds


@pytest.fixture
def omni(tiny_encoder: Path) -> OmniEncoder:
    """An encoder of the test's own, to be spoilt."""
    return load_encoder_folder(tiny_encoder)


def broken(encoder: Any) -> list[str]:
    """What the check finds wrong."""
    found = parity.check(encoder, FEW)
    return [one.what for one in found if isinstance(one, Check) and not one.holds]


def test_a_right_encoder_passes(omni: OmniEncoder) -> None:
    checks = [one for one in parity.check(omni, FEW) if isinstance(one, Check)]
    assert len(checks) >= 7
    assert all(check.holds and check.value < 2e-6 for check in checks)


def test_pooling_over_the_padding_is_caught(
    omni: OmniEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pool(inputs: Inputs) -> Tensor:
        positions = inputs["attention_mask"].cumsum(-1) - 1
        output = omni.model.backbone(**inputs, position_ids=positions, use_cache=False)
        hidden: Tensor = output.last_hidden_state
        return hidden.mean(1)

    monkeypatch.setattr(omni.model, "pool", pool)
    assert broken(omni) == [
        "clips: 3 together", "clips: in another order", "texts: 8 together",
        "texts: in another order",
    ]  # fmt: skip


def test_a_mel_that_is_normalised_over_the_batch_is_caught(
    omni: OmniEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = omni.front_end.audio_inputs

    def audio_inputs(waveforms: Sequence[np.ndarray]) -> Inputs:
        inputs = made(waveforms)
        features = inputs["input_features"]
        return inputs | {"input_features": features - features.mean()}

    monkeypatch.setattr(omni.front_end, "audio_inputs", audio_inputs)
    assert "clips: mel padded to 300 s" in broken(omni)


def test_a_forgotten_normalisation_is_caught(omni: OmniEncoder) -> None:
    """The pooled vector is normalised before the head: LayerNorm's epsilon tells."""
    omni.model.audio_head.norm.eps = 1e-2
    project = omni.model.project
    omni.model.project = lambda pooled, modality: project(pooled, "audio")  # type: ignore[method-assign]
    assert broken(omni)[0] == "texts: one at a time"


def test_the_stock_processor_agrees(omni: OmniEncoder) -> None:
    clips = parity.sounds(omni, FEW)
    said = parity._stock_inputs(omni, clips)
    if not all(map(find_spec, ("PIL", "torchvision"))):
        assert said == "stock processor left out: it needs pillow and torchvision"
        pytest.skip("needs pillow and torchvision")
    assert isinstance(said, Check) and said.what == "clips: the stock processor's inputs"
    assert said.value == 0
    omni.front_end.settings = replace(omni.front_end.settings, system_prompt="You are not.")
    said = parity._stock_inputs(omni, clips)
    assert isinstance(said, Check) and not said.holds


class Means(PlainEncoder):
    """Hears loudness; where `leaks`, that of its neighbours, too."""

    leaks = False

    def audio_vectors(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        rows = np.array([[1, np.abs(waveform).mean()] for waveform in waveforms])
        return rows + rows.mean(0) * self.leaks


def test_any_encoder_must_not_depend_on_the_batch() -> None:
    encoder = Means("means", "0", 2)
    said = list(parity.check(encoder, FEW))
    assert [one.what for one in said if isinstance(one, Check)] == [
        "clips: 3 together", "clips: in another order",
    ]  # fmt: skip
    assert said[-1] == "texts left out: means does not encode texts"
    assert broken(encoder) == []
    encoder.leaks = True
    assert broken(encoder) == ["clips: 3 together", "clips: in another order"]


def test_below_float32_the_limits_are_wider(tiny_encoder: Path) -> None:
    encoder = load_encoder(str(tiny_encoder), device="cpu", dtype="bfloat16")
    assert broken(encoder) == []
    limits = {one.limit for one in parity.check(encoder, FEW) if isinstance(one, Check)}
    assert limits == {parity.MEL_LIMIT, parity.LIMITS["bfloat16"]}


def test_nan_never_holds() -> None:
    assert not Check("x", float("nan"), 1.0).holds
    assert not Check("x", float("nan"), 0.9, at_least=True).holds
    assert Check("x", 0.95, 0.9, at_least=True).holds


def test_quantised_vectors_are_compared_by_cosine(omni: OmniEncoder, tiny_encoder: Path) -> None:
    other = load_encoder_folder(tiny_encoder)
    with torch.no_grad():
        other.model.backbone.language_model.layers[0].mlp.down_proj.weight.mul_(0)
    texts, clips = parity.quantized(omni, other, "int8")
    assert not texts.holds and not clips.holds and texts.at_least
    assert all(check.value > 1 - 1e-5 for check in parity.quantized(omni, omni, "int8"))


@pytest.mark.slow
def test_the_verb(tiny_encoder: Path) -> None:
    done = run(["models", "check", tiny_encoder])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 7 and all(line.endswith(" ok") for line in lines)


def test_the_verb_fails_when_a_limit_is_broken(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parity.LIMITS, "float32", 0.0)
    done = run(["models", "check", tiny_encoder, "-q"])
    assert done.returncode == 1
    assert "BROKEN" in done.stdout and "comparisons beyond the limit" in done.stderr
    assert "; do not use its vectors" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = run(["models", "check", "no-such-encoder"])
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
