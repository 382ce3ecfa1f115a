"""Checkpoints: one safetensors file with everything the next step depends on, and the best of them.

Weights that learn, optimiser and running average go into one file, written aside and renamed, so
that a kill at any moment leaves the last whole one. What is random follows from the recipe's seed
and the step, so there is no random state to save. No pickle.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from oea_cli.errors import OeaError, UsageError
from oea_cli.records.artefacts import with_ordinary_permissions
from oea_cli.records.format_versions import check_format, format_mark
from oea_cli.training.loop.learner import Learner

CHECKPOINT_FILE = "checkpoint.safetensors"
FORMAT = "oea-checkpoint"
BEST_FILE = "best.safetensors"
FREE = ("log_every", "checkpoint_every", "validate_every", "tensorboard")
"""Recipe keys that may change between a run and its continuation; `micro_batch` of stages too."""


@dataclass(frozen=True)
class Progress:
    """How far a run is: `step` steps are done; the best validation of the stage that it is in."""

    step: int = 0
    updates: int = 0  # behind the weights: fewer, where a stage went back to its best
    best: float | None = None  # R@10
    best_step: int = 0
    waited: int = 0  # validations since

    def after_step(self, done: int, recall: float | None) -> "Progress":
        """One step on, perhaps with a validation."""
        best, best_step, waited = self.best, self.best_step, self.waited
        if recall is not None:
            if best is None or recall > best:
                best, best_step, waited = recall, done, 0
            else:
                waited += 1
        return Progress(done, self.updates + 1, best, best_step, waited)


def recipe_digest(content: dict[str, Any]) -> str:
    """Identifies what the weights depend on in a resolved recipe."""
    kept = {key: value for key, value in content.items() if key not in FREE}
    kept["stages"] = [{**stage, "micro_batch": 0} for stage in content["stages"]]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def save_checkpoint(folder: Path, progress: Progress, digest: str, learner: Learner) -> None:
    """Write the state after a step; the file before it stays until this one is whole."""
    tensors = {f"modules.{name}": tensor for name, tensor in learner.state().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in learner.average.items()}
    for index, state in learner.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": tensor for key, tensor in state.items()}
    aside = folder / f"{CHECKPOINT_FILE}.tmp"
    metadata = {
        "format": format_mark(FORMAT),
        "recipe": digest,
        "progress": json.dumps(asdict(progress)),
    }
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(stored, aside, metadata=metadata)
        with_ordinary_permissions(aside)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(folder / CHECKPOINT_FILE)
        if progress.best_step == progress.step and progress.best is not None:
            _keep_as_best(folder)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise OeaError(
            f"{folder / CHECKPOINT_FILE}: cannot be written ({error}); the one before it is intact"
        ) from error


def _keep_as_best(folder: Path) -> None:
    aside = folder / f"{BEST_FILE}.tmp"
    aside.unlink(missing_ok=True)
    try:
        os.link(folder / CHECKPOINT_FILE, aside)
    except OSError:  # a file system without links
        shutil.copyfile(folder / CHECKPOINT_FILE, aside)
    aside.replace(folder / BEST_FILE)


def read_progress(folder: Path, digest: str) -> Progress | None:
    """How far the checkpoint in a folder is; None where there is none.

    Raises UsageError when it was made by another recipe. A kill may have come between the
    checkpoint and its second name as the best one: that is made up for here.
    """
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return None
    metadata = _metadata(path)
    if metadata.get("recipe") != digest:
        raise UsageError(
            f"{path}: made with other settings than this recipe's; "
            "give another output folder, or --no-resume to start again"
        )
    return _progress(metadata, path)


def _progress(metadata: dict[str, str], path: Path) -> Progress:
    try:
        found = Progress(**json.loads(metadata["progress"]))
        counts = (found.step, found.updates, found.best_step, found.waited)
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError(f"steps {counts}")
    except (LookupError, TypeError, ValueError) as error:
        raise OeaError(f"{path}: damaged ({error}); --no-resume starts anew") from error
    return found


def finish_best(folder: Path, progress: Progress) -> None:
    """Give the checkpoint its second name as the best one, where a kill came in between."""
    if progress.best is None or progress.best_step != progress.step:
        return
    best = folder / BEST_FILE
    if not best.is_file() or _progress(_metadata(best), best) != progress:
        _keep_as_best(folder)


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise OeaError(f"{path}: cannot be read ({error}); --no-resume starts anew") from error
    check_format(metadata, FORMAT, path, unmarked=1)
    return metadata


def load_checkpoint(path: Path, learner: Learner) -> None:
    """Put a checkpoint's state into what learns; raises OeaError for a broken file."""
    groups: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (not a mapping)
                group, _, rest = name.partition(".")
                groups.setdefault(group, {})[rest] = file.get_tensor(name)
    except (OSError, SafetensorError) as error:
        raise OeaError(f"{path}: cannot be read ({error}); --no-resume starts anew") from error
    learner.modules.load_state_dict(groups["modules"], strict=False)
    device = learner.processes.device
    learner.average = {name: t.to(device) for name, t in groups.get("average", {}).items()}
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in groups.get("optimizer", {}).items():
        index, _, key = name.partition(".")
        states.setdefault(int(index), {})[key] = tensor
    layout = learner.optimizer.state_dict()["param_groups"]
    learner.optimizer.load_state_dict({"state": states, "param_groups": layout})
