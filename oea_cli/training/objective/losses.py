"""The training objectives: contrastive loss over pairs, and the label loss that gets it started.

Source: symmetric InfoNCE at a fixed temperature of 0.07 is the OEA paper's loss. Masks for pairs
that mean the same, and hard negatives in the denominator, are what its training code lacks.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

TEMPERATURE = 0.07
LABEL_SCALE, LABEL_MOMENTUM = 4.0, 0.9  # of centred vectors; of their running mean


def info_nce(
    texts: Tensor,
    clips: Tensor,
    *,
    num_pairs: int | None = None,
    same: Tensor | None = None,
    temperature: float | Tensor = TEMPERATURE,
    hardness: float = 0.0,
) -> Tensor:
    """Symmetric InfoNCE: every text must find its clip, and every clip its text.

    texts is (B + T, D) and clips (B + H, D), both L2-normalised. Row i of the first
    B = num_pairs of each (all rows of the shorter, by default) are a pair; the rest are hard
    negatives, which stand in the denominator only. `same` (texts, clips) is True where a text fits
    a clip although they are not a pair: such cells are left out instead of being pushed apart.
    Returns a scalar, in nats; it is log N where all vectors are alike and nothing is masked.

    With `hardness` beta, a negative counts exp(beta x cosine / temperature) over the mean of that
    in its row, and no gradient flows through the weights (AuroLA, arXiv 2602.18010, which has beta
    0.1 at temperature 0.05).
    """
    cosines = texts.float() @ clips.float().T  # (B + T, B + H)
    num_pairs = min(cosines.shape) if num_pairs is None else num_pairs
    masked = _off_pair(same) if same is not None else torch.zeros_like(cosines, dtype=torch.bool)
    to_clips = _cross_entropy(cosines[:num_pairs], masked[:num_pairs], temperature, hardness)
    to_texts = _cross_entropy(cosines.T[:num_pairs], masked.T[:num_pairs], temperature, hardness)
    return (to_clips + to_texts) / 2


def _cross_entropy(
    cosines: Tensor, masked: Tensor, temperature: float | Tensor, hardness: float
) -> Tensor:
    """Of (B, B or more) against the diagonal, without the masked cells."""
    logits = cosines / temperature
    if hardness:
        logits = logits + _log_weights(logits.detach(), masked, hardness)
    targets = torch.arange(len(logits), device=logits.device)
    return functional.cross_entropy(logits.masked_fill(masked, float("-inf")), targets)


def _log_weights(logits: Tensor, masked: Tensor, hardness: float) -> Tensor:
    counted = ~masked & ~torch.eye(*logits.shape, dtype=torch.bool, device=logits.device)
    scaled = (hardness * logits).masked_fill(~counted, float("-inf"))
    mean = scaled.logsumexp(1, keepdim=True) - counted.sum(1, keepdim=True).log()
    return torch.where(counted, scaled - mean, 0.0)


def matryoshka(
    loss: Callable[[Tensor, Tensor], Tensor], texts: Tensor, clips: Tensor, sizes: Sequence[int]
) -> Tensor:
    """Mean of a loss over prefixes of these sizes, each of unit length again (Kusupati et al.).

    texts and clips are (n, D). Without sizes it is the loss of the whole vectors.
    """
    prefixes = [
        (
            functional.normalize(texts[:, :size], dim=-1),
            functional.normalize(clips[:, :size], dim=-1),
        )
        for size in sizes
    ]
    return torch.stack([loss(a, b) for a, b in prefixes or [(texts, clips)]]).mean()


def _off_pair(same: Tensor) -> Tensor:
    """The mask without its diagonal: a pair is never masked out of its own denominator."""
    diagonal = torch.eye(same.shape[0], same.shape[1], dtype=torch.bool, device=same.device)
    return same & ~diagonal


def exclusion_margin(
    texts: Tensor,
    clips: Tensor,
    hard_negative: Tensor,
    *,
    temperature: float | Tensor = TEMPERATURE,
) -> Tensor:
    """Softplus of how much better a text fits its hard negative than its own clip.

    texts is (B or more, D), clips too, pairs first; hard_negative (B,) holds the row in clips of
    each text's hard negative, or -1 for none. Returns the mean over the texts that have one, 0
    where none has.
    """
    rows = torch.nonzero(hard_negative >= 0).squeeze(1)
    if not len(rows):
        return texts.new_zeros(())
    own = (texts[rows] * clips[rows]).sum(-1)
    other = (texts[rows] * clips[hard_negative[rows]]).sum(-1)
    return functional.softplus((other - own) / temperature).mean()


class LabelLoss(torch.nn.Module):
    """Which sounds are in it? Binary cross-entropy on centred pooled vectors.

    At the start a tiny backbone's pooled vectors are nearly constant (cosine to their mean above
    0.97), and InfoNCE alone stays at chance. Subtracting a running mean and asking for the labels
    pulls them apart; the weight of this loss then falls to zero. One instance per modality, since
    the means differ.
    """

    def __init__(self, size: int, num_labels: int) -> None:
        super().__init__()
        self.classify = torch.nn.Linear(size, num_labels)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(size))
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, pooled: Tensor, labels: Tensor) -> Tensor:
        """The loss of pooled vectors (B, H) against labels (B, num_labels) in 0..1.

        A negative label means "unknown": the cell is left out.
        """
        pooled = pooled.float()
        if self.training:
            if not int(self.seen):
                self._start_at(labels)
            self._follow(pooled.detach().mean(0))
        scores = self.classify((pooled - self.mean) * LABEL_SCALE)
        known = (labels >= 0).float()
        losses = functional.binary_cross_entropy_with_logits(
            scores, labels.clamp(0, 1), reduction="none"
        )
        return (losses * known).sum() / known.sum().clamp(min=1)

    @torch.no_grad()
    def _start_at(self, labels: Tensor) -> None:
        # Few labels of many hold. A bias that has to find that out by itself borrows it from the
        # lag of the running mean, and loses it when the learning rate falls.
        share = labels.clamp(0, 1).mean(0).mean().clamp(1e-4, 1 - 1e-4)
        self.classify.bias.fill_(torch.logit(share))

    def _follow(self, batch_mean: Tensor) -> None:
        keep = LABEL_MOMENTUM if int(self.seen) else 0.0
        self.mean.mul_(keep).add_(batch_mean, alpha=1 - keep)
        self.seen.add_(1)


def whitening_weight(pooled: Tensor, size: int) -> Tensor:
    """A (size, H) head weight that spreads pooled vectors (N, H) evenly, their mean removed.

    With it, cosines of the projected vectors start out near zero instead of near one. Directions
    that carry almost nothing are damped, not blown up. Rows beyond H mix the whitened directions
    at random, so that size may exceed H. Deterministic for a given torch seed.
    """
    pooled = pooled.double()
    mean = pooled.mean(0)
    along = torch.outer(mean, mean) / mean.dot(mean).clamp(min=1e-12)
    keep = torch.eye(len(mean), dtype=torch.float64, device=pooled.device) - along
    centred = (pooled - mean) @ keep
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(pooled))
    damped = values.clamp(min=0) + 0.01 * values.max().clamp(min=1e-12)
    whiten = (vectors * damped.rsqrt()).T @ keep  # (H, H)
    mix, _ = torch.linalg.qr(
        torch.randn(max(size, len(mean)), min(size, len(mean)), dtype=torch.float64)
    )
    rotate = mix if size >= len(mean) else mix.T
    weight: Tensor = (rotate.to(pooled.device) @ whiten).float()
    return weight
