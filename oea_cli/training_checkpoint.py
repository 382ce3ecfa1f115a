"""Checkpoints: one safetensors file with everything the next step depends on.

Weights, optimiser, running average, label losses and random states go into one file, written aside
and renamed, so that a kill at any moment leaves the last whole one. No pickle.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from oea_cli.errors import OeaError, UsageError

CHECKPOINT_FILE = "checkpoint.safetensors"
FREE = ("log_every", "checkpoint_every", "validate_every")
"""Recipe keys that may change between a run and its continuation."""


def recipe_digest(content: dict[str, Any]) -> str:
    """Identifies what the weights depend on in a resolved recipe."""
    kept = {key: value for key, value in content.items() if key not in FREE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def save_checkpoint(
    folder: Path,
    step: int,
    digest: str,
    modules: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
) -> None:
    """Write the state after `step` steps; the file before it stays until this one is whole."""
    tensors = {f"modules.{name}": tensor for name, tensor in modules.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in average.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": tensor for key, tensor in state.items()}
    tensors["random.torch"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    aside = folder / f"{CHECKPOINT_FILE}.tmp"
    metadata = {"step": str(step), "recipe": digest}
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(stored, aside, metadata=metadata)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(folder / CHECKPOINT_FILE)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise OeaError(
            f"{folder / CHECKPOINT_FILE}: cannot be written ({error}); the one before it is intact"
        ) from error


def checkpoint_step(folder: Path, digest: str) -> int | None:
    """How many steps the checkpoint in a folder has behind it; None where there is none.

    Raises UsageError when it was made by another recipe.
    """
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise OeaError(f"{path}: cannot be read ({error}); --no-resume starts anew") from error
    if metadata.get("recipe") != digest:
        raise UsageError(
            f"{path}: made with other settings than this recipe's; "
            "give another output folder, or --no-resume to start anew"
        )
    return int(metadata["step"])


def load_checkpoint(
    folder: Path, modules: nn.Module, optimizer: torch.optim.Optimizer, average: dict[str, Tensor]
) -> None:
    """Put a checkpoint's state into the given objects, and the random states into torch."""
    with safe_open(folder / CHECKPOINT_FILE, framework="pt") as file:
        groups: dict[str, dict[str, Tensor]] = {}
        for name in file.keys():  # noqa: SIM118 (not a mapping)
            group, _, rest = name.partition(".")
            groups.setdefault(group, {})[rest] = file.get_tensor(name)
    modules.load_state_dict(groups["modules"])
    for name, tensor in groups.get("average", {}).items():
        average[name] = tensor.to(modules.state_dict()[name].device)
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in groups.get("optimizer", {}).items():
        index, _, key = name.partition(".")
        states.setdefault(int(index), {})[key] = tensor
    layout = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": layout})
    torch.set_rng_state(groups["random"]["torch"])
    if "cuda" in groups["random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(groups["random"]["cuda"])
