"""R@1 and R@10 of texts among clips that are never trained on."""

from collections.abc import Iterable

import torch
from torch import Tensor

from oea_cli.encoder.omni.front_end import Inputs
from oea_cli.encoder.omni.omni import Modality
from oea_cli.training.examples import Validation
from oea_cli.training.learner import Learner


def validate(learner: Learner, validation: Validation) -> dict[str, float]:
    """`r@1` and `r@10`, fractions, of the averaged weights: texts rank all sounds."""
    with learner.averaged(), torch.no_grad():
        texts = _vectors(learner, validation.texts, "text")
        sounds = _vectors(learner, validation.sounds, "audio")
    scores = texts @ sounds.T
    own = scores.gather(1, validation.targets.to(scores.device).unsqueeze(1))
    ranks = 1 + (scores > own).sum(1)
    return {f"r@{k}": float((ranks <= k).float().mean()) for k in (1, 10)}


def _vectors(learner: Learner, inputs: Iterable[Inputs], modality: Modality) -> Tensor:
    device = learner.processes.device
    rows = []
    for one in inputs:
        moved = {name: tensor.to(device) for name, tensor in one.items()}
        with learner.autocast():
            pooled = learner.model.pool(moved)
        rows.append(learner.model.project(pooled, modality))
    return torch.cat(rows)
