"""The losses against closed forms."""

import math

import pytest
import torch
from torch.nn import functional

from oea_cli.training.objective.losses import (
    LabelLoss,
    exclusion_margin,
    info_nce,
    matryoshka,
    whitening_weight,
)


def unit(rows: int, size: int = 16, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(rows, size, generator=generator), dim=-1)


@pytest.mark.parametrize("rows", [1, 2, 7, 64])
def test_zero_embeddings_give_log_n(rows: int) -> None:
    zeros = torch.zeros(rows, 16)
    assert info_nce(zeros, zeros).item() == pytest.approx(math.log(rows), abs=1e-6)


def test_equals_a_written_out_cross_entropy() -> None:
    texts, clips = unit(5, seed=1), unit(5, seed=2)
    total = 0.0
    for a, b in [(texts, clips), (clips, texts)]:
        for i in range(5):
            scores = [math.exp(float(a[i] @ b[j]) / 0.07) for j in range(5)]
            total += -math.log(scores[i] / sum(scores)) / 5
    assert info_nce(texts, clips).item() == pytest.approx(total / 2, rel=1e-5)


def test_hard_negative_clips_stand_in_the_texts_denominator_only() -> None:
    texts, clips, extra = unit(4, seed=1), unit(4, seed=2), unit(3, seed=3)
    everything = torch.cat([clips, extra])
    to_clips = functional.cross_entropy(texts @ everything.T / 0.07, torch.arange(4))
    to_texts = functional.cross_entropy(clips @ texts.T / 0.07, torch.arange(4))
    expected = (to_clips + to_texts).item() / 2
    assert info_nce(texts, everything).item() == pytest.approx(expected, rel=1e-5)
    # The same on the other side: extra texts are negatives of the clips.
    assert info_nce(everything, texts).item() == pytest.approx(expected, rel=1e-5)


def test_hard_negatives_of_both_kinds_stand_in_one_denominator_each() -> None:
    texts, clips, extra_texts, extra = (unit(n, seed=n) for n in (4, 5, 2, 3))
    clips = clips[:4]
    to_clips = functional.cross_entropy(texts @ torch.cat([clips, extra]).T / 0.07, torch.arange(4))
    to_texts = functional.cross_entropy(
        clips @ torch.cat([texts, extra_texts]).T / 0.07, torch.arange(4)
    )
    found = info_nce(torch.cat([texts, extra_texts]), torch.cat([clips, extra]), num_pairs=4)
    assert found.item() == pytest.approx((to_clips + to_texts).item() / 2, rel=1e-5)


def test_hardness_weighs_negatives_by_their_logits() -> None:
    """As AuroLA has it: exp(beta x cosine / temperature), over the mean of a row."""
    texts, clips = unit(4, seed=1), unit(4, seed=2)
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[0, 2] = True
    total = 0.0
    for a, b, masked in [(texts, clips, same), (clips, texts, same.T)]:
        for i in range(4):
            others = [j for j in range(4) if j != i and not masked[i, j]]
            weights = [math.exp(0.1 * float(a[i] @ b[j]) / 0.07) for j in others]
            mean = sum(weights) / len(weights)
            negatives = sum(
                w / mean * math.exp(float(a[i] @ b[j]) / 0.07)
                for w, j in zip(weights, others, strict=True)
            )
            own = math.exp(float(a[i] @ b[i]) / 0.07)
            total += -math.log(own / (own + negatives)) / 4
    found = info_nce(texts, clips, same=same, hardness=0.1)
    assert found.item() == pytest.approx(total / 2, rel=1e-4)
    assert found.item() > info_nce(texts, clips, same=same).item()


def test_a_learned_temperature_has_a_gradient_where_cells_are_masked() -> None:
    texts, clips = unit(4, seed=1), unit(4, seed=2)
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[0, 2] = True
    log_scale = torch.tensor(2.0, requires_grad=True)
    info_nce(texts, clips, same=same, temperature=(-log_scale).exp()).backward()
    assert log_scale.grad is not None and torch.isfinite(log_scale.grad) and log_scale.grad != 0


def test_matryoshka_is_the_mean_over_prefixes_of_unit_length() -> None:
    texts, clips = unit(5, seed=1), unit(5, seed=2)
    expected = 0.0
    for size in (16, 4):
        a, b = (functional.normalize(rows[:, :size], dim=-1) for rows in (texts, clips))
        expected += info_nce(a, b).item() / 2
    assert matryoshka(info_nce, texts, clips, (16, 4)).item() == pytest.approx(expected, rel=1e-5)
    assert matryoshka(info_nce, texts, clips, ()).item() == info_nce(texts, clips).item()


