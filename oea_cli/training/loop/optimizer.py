"""The optimisers: AdamW for everything, or Muon for the hidden matrices and AdamW for the rest.

Muon (Jordan et al., 2024) makes the update of a hidden matrix orthogonal, so that all of its
directions learn at one speed. torch's own multiplies in bfloat16, which a CPU without such
instructions does a hundred times slower; here it is float32.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # pulls singular values towards 1, quickly, not exactly
NEWTON_SCHULZ_STEPS = 5
# An orthogonal (R, C) update times 0.2 sqrt(max(R, C)) is as large as AdamW's usual ones (Liu et
# al., 2025). Two and a half times that learned faster here, so one learning rate serves both.
UPDATE_SIZE = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """How weights follow gradients, as a recipe says it: `kind` is adamw or muon, `betas` are
    AdamW's; vectors (biases, norms) are decayed with `decay_norms` only."""

    kind: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.0
    decay_norms: bool = False


def new_optimizer(modules: nn.Module, rule: Rule, device: torch.device) -> torch.optim.Optimizer:
    """The optimiser of all that learns."""
    hidden, decayed, plain = [], [], []
    for name, parameter in modules.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim <= 1:
            plain.append(parameter)
        elif rule.kind == "muon" and is_hidden(name, parameter):
            hidden.append(parameter)
        else:
            decayed.append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": rule.weight_decay},
        {"params": plain, "weight_decay": rule.weight_decay if rule.decay_norms else 0.0},
    ]
    fused = device.type != "mps"
    if rule.kind == "muon":
        matrices = {"params": hidden, "weight_decay": rule.weight_decay}
        return Muon([matrices, *groups], rule.betas, fused)
    return torch.optim.AdamW(groups, betas=rule.betas, fused=fused)


def is_hidden(name: str, parameter: Tensor) -> bool:
    """True for the matrices between the layers of the backbone."""
    return parameter.ndim == 2 and ".layers." in name


class Muon(torch.optim.Optimizer):
    """Muon for the first group of parameters, all of them matrices, AdamW for the others."""

    def __init__(
        self, groups: list[dict[str, Any]], betas: tuple[float, float], fused: bool = True
    ) -> None:
        super().__init__(groups, {"lr": 1e-3, "weight_decay": 0.0})
        others = [dict(group) for group in self.param_groups[1:]]
        self._adam = torch.optim.AdamW(others, betas=betas, fused=fused)
        # One table of states for both, so that a checkpoint of this optimiser holds everything.
        self._adam.state = self.state

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        matrices, *others = self.param_groups
        for group, own in zip(self._adam.param_groups, others, strict=True):
            group["lr"] = own["lr"]
        self._adam.state = self.state  # load_state_dict puts a new table in place
        self._adam.step()
        by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for parameter in matrices["params"]:
            if parameter.grad is not None:
                by_shape[parameter.shape].append(parameter)
        for shape, alike in by_shape.items():
            self._update(alike, matrices["lr"] * UPDATE_SIZE * max(shape) ** 0.5)
            torch._foreach_mul_(alike, 1 - matrices["lr"] * matrices["weight_decay"])

    def _update(self, alike: list[Tensor], size: float) -> None:
        for parameter in alike:
            if not self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in alike if parameter.grad is not None]
        momenta = [self.state[parameter]["momentum"] for parameter in alike]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov's
        torch._foreach_add_(alike, list(orthogonal(torch.stack(list(ahead)))), alpha=-size)


def orthogonal(matrices: Tensor) -> Tensor:
    """(N, R, C) with every matrix's singular values brought near 1, by Newton and Schulz."""
    a, b, c = NEWTON_SCHULZ
    wide = matrices.shape[1] <= matrices.shape[2]
    x: Tensor = matrices if wide else matrices.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.mT
