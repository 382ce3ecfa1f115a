"""The Qwen2.5-Omni Thinker: only what encoding needs is built, downloaded and read.

No talker, no token2wav, no vision tower, no language-model head. Weights go from safetensors
straight to their device and number format, one tensor at a time.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig
from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import Qwen2_5OmniThinkerModel

from oea_cli.encoder.hub import snapshot
from oea_cli.encoder.machine import is_large
from oea_cli.encoder.omni.prompts import AUDIO_TOKEN, FRONT_END_FILES, PAD_TOKEN
from oea_cli.errors import OeaError

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
MOST_LAYERS = 1000
BIDIRECTIONAL = {"nvomniembed"}  # model types whose language model attends in both directions
THINKERS = {"qwen2_5_omni_thinker", *BIDIRECTIONAL}


@dataclass(frozen=True)
class Checkpoint:
    """A model's folder: its configuration and the safetensors files that hold what is used."""

    folder: Path
    config: Qwen2_5OmniThinkerConfig
    attention: str  # causal or bidirectional
    files: tuple[Path, ...]

    @property
    def is_large(self) -> bool:
        """True where half the memory and time count for more than the last digits."""
        return is_large(self.files)


def find_checkpoint(place: str, revision: str | None = None) -> Checkpoint:
    """The checkpoint in a folder or a repository, of which only the shards that count are fetched.

    Raises OeaError where it cannot be had, is no Qwen2.5-Omni, or lacks a file.
    """
    described = [*FRONT_END_FILES, "config.json", INDEX_FILE]
    folder, commit = snapshot(place, revision, described)
    config, attention = read_config(folder)
    index = folder / INDEX_FILE
    shards = _shards(index) if index.is_file() else [WEIGHTS_FILE]
    folder, _ = snapshot(place, commit or revision, [*described, *shards])
    for name in shards:
        if not (folder / name).is_file():
            raise OeaError(f"{folder}: no {name} in it")
    return Checkpoint(folder, config, attention, tuple(folder / name for name in shards))


def read_config(folder: Path) -> tuple[Qwen2_5OmniThinkerConfig, str]:
    """The Thinker's configuration in config.json, and its attention: causal or bidirectional."""
    path = folder / "config.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content = content.get("thinker_config", content)
        kind = content.get("model_type", "")
        if kind not in THINKERS:
            raise OeaError(f"{path}: a model of type '{kind}', not a Qwen2.5-Omni")
        config = Qwen2_5OmniThinkerConfig.from_dict(
            {**content, "model_type": "qwen2_5_omni_thinker"}
        )
    except OeaError:
        raise
    except Exception as error:  # transformers checks it by exceptions of its own
        reason = " ".join(str(error).split())[:300]
        raise OeaError(f"{path}: no configuration of a Qwen2.5-Omni ({reason})") from error
    _check_depth(config, path)
    return config, "bidirectional" if kind in BIDIRECTIONAL else "causal"


def _check_depth(config: Qwen2_5OmniThinkerConfig, path: Path) -> None:
    """Raise OeaError for more layers than any model has: building them would never end."""
    depths = (config.text_config.num_hidden_layers, config.audio_config.encoder_layers)
    if not all(type(depth) is int and 0 < depth <= MOST_LAYERS for depth in depths):
        raise OeaError(f"{path}: a model of {depths[0]} and {depths[1]} layers; is it damaged?")