def test_a_masked_cell_neither_attracts_nor_repels() -> None:
    texts, clips = unit(4, seed=1).requires_grad_(), unit(4, seed=2).requires_grad_()
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[0, 2] = same[2, 0] = True
    loss = info_nce(texts, clips, same=same)
    logits = (texts @ clips.T / 0.07).detach()
    rows = [[j for j in range(4) if not same[i, j]] for i in range(4)]
    forward = [torch.logsumexp(logits[i, rows[i]], 0) - logits[i, i] for i in range(4)]
    backward = [torch.logsumexp(logits[rows[i], i], 0) - logits[i, i] for i in range(4)]
    expected = (sum(forward) + sum(backward)) / 8
    assert loss.item() == pytest.approx(float(expected), rel=1e-5)


def test_the_mask_never_hides_a_pair_from_itself() -> None:
    texts, clips = unit(4, seed=1), unit(4, seed=2)
    everything = torch.ones(4, 4, dtype=torch.bool)
    assert info_nce(texts, clips, same=everything).item() == pytest.approx(0.0, abs=1e-6)


def test_gradients_are_those_of_finite_differences() -> None:
    texts, clips = unit(3, 5, seed=1).double(), unit(5, 5, seed=2).double()
    same = torch.zeros(3, 5, dtype=torch.bool)
    same[1, 4] = True
    texts.requires_grad_()
    loss = info_nce(texts, clips, same=same, temperature=0.5)
    (gradient,) = torch.autograd.grad(loss, texts)
    step = 1e-2
    for i, j in [(0, 0), (1, 3), (2, 4)]:
        moved = texts.detach().clone()
        moved[i, j] += step
        up = info_nce(moved, clips, same=same, temperature=0.5)
        moved[i, j] -= 2 * step
        down = info_nce(moved, clips, same=same, temperature=0.5)
        assert gradient[i, j].item() == pytest.approx((up - down).item() / (2 * step), abs=1e-3)


def test_exclusion_margin_is_log_two_when_both_clips_fit_alike() -> None:
    texts, clips = torch.zeros(3, 4), torch.zeros(3, 4)
    loss = exclusion_margin(texts, clips, torch.tensor([1, -1, 0]))
    assert loss.item() == pytest.approx(math.log(2))
    assert exclusion_margin(texts, clips, torch.full((3,), -1)).item() == 0.0


def test_exclusion_margin_pulls_to_the_own_clip_and_away_from_the_other() -> None:
    texts = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    clips = torch.tensor([[0.8, 0.6], [0.0, 1.0]], requires_grad=True)
    # Of text 0, 0.8 to its own clip and 0.0 to clip 1, its hard negative.
    loss = exclusion_margin(texts, clips, torch.tensor([1, -1]), temperature=0.5)
    assert loss.item() == pytest.approx(math.log1p(math.exp((0.0 - 0.8) / 0.5)))
    (gradient,) = torch.autograd.grad(loss, clips)
    assert gradient[0, 0] < 0 < gradient[1, 0]


def test_label_loss_leaves_out_what_is_not_said() -> None:
    loss = LabelLoss(4, 3).eval()  # in training, the first labels decide where the bias starts
    torch.nn.init.zeros_(loss.classify.weight)
    torch.nn.init.constant_(loss.classify.bias, 2.0)
    labels = torch.tensor([[1.0, 0.0, -1.0]])
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(2))) / 2
    assert loss(torch.ones(1, 4), labels).item() == pytest.approx(expected, rel=1e-5)


def test_label_loss_sees_through_a_large_common_mean() -> None:
    torch.manual_seed(0)
    labels = torch.eye(4).repeat(8, 1)
    pooled = torch.cat([labels * 0.1, torch.ones(32, 4) * 50], dim=1)
    loss = LabelLoss(8, 4)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        value = loss(pooled, labels)
        value.backward()
        optimizer.step()
    assert value.item() < 0.1


def test_whitening_takes_cosines_from_one_to_zero() -> None:
    torch.manual_seed(0)
    pooled = functional.normalize(torch.randn(400, 8) * 0.05 + torch.ones(8), dim=-1)
    before = pooled @ pooled.T
    for size in (6, 8, 20):
        projected = functional.normalize(pooled @ whitening_weight(pooled, size).T, dim=-1)
        cosines = projected @ projected.T
        off = ~torch.eye(400, dtype=torch.bool)
        assert before[off].mean().item() > 0.95
        assert abs(cosines[off].mean().item()) < 0.05
