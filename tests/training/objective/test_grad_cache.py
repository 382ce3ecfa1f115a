"""Gradients in pieces are the gradients: cached, and spread over processes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from oea_cli.encoder.omni.front_end import Inputs
from oea_cli.encoder.protocol import Encoder
from oea_cli.training.data.batch import (
    NO_KEY,
    Pairing,
    TrainingBatch,
    content_key,
    fitting,
    key_rows,
    pair_up,
)
from oea_cli.training.objective.losses import info_nce
from oea_cli.training.processes import Processes
from tests.conftest import REPOSITORY, clean_environment
from tests.training.objective.gradients import (
    SEEDS,
    gradients,
    gradients_of,
    learner_on,
    loss_of,
    micro_batch,
)

ALONE = Processes()


@pytest.fixture(scope="module")
def batches(encoder: Encoder) -> list[TrainingBatch]:
    return [micro_batch(encoder.front_end, number) for number in range(4)]  # type: ignore[attr-defined]


def test_cached_gradients_are_those_of_one_whole_batch(
    tiny_encoder: Path, batches: list[TrainingBatch]
) -> None:
    # Without dropout in the backbone: what it draws depends on the rows that are together.
    learner = learner_on(tiny_encoder, ALONE, dropout=0.0)
    cached = gradients(learner, batches, SEEDS, ALONE)
    whole = gradients(learner, [joined(batches)], SEEDS[:1], ALONE)
    assert_close(cached, whole)
    assert {"lora_A", "lora_B", "text_head", "audio_head", "log_scale"} <= {
        part for name in cached for part in name.split(".")
    }
    assert any("audio_tower" in name for name in cached)
    assert all(bool(gradient.abs().max() > 1e-7) for gradient in cached.values())


def test_cached_gradients_are_those_of_a_graph_kept_whole_with_dropout(
    tiny_encoder: Path, batches: list[TrainingBatch]
) -> None:
    learner = learner_on(tiny_encoder, ALONE)
    cached = gradients(learner, batches, SEEDS, ALONE)
    learner.optimizer.zero_grad(set_to_none=True)
    texts, sounds = [], []
    for seed, batch in zip(SEEDS, batches, strict=True):
        torch.manual_seed(seed)
        of_texts, of_sounds = learner.pool(batch)
        assert of_sounds is not None
        texts.append(of_texts)
        sounds.append(of_sounds)
    pairing = pair_up(batches, ALONE)
    torch.manual_seed(9)
    loss = loss_of(learner)
    loss(torch.cat(texts)[pairing.texts], torch.cat(sounds)[pairing.sounds], pairing).backward()
    assert_close(cached, gradients_of(learner))
    # And dropout is there: other seeds, other gradients.
    other = gradients(learner, batches, [1, 2, 3, 4], ALONE)
    assert any(not torch.allclose(cached[name], other[name], atol=1e-4) for name in cached)


def test_negatives_within_micro_batches_are_the_losses_of_the_micro_batches() -> None:
    generator = torch.Generator().manual_seed(1)
    texts, sounds = (
        torch.nn.functional.normalize(torch.randn(6, 8, generator=generator), dim=-1)
        for _ in range(2)
    )
    same = torch.eye(6, dtype=torch.bool)
    same[0, 1] = same[0, 4] = True
    pairing = Pairing(torch.arange(6), torch.arange(6), same, torch.full((6,), -1), None, None)

    def loss(rows: slice, left_out: Tensor | None) -> Tensor:
        return info_nce(texts[rows], sounds[rows], same=left_out)

    whole, halves = slice(0, 6), (slice(0, 3), slice(3, 6))
    known = pairing.with_negatives(3)
    apart = torch.stack([loss(half, same[half, half]) for half in halves]).mean()
    torch.testing.assert_close(loss(whole, known.same), apart)
    known = pairing.with_negatives(3, masks=False)
    apart = torch.stack([loss(half, None) for half in halves]).mean()
    torch.testing.assert_close(loss(whole, known.same), apart)
    unmasked = pairing.with_negatives(masks=False)
    torch.testing.assert_close(loss(whole, unmasked.same), loss(whole, None))
    assert torch.equal(pairing.with_negatives().same, same)


@pytest.mark.slow
def test_two_processes_have_the_gradients_of_one(
    tiny_encoder: Path, batches: list[TrainingBatch], tmp_path: Path
) -> None:
    output = tmp_path / "gradients.safetensors"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    done = subprocess.run(
        [
            *launcher,
            "2",
            "-m",
            "tests.training.objective.gradients",
            str(tiny_encoder),
            str(output),
        ],
        env={**clean_environment(), "OMP_NUM_THREADS": "1"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert_close(
        load_file(output), gradients(learner_on(tiny_encoder, ALONE), batches, SEEDS, ALONE)
    )


def assert_close(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys() and len(found) > 10
    for name, gradient in wanted.items():
        assert torch.allclose(found[name], gradient, rtol=1e-5, atol=1e-5), name


def joined(batches: list[TrainingBatch]) -> TrainingBatch:
    """One batch of all pairs, and then all hard negatives."""
    pairs, width = 3, 4
    order = [width * b + row for b in range(len(batches)) for row in range(pairs)]
    order += [width * b + pairs for b in range(len(batches))]
    where = {row: place for place, row in enumerate(order)}
    negatives = [
        where[width * b + int(row)] if row >= 0 else -1
        for b, batch in enumerate(batches)
        for row in batch.hard_negative
    ]
    sounds = [batch.sounds for batch in batches if batch.sounds]
    return TrainingBatch(
        rows_of([batch.texts for batch in batches], order),
        rows_of(sounds, order),
        torch.cat([batch.text_keys for batch in batches])[order],
        torch.cat([batch.sound_keys for batch in batches])[order],
        torch.tensor(negatives),
    )


def rows_of(inputs: list[Inputs], order: list[int]) -> Inputs:
    """Inputs of different widths, one below the other, in an order."""
    together = {}
    for name in inputs[0]:
        width = max(one[name].shape[-1] for one in inputs)
        together[name] = torch.cat(
            [torch.nn.functional.pad(one[name], (0, width - one[name].shape[-1])) for one in inputs]
        )[order]
    return together


# --- what fits what ---


def test_a_pair_is_masked_nowhere_else_but_where_keys_are_equal(
    batches: list[TrainingBatch],
) -> None:
    pairing = pair_up(batches, ALONE)
    assert pairing.num_pairs == 12 and pairing.same.shape == (16, 16)
    off = pairing.same & ~torch.eye(16, dtype=torch.bool)
    # Text 0 of each micro-batch fits the second clip of the one before; nothing else fits.
    assert sorted(map(tuple, off.nonzero().tolist())) == [(0, 10), (3, 1), (6, 4), (9, 7)]
    assert bool(pairing.same[:12, :12].diagonal().all())


def test_hard_negatives_point_at_the_same_sounds_in_the_global_batch(
    batches: list[TrainingBatch],
) -> None:
    pairing = pair_up(batches, ALONE)
    assert pairing.hard_negative.tolist() == [12, -1, 0, 13, -1, 3, 14, -1, 6, 15, -1, 9]


def test_padding_equals_nothing() -> None:
    texts, sounds = key_rows([[1, 2], [3], []]), key_rows([[2], [], [3, 4]])
    assert (texts[2] == NO_KEY).all()
    assert fitting(texts, sounds).tolist() == [
        [True, False, False],
        [False, False, True],
        [False, False, False],
    ]


def test_keys_are_of_what_is_said_and_last() -> None:
    assert content_key("clotho", "a.wav") == content_key("clotho", "a.wav")
    assert content_key("clotho", "a.wav") != content_key("clotho", "b.wav")
    assert 0 <= content_key("x") < 2**63


def test_a_batch_of_texts_alone_is_labels_alone(batches: list[TrainingBatch]) -> None:
    alone = [replace(batch, sounds=None, text_labels=torch.ones(3, 2)) for batch in batches]
    pairing = pair_up(alone, ALONE)
    assert pairing.text_labels is not None and pairing.text_labels.shape == (12, 2)
    assert pairing.sound_labels is None