def new_config(
    text: dict[str, Any],
    audio: dict[str, Any],
    token_id: Callable[[str], int | None],
    head_dim: int,
    **others: Any,
) -> Qwen2_5OmniThinkerConfig:
    """A configuration out of its sizes, by transformers' names, and what all Thinkers share.

    `token_id` is where a special token stands in the vocabulary.
    """
    temporal = head_dim // 8  # in the released models 16, 24, 24 of a head of 128
    spatial = (head_dim // 2 - temporal) // 2
    rope = {
        "rope_type": "default",
        "rope_theta": 1_000_000.0,
        "mrope_section": [head_dim // 2 - 2 * spatial, spatial, spatial],
    }
    pad = token_id(PAD_TOKEN)
    shared = {"max_position_embeddings": 32_768, "pad_token_id": pad, "rope_parameters": rope}
    tower = {"num_mel_bins": 128, "n_window": 100, "max_source_positions": 1500}
    return Qwen2_5OmniThinkerConfig(
        text_config=text | shared,
        audio_config=audio | tower,
        audio_token_index=token_id(AUDIO_TOKEN),
        audio_start_token_id=token_id("<|audio_bos|>"),
        audio_end_token_id=token_id("<|audio_eos|>"),
        pad_token_id=pad,
        **others,
    )


def build_backbone(config: Qwen2_5OmniThinkerConfig, attention: str = "causal") -> Any:
    """The Thinker without its vision tower, randomly initialised."""
    vision = config.vision_config
    vision.depth, vision.hidden_size, vision.num_heads = 0, 16, 1
    vision.intermediate_size, vision.fullatt_block_indexes = 16, []
    backbone = Qwen2_5OmniThinkerModel(config)
    backbone.visual = None
    if attention == "bidirectional":
        # For the mask, and for attention functions that are given none.
        backbone.language_model.config.is_causal = False
        for layer in backbone.language_model.layers:
            layer.self_attn.is_causal = False
    return backbone


def load_backbone(checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device) -> Any:
    """The Thinker with a checkpoint's weights.

    Raises OeaError for a file that is broken, and for a tensor that is missing or misshapen.
    """
    try:
        with init_empty_weights(include_buffers=False):
            backbone = build_backbone(checkpoint.config, checkpoint.attention)
    except Exception as error:  # sizes that do not fit each other fail anywhere
        reason = " ".join(str(error).split())[:300]
        where = checkpoint.folder / "config.json"
        raise OeaError(f"{where}: no model can be made of it ({reason})") from error
    missing = {name: tensor.shape for name, tensor in backbone.state_dict().items()}
    for path in checkpoint.files:
        tensors = {}
        for name, tensor in read_tensors(path, device):
            wanted = missing.pop(name, None)
            if wanted is None:
                raise OeaError(f"{path}: has an unknown tensor {name}; it does not fit config.json")
            if wanted != tensor.shape:
                shapes = f"{tuple(tensor.shape)}, not {tuple(wanted)}"
                raise OeaError(f"{path}: {name} is of shape {shapes}; it does not fit config.json")
            tensors[name] = tensor.to(dtype)
        backbone.load_state_dict(tensors, strict=False, assign=True)
    if missing:
        where = checkpoint.files[0] if len(checkpoint.files) == 1 else checkpoint.folder
        raise OeaError(f"{where}: lacks {min(missing)}; it does not fit config.json")
    return backbone.to(device).eval()


def read_tensors(path: Path, device: torch.device | str = "cpu") -> Iterator[tuple[str, Tensor]]:
    """The tensors of a file that belong to the backbone, by their names there."""
    with readable(path), safe_open(path, framework="pt", device=str(device)) as file:
        for name in file.keys():  # noqa: SIM118 (not a mapping)
            if own := own_name(name):
                yield own, file.get_tensor(name)


def own_name(name: str) -> str | None:
    """The backbone's name for a tensor of a checkpoint; None for one that is not needed.

    Released repositories say `thinker.model.layers`, `thinker.audio_tower`, a Thinker saved alone
    leaves `thinker.` out, and transformers 5 says `language_model.layers`.
    """
    name = name.removeprefix("thinker.")
    inner = name.removeprefix("model.")
    if inner.startswith(("language_model.", "audio_tower.")):
        return inner
    if name.startswith("model.") and not inner.startswith("visual."):
        return f"language_model.{inner}"
    return None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn an error of safetensors about a file into an OeaError."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise OeaError(f"{path}: cannot be read as safetensors ({error})") from error


def _shards(index: Path) -> list[str]:
    """Names of the files that hold tensors of the backbone."""
    try:
        names: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    except (OSError, ValueError, KeyError) as error:
        raise OeaError(f"{index}: cannot be read as an index of safetensors ({error})") from error
    return sorted({_inside(index, file) for name, file in names.items() if own_name(name)})


def _inside(index: Path, name: str) -> str:
    if Path(name).name != name:
        raise OeaError(f"{index}: names a file outside its folder: {name}")
    return name
