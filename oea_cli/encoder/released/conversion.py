"""A released OEA checkpoint (9.5 to 17.9 GB) becomes an adapter folder (59 MB).

The release saved PEFT's whole state, the frozen backbone included. What was trained is the LoRA
matrices on the language model's and the audio tower's attention, and two heads; that is kept, after
its names, count and shapes have been compared with the backbone that it claims to belong to.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate import init_empty_weights
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from torch import Tensor
from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig

from oea_cli.encoder.hub import snapshot
from oea_cli.encoder.omni.adapter import lora_config, own_lora_name, save_adapter_folder
from oea_cli.encoder.omni.backbone import build_backbone, read_config
from oea_cli.encoder.omni.bare import MAX_SECONDS
from oea_cli.encoder.omni.heads import HEADS
from oea_cli.encoder.omni.known_backbones import KNOWN_BACKBONES, backbone_config
from oea_cli.encoder.omni.settings import EncoderSettings
from oea_cli.encoder.released.torch_checkpoint import StandIn, TorchCheckpoint
from oea_cli.errors import OeaError
from oea_cli.records.artefacts import whole_folder

Tensors = dict[str, Tensor]
HEAD_PARTS = {
    "linear.weight": (2, "weight"),
    "norm.weight": (1, "weight"),
    "norm.bias": (1, "bias"),
}
MAX_RANK, MAX_DIM = 1024, 16_384  # a file of a few bytes may claim any size


@dataclass(frozen=True)
class Conversion:
    """What was converted."""

    base: str
    num_lora: int  # tensors
    num_parameters: int  # in them
    dim: int


def convert(
    checkpoint: TorchCheckpoint,
    output: Path,
    *,
    base: str | None = None,
    revision: str | None = None,
    on_tensor: Callable[[int, int], None] = lambda done, total: None,
) -> Conversion:
    """Write the adapter folder; `on_tensor(done, total)` is called as tensors are read.

    `base` is one of KNOWN_BACKBONES, another repository, or a folder with a config.json; by default
    what the checkpoint's own configuration and shapes say. Raises OeaError where the checkpoint is
    not OEA's, does not fit its base, does not say which of two bases it has, or holds a number that
    is not finite.
    """
    with whole_folder(output, "encoder.json") as folder:
        lora = _lora_tensors(checkpoint)
        heads = _head_tensors(checkpoint)
        trained_with = _training_config(checkpoint)
        rank = next(t.shape[0] for name, t in lora.items() if "lora_A" in name)
        dim, hidden_size = heads["text_head.linear.weight"].shape
        if rank > MAX_RANK or dim > MAX_DIM:
            raise OeaError(
                f"{checkpoint.name}: a LoRA of rank {rank} and heads to {dim} dimensions; refused"
            )
        adapter = lora_config(rank, _alpha(trained_with, rank))
        base = _resolved(base) if base else _find_base(checkpoint, lora, trained_with)
        config, attention, commit = _base_config(base, revision)
        if problem := _difference(lora, lora_shapes(config, adapter)):
            raise OeaError(f"{checkpoint.name}: its LoRA does not fit {base}: {problem}")
        if hidden_size != config.text_config.hidden_size:
            raise OeaError(
                f"{checkpoint.name}: its heads take {hidden_size} values, and {base} gives "
                f"{config.text_config.hidden_size}"
            )
        settings = EncoderSettings(
            dim=dim,
            max_seconds=MAX_SECONDS,
            attention=attention,
            base=base,
            base_revision=commit or "",
            training={"converted_from": Path(checkpoint.name).name, "step": _step(checkpoint)},
        )
        numbers = _read_all(checkpoint, {**lora, **heads}, on_tensor)
        save_adapter_folder(
            folder,
            {name: numbers[name] for name in lora},
            {name: numbers[name] for name in heads},
            settings,
            adapter,
        )
    count = sum(tensor.numel() for tensor in lora.values())
    return Conversion(base, len(lora), count, dim)


def lora_shapes(
    config: Qwen2_5OmniThinkerConfig, adapter: LoraConfig
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the LoRA tensors that PEFT makes for a backbone, without making it."""
    with init_empty_weights(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT's calls into transformers are out of date
        model = get_peft_model(build_backbone(config), adapter)
    return {name: tuple(t.shape) for name, t in get_peft_model_state_dict(model).items()}


def _lora_tensors(checkpoint: TorchCheckpoint) -> Tensors:
    """The LoRA matrices by PEFT's names on our backbone; the release names them differently."""
    found: Tensors = {}
    for key, tensor in _tensors(checkpoint, "lora_state_dict").items():
        if "lora_" not in key:
            continue
        name = own_lora_name(key)
        if name is None:
            raise OeaError(f"{checkpoint.name}: {key} belongs to no part of a Qwen2.5-Omni Thinker")
        if name in found:
            raise OeaError(f"{checkpoint.name}: holds {key} a second time, under another name")
        if tensor.ndim != 2:
            raise OeaError(f"{checkpoint.name}: {key} is not a matrix")
        found[name] = tensor
    if not any("lora_A" in name for name in found):
        raise OeaError(f"{checkpoint.name}: no LoRA tensors in its lora_state_dict")
    return dict(sorted(found.items()))


def _head_tensors(checkpoint: TorchCheckpoint) -> Tensors:
    """Both heads' tensors by our names, found by shape and suffix: a Linear and a LayerNorm."""
    found: Tensors = {}
    for head in HEADS:
        parts = _tensors(checkpoint, head)
        for part, (ndim, suffix) in HEAD_PARTS.items():
            fitting = [
                key for key, t in parts.items() if t.ndim == ndim and key.split(".")[-1] == suffix
            ]
            if len(fitting) != 1:
                raise OeaError(
                    f"{checkpoint.name}: {head} has {len(fitting)} tensors that could be its "
                    f"{part}, among {', '.join(parts) or 'none'}"
                )
            found[f"{head}.{part}"] = parts[fitting[0]]
        if len(parts) != len(HEAD_PARTS):
            raise OeaError(
                f"{checkpoint.name}: {head} is not a Linear without bias and a LayerNorm: "
                f"{', '.join(parts)}"
            )
    dims = {t.shape[0] for t in found.values()}
    widths = {found[f"{head}.linear.weight"].shape for head in HEADS}
    if len(dims) != 1 or len(widths) != 1:
        shapes = ", ".join(f"{name} {tuple(t.shape)}" for name, t in found.items())
        raise OeaError(f"{checkpoint.name}: its heads do not fit together: {shapes}")
    return found


def _tensors(checkpoint: TorchCheckpoint, part: str) -> Tensors:
    content = checkpoint.content
    if not isinstance(content, dict) or part not in content:
        kind = f"holds {', '.join(map(str, content))}" if isinstance(content, dict) else "no dict"
        raise OeaError(f"{checkpoint.name}: no '{part}' in it; is it OEA's? ({kind})")
    if not isinstance(content[part], dict):
        raise OeaError(f"{checkpoint.name}: its '{part}' is not a state dict")
    return {str(key): value for key, value in content[part].items() if isinstance(value, Tensor)}


def _training_config(checkpoint: TorchCheckpoint) -> dict[str, Any]:
    """The training program's configuration, whether it was pickled as a dict or as an object."""
    config = checkpoint.content.get("config", {})
    fields = vars(config) if isinstance(config, StandIn) else config
    return dict(fields) if isinstance(fields, Mapping) else {}


def _alpha(trained_with: Mapping[str, Any], rank: int) -> int:
    """What scales the LoRA, by its rank: the release has 16 and 32."""
    alpha = trained_with.get("lora_alpha")
    return alpha if isinstance(alpha, int) and alpha > 0 else 2 * rank


def _step(checkpoint: TorchCheckpoint) -> int | None:
    step = checkpoint.content.get("global_step")
    return step if isinstance(step, int) else None


def _find_base(checkpoint: TorchCheckpoint, lora: Tensors, trained_with: Mapping[str, Any]) -> str:
    """The base whose width and depth fit and that the training configuration names."""
    layers = {key.split(".self_attn")[0] for key in lora if "language_model" in key}
    widths = {
        t.shape[1] for key, t in lora.items() if key.endswith("self_attn.q_proj.lora_A.weight")
    }
    fitting = [
        base
        for base, known in KNOWN_BACKBONES.items()
        if len(layers) == known.layers and known.hidden_size in widths
    ]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise OeaError(
            f"{checkpoint.name}: its {len(lora)} LoRA tensors fit no released backbone; "
            "name its own with --base FOLDER or --base HF_ID"
        )
    words = " ".join(str(value) for value in trained_with.values()).lower()
    named = [base for base in fitting if base.split("/")[1].lower() in words]
    if len(named) == 1:
        return named[0]
    raise OeaError(
        f"{checkpoint.name}: fits {' and '.join(fitting)} alike, and does not say which it was "
        "trained on; name it with --base"
    )


def _resolved(base: str) -> str:
    """A folder by its whole path, since the adapter remembers it; a repository as it is."""
    folder = Path(base).expanduser()
    return str(folder.resolve()) if folder.is_dir() else base


def _base_config(
    base: str, revision: str | None
) -> tuple[Qwen2_5OmniThinkerConfig, str, str | None]:
    """The base's configuration, its attention, and its commit where a repository was asked."""
    if base in KNOWN_BACKBONES and revision is None:
        return backbone_config(base), KNOWN_BACKBONES[base].attention, None
    folder, commit = snapshot(base, revision, ["config.json"])
    return *read_config(folder), commit


def _difference(lora: Tensors, expected: Mapping[str, tuple[int, ...]]) -> str:
    """The first way in which tensors are not those expected, or nothing."""
    where = f"({len(lora)} tensors, {len(expected)} expected)"
    for name, tensor in lora.items():
        if name not in expected:
            return f"{name} has no place there {where}"
        if tuple(tensor.shape) != expected[name]:
            return f"{name} is {tuple(tensor.shape)}, there {expected[name]}"
    missing = [name for name in expected if name not in lora]
    return f"it lacks {missing[0]} {where}" if missing else ""


def _read_all(
    checkpoint: TorchCheckpoint, tensors: Tensors, on_tensor: Callable[[int, int], None]
) -> Tensors:
    """The tensors' numbers in float32."""
    numbers: Tensors = {}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise OeaError(f"{checkpoint.name}: {name} holds {tensor.dtype}, not weights")
        numbers[name] = checkpoint.read(tensor).float().contiguous()
        if not numbers[name].isfinite().all():
            raise OeaError(f"{checkpoint.name}: {name} holds numbers that are not finite")
        on_tensor(len(numbers), len(tensors))
    return numbers
