"""The loss of a global batch, from the backbone's pooled vectors on: heads, InfoNCE and what helps.

Everything here is small, so every process computes it for the whole global batch.
"""

import math

import torch
from torch import Tensor, nn

from oea_cli.encoder.omni.omni import OmniModel
from oea_cli.training.data.batch import Pairing
from oea_cli.training.data.schedule import label_weight
from oea_cli.training.objective.losses import LabelLoss, exclusion_margin, info_nce, matryoshka
from oea_cli.training.recipe.recipe import Recipe, Stage

LARGEST_SCALE = 100.0
"""Of a learned 1 / temperature, as in CLIP; the smallest is 1."""


class Objective(nn.Module):
    """The parts of the loss that remember something: label losses, a learned temperature."""

    def __init__(self, recipe: Recipe, hidden_size: int, num_labels: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.log_scale: nn.Parameter | None = None
        if recipe.learn_temperature:
            self.log_scale = nn.Parameter(torch.tensor(-math.log(recipe.temperature)))
        if num_labels:
            # What a text says is in, and what it says is not.
            self.text_labels = LabelLoss(hidden_size, 2 * num_labels)
            self.sound_labels = LabelLoss(hidden_size, num_labels)

    @property
    def temperature(self) -> float | Tensor:
        """What cosines are divided by."""
        if self.log_scale is None:
            return self.recipe.temperature
        return (-self.log_scale.clamp(0, math.log(LARGEST_SCALE))).exp()

    def forward(
        self, model: OmniModel, texts: Tensor, sounds: Tensor | None, pairing: Pairing
    ) -> dict[str, Tensor]:
        """The parts by name, `contrast` and `margin` for pairs, `labels` where there are any.

        texts (N + T, H) and sounds (N + H, H) are pooled vectors, pairs first.
        """
        losses: dict[str, Tensor] = {}
        num_pairs, temperature = pairing.num_pairs, self.temperature
        if sounds is not None:
            text_vectors, sound_vectors = (
                model.project(texts, "text"),
                model.project(sounds, "audio"),
            )
            losses["contrast"] = matryoshka(
                lambda a, b: info_nce(
                    a,
                    b,
                    num_pairs=num_pairs,
                    same=pairing.same,
                    temperature=temperature,
                    hardness=self.recipe.hardness,
                ),
                text_vectors,
                sound_vectors,
                self.recipe.matryoshka,
            )
            losses["margin"] = exclusion_margin(
                text_vectors, sound_vectors, pairing.hard_negative, temperature=temperature
            )
        if pairing.text_labels is not None:
            losses["labels"] = self.text_labels(texts[:num_pairs], pairing.text_labels)
        if sounds is not None and pairing.sound_labels is not None:
            of_sounds = self.sound_labels(sounds[:num_pairs], pairing.sound_labels)
            losses["labels"] = losses["labels"] + of_sounds
        return losses


def weighted(losses: dict[str, Tensor], stage: Stage, progress: float) -> Tensor:
    """The sum that is minimised, `progress` (0..1) into the stage."""
    weights = {
        "contrast": stage.contrast_weight,
        "margin": stage.margin_weight,
        "labels": label_weight(stage, progress),
    }
    return torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
