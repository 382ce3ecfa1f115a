"""What learns: the model, what learns in the loss, the optimiser, the average of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from oea_cli.encoder.omni.front_end import Inputs
from oea_cli.encoder.omni.omni import OmniModel
from oea_cli.training.data.batch import TrainingBatch
from oea_cli.training.loop.optimizer import Rule, new_optimizer
from oea_cli.training.loop.starting_point import StartingPoint
from oea_cli.training.objective.grad_cache import Pooled
from oea_cli.training.objective.objective import Objective
from oea_cli.training.processes import Processes
from oea_cli.training.recipe.recipe import Recipe


@dataclass
class Learner:
    """What learns, on this process's device."""

    model: OmniModel
    objective: Objective
    modules: nn.ModuleDict  # both, by the names in a checkpoint
    optimizer: torch.optim.Optimizer
    processes: Processes
    precision: str
    average: dict[str, Tensor] = field(default_factory=dict)
    """Running averages of what learns in the model, by name; empty where the recipe has none."""

    def state(self) -> dict[str, Tensor]:
        """All tensors that training changes, by name: not what is frozen."""
        return {
            name: tensor
            for name, tensor in self.modules.state_dict().items()
            if not name.startswith("model.backbone.") or name in self._learning
        }

    def __post_init__(self) -> None:
        self._learning = {
            name for name, parameter in self.modules.named_parameters() if parameter.requires_grad
        }

    def pool(self, batch: TrainingBatch) -> Pooled:
        """The backbone's pooled vectors of a micro-batch: (B + T, H), and (B + H, H) or None."""
        batch = batch.to(self.processes.device)
        with self.autocast():
            texts = pool_by_length(self.model, batch.texts)
            return texts, self.model.pool(batch.sounds) if batch.sounds else None

    def autocast(self) -> torch.autocast:
        """The backbone's number format; a new context each time, since it caches cast weights."""
        wanted = self.precision == "bfloat16"
        return torch.autocast(self.processes.device.type, torch.bfloat16, enabled=wanted)

    def add_up_gradients(self) -> None:
        """Make every process's gradients the global batch's.

        Of the backbone every process has the share of its own rows; of all after it (heads, losses)
        every process has the whole already.
        """
        for name, parameter in self.modules.named_parameters():
            if parameter.grad is not None and not name.startswith("model.backbone."):
                parameter.grad /= self.processes.count
        self.processes.sum([p.grad for p in self.modules.parameters() if p.grad is not None])

    def restart_average(self) -> None:
        """Let the average be the weights as they are."""
        if self.average:
            self.start_average()

    def start_average(self) -> None:
        """Begin to follow the weights."""
        self.average = {
            name: tensor.detach().clone()
            for name, tensor in self.state().items()
            if name.startswith("model.") and tensor.is_floating_point()
        }

    @torch.no_grad()
    def follow(self, keep: float) -> None:
        """Move the average towards the weights, keeping this share of it."""
        if self.average:
            current = self.state()
            torch._foreach_lerp_(
                list(self.average.values()), [current[name] for name in self.average], 1 - keep
            )

    @contextmanager
    def averaged(self) -> Iterator[OmniModel]:
        """The model with its averaged weights, in evaluation mode; the live ones come back."""
        live = {name: self.state()[name].detach().clone() for name in self.average}
        self.modules.load_state_dict(self.average, strict=False)
        self.modules.eval()
        try:
            yield self.model
        finally:
            self.modules.load_state_dict(live, strict=False)


def new_learner(
    recipe: Recipe, start: StartingPoint, num_labels: int, processes: Processes
) -> Learner:
    """A model with its objective and optimiser, on the process's device."""
    model = start.model
    if recipe.model.gradient_checkpointing:
        # Non-reentrant: gradients flow although the embeddings, the first input, are frozen.
        model.backbone.activation_checkpointing_enable({"use_reentrant": False})
    hidden_size = model.backbone.get_input_embeddings().embedding_dim
    objective = Objective(recipe, hidden_size, num_labels)
    modules = nn.ModuleDict({"model": model, "objective": objective}).to(processes.device)
    first, second = recipe.betas
    rule = Rule(recipe.optimizer, (first, second), recipe.weight_decay, recipe.decay_norms)
    optimizer = new_optimizer(modules, rule, processes.device)
    learner = Learner(model, objective, modules, optimizer, processes, recipe.precision)
    if recipe.average:
        learner.start_average()
    return learner


def pool_by_length(model: OmniModel, inputs: Inputs) -> Tensor:
    """(B, H) as `model.pool`, the shorter half of the texts apart, so that it pads less."""
    lengths = inputs["attention_mask"].sum(1)
    order = lengths.argsort(stable=True)
    pooled = []
    for rows in torch.split(order, (len(order) + 1) // 2):
        width = int(lengths[rows].max())
        pooled.append(model.pool({name: rows_of[rows, :width] for name, rows_of in inputs.items()}))
    return torch.cat(pooled)[order.argsort()]
