"""An adapter's projection heads alone, for pooled vectors that a server has computed."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F

from oea_cli.encoder.omni.backbone import readable
from oea_cli.encoder.omni.heads import HEADS, HEADS_FILE, load_heads
from oea_cli.encoder.omni.omni import ProjectionHead
from oea_cli.encoder.omni.settings import load_settings
from oea_cli.errors import OeaError


def load_remote_heads(folder: Path) -> tuple[Callable[[np.ndarray, str], np.ndarray], str]:
    """A function (n, hidden), "text" or "audio" -> (n, dim) float32, and the heads' hash.

    `folder` is an encoder or an adapter. The function raises OeaError for vectors of another width.
    """
    settings = load_settings(folder / "encoder.json")
    path = folder / HEADS_FILE
    with readable(path), safe_open(path, framework="pt") as file:
        tensor = f"{HEADS[0]}.linear.weight"
        if tensor not in file.keys():  # noqa: SIM118 (not a mapping)
            raise OeaError(f"{path}: lacks {tensor}")
        hidden_size = file.get_slice(tensor).get_shape()[1]
    model = nn.ModuleDict({head: ProjectionHead(hidden_size, settings.dim) for head in HEADS})
    load_heads(folder, model)
    model.eval()

    @torch.inference_mode()
    def project(pooled: np.ndarray, modality: str) -> np.ndarray:
        if pooled.shape[1] != hidden_size:
            raise OeaError(
                f"{folder}: its heads take vectors of {hidden_size} numbers, the server's have "
                f"{pooled.shape[1]}; is it the pooled backbone that is served?"
            )
        unit = F.normalize(torch.from_numpy(np.asarray(pooled, np.float32)), dim=-1)
        projected: np.ndarray = model[f"{modality}_head"](unit).numpy()
        return projected

    return project, hashlib.sha256(path.read_bytes()).hexdigest()
