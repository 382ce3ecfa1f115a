"""R@1 and R@10 of texts among clips that are never trained on."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from oea_cli.encoder.omni.front_end import Inputs
from oea_cli.encoder.omni.omni import Modality
from oea_cli.metrics.metrics import parse_metrics, summary
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.training.data.examples import Validation
from oea_cli.training.loop.learner import Learner

METRICS = parse_metrics(["r@1", "r@10"])


def validate(learner: Learner, validation: Validation) -> dict[str, float]:
    """`r@1` and `r@10`, fractions, of the averaged weights: texts rank all sounds."""
    with learner.averaged(), torch.no_grad():
        texts = _vectors(learner, validation.texts, "text")
        sounds = _vectors(learner, validation.sounds, "audio")
    scores = texts @ sounds.T
    own = scores.gather(1, validation.targets.to(scores.device).unsqueeze(1))
    outcomes = _outcomes((1 + (scores > own).sum(1)).cpu().numpy(), len(sounds))
    return {str(metric): summary(metric, metric.values(outcomes)) for metric in METRICS}


def _outcomes(ranks: np.ndarray, num_sounds: int) -> Outcomes:
    """Queries (Q,) with one relevant sound each, at these ranks."""
    count = len(ranks)
    none, unknown = [None] * count, np.full(count, np.nan)
    return Outcomes(
        ids=[str(row) for row in range(count)],
        types=list(none),
        datasets=list(none),
        targets=[[""]] * count,
        hard_negatives=list(none),
        clusters=np.arange(count),
        target_ranks=ranks.astype(np.float64),
        hard_negative_ranks=unknown,
        target_scores=unknown,
        hard_negative_scores=unknown,
        depths=np.full(count, num_sounds),
        owners=np.arange(count),
        places=ranks.astype(np.float64),
        gains=np.ones(count),
        last_rank=num_sounds + 1,
    )


def _vectors(learner: Learner, inputs: Iterable[Inputs], modality: Modality) -> Tensor:
    device = learner.processes.device
    rows = []
    for one in inputs:
        moved = {name: tensor.to(device) for name, tensor in one.items()}
        with learner.autocast():
            pooled = learner.model.pool(moved)
        rows.append(learner.model.project(pooled, modality))
    return torch.cat(rows)
