"""Gradients of one global batch, in one process or, run by torchrun, in several.

torchrun --nproc-per-node 2 -m tests.training.objective.gradients ENCODER OUT.safetensors
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from oea_cli.training.data.batch import Pairing, TrainingBatch, key_rows
from oea_cli.training.data.examples import Data
from oea_cli.training.loop.learner import Learner, new_learner
from oea_cli.training.loop.starting_point import starting_point
from oea_cli.training.objective.grad_cache import back_propagate
from oea_cli.training.objective.objective import weighted
from oea_cli.training.processes import Processes, processes_of_run
from oea_cli.training.recipe.recipe import Model, Recipe, Stage

STAGE = Stage(name="all", steps=1, margin_weight=0.5)
SEEDS = (11, 22, 33, 44)
TEXTS = ("rain", "a dog barks twice", "wind in old trees", "rain, no thunder", "a bell", "a car")


def learner_on(encoder: Path, processes: Processes, dropout: float = 0.3) -> Learner:
    """LoRA on an encoder: Matryoshka, hardness and a learned temperature, all there is."""
    model = Model(base=str(encoder), dim=32, lora_dropout=dropout)
    recipe = Recipe(
        name="gradients",
        stages=(STAGE,),
        model=model,
        precision="float32",
        matryoshka=(32, 16),
        hardness=0.1,
        learn_temperature=True,
    )
    start = starting_point(recipe, NO_DATA, encoder, anew=False)
    learner = new_learner(recipe, start, 0, processes)
    torch.manual_seed(5)
    with torch.no_grad():  # B starts at zero, and A would have no gradient
        for name, parameter in learner.modules.named_parameters():
            if ".lora_B" in name:
                parameter.normal_(std=0.3)
    learner.modules.train()
    return learner


NO_DATA: Data = None  # type: ignore[assignment] # a base needs no texts to learn sub-words from


def micro_batch(learner_front_end: object, number: int) -> TrainingBatch:
    """Three pairs, a hard text and a hard sound; some fit what is in other micro-batches."""
    rng = np.random.default_rng(number)
    texts = [str(rng.choice(TEXTS)) for _ in range(4)]
    waveforms = [rng.normal(size=int(rng.integers(4000, 9000))).astype(np.float32) for _ in texts]
    clips = [100 * number + row for row in range(4)]
    return TrainingBatch(
        learner_front_end.text_inputs(texts),  # type: ignore[attr-defined]
        learner_front_end.audio_inputs(waveforms),  # type: ignore[attr-defined]
        key_rows([[clip] for clip in clips[:3]] + [[900 + number]]),
        # The second clip is much like that of the next micro-batch.
        key_rows([[clips[0]], [clips[1], 100 * ((number + 1) % 4)], [clips[2]], [clips[0] + 50]]),
        torch.tensor([3, -1, 0]),
    )


def gradients(
    learner: Learner, batches: Sequence[TrainingBatch], seeds: Sequence[int], processes: Processes
) -> dict[str, Tensor]:
    """By name, of all that learns, after one global batch."""
    learner.optimizer.zero_grad(set_to_none=True)
    back_propagate(
        batches,
        seeds,
        learner.pool,
        loss_of(learner),
        loss_seed=9,
        processes=processes,
    )
    learner.add_up_gradients()
    return gradients_of(learner)


def loss_of(learner: Learner):  # type: ignore[no-untyped-def] # a Callable of four tensors
    """The loss as the loop has it."""

    def loss(texts: Tensor, sounds: Tensor | None, pairing: Pairing) -> Tensor:
        losses = learner.objective(learner.model, texts, sounds, pairing)
        return weighted(losses, STAGE, 0.0)

    return loss


def gradients_of(learner: Learner) -> dict[str, Tensor]:
    """By name, copied."""
    return {
        name: parameter.grad.clone()
        for name, parameter in learner.modules.named_parameters()
        if parameter.grad is not None
    }


def main(encoder: Path, output: Path) -> None:
    """Write the gradients that this process and the others find together."""
    from oea_cli.encoder.omni.folder import load_encoder_folder

    with processes_of_run("cpu") as processes:
        front_end = load_encoder_folder(encoder).front_end
        share = len(SEEDS) // processes.count
        mine = range(processes.rank * share, (processes.rank + 1) * share)
        found = gradients(
            learner_on(encoder, processes),
            [micro_batch(front_end, number) for number in mine],
            [SEEDS[number] for number in mine],
            processes,
        )
        if processes.is_first:
            save_file(found, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
