"""An adapter: LoRA on a frozen backbone's attention, as PEFT's files lie on disk.

    adapter_config.json, adapter_model.safetensors     PEFT's
    heads.safetensors, encoder.json                    ours; encoder.json names the backbone

PEFT's two alone, as other programs write them, are an adapter without heads (`bare.py`).
The backbone stays where it is: a folder, or a repository that is fetched once. PEFT is imported
where an adapter is at hand: it takes a second and a half.
"""

import copy
import json
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from oea_cli.encoder.hub import load_pretrained
from oea_cli.encoder.omni.backbone import own_name, readable
from oea_cli.encoder.omni.heads import save_heads
from oea_cli.encoder.omni.settings import EncoderSettings, save_settings
from oea_cli.errors import OeaError

ADAPTER_FILE = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
PREFIX = "base_model.model."
_LORA_NAME = re.compile(r"(.+)\.lora_([AB])(?:\.\w+)?\.weight")
_UNUSED = re.compile(rf"{re.escape(PREFIX)}(?:thinker\.)?(?:model\.)?(?:visual|talker|token2wav)\.")
LISTED = 3
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "qkv", "out_proj")


def lora_config(rank: int = 16, alpha: int = 32, dropout: float = 0.05) -> Any:
    """LoRA on the attention of the language model and of the audio tower (OEA, section 4.1)."""
    from peft import LoraConfig

    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        bias="none",
        target_modules=list(TARGETS),
        task_type="FEATURE_EXTRACTION",
    )


def save_adapter_folder(
    folder: Path,
    lora: dict[str, Tensor] | None,
    heads: dict[str, Tensor],
    settings: EncoderSettings,
    config: Any = None,
) -> None:
    """Write an adapter; encoder.json comes last, so that a half-written folder is not one.

    `lora` has PEFT's names (`base_model.model.language_model.layers.0.self_attn.q_proj.
    lora_A.weight`), `heads` those of `heads.save_heads`. `settings.base` names the backbone.
    Without `lora` it is two heads on a backbone as it is, which `settings.lora` must say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "encoder.json").unlink(missing_ok=True)
    if lora is not None:
        _save_lora(folder, lora, settings, config)
    save_heads(folder, heads)
    save_settings(folder / "encoder.json", settings)


def _save_lora(
    folder: Path, lora: dict[str, Tensor], settings: EncoderSettings, config: Any
) -> None:
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in lora.items()}
    save_file(stored, folder / ADAPTER_FILE, metadata={"format": "pt"})
    config = copy.copy(config) if config else lora_config()
    config.base_model_name_or_path, config.revision = settings.base, settings.base_revision or None
    config.inference_mode = True
    config.save_pretrained(str(folder))


def attach_adapter(backbone: Any, folder: Path) -> Any:
    """The backbone with an adapter's LoRA added: merged into float32 weights, beside all others.

    Merging into bfloat16 would round most of what LoRA learned away. Raises OeaError for an adapter
    that was made for another backbone.
    """
    config, tensors = read_adapter(folder)
    # Nothing here learns: without dropout PEFT's forward is the plain sum.
    config.lora_dropout, config.inference_mode = 0.0, True
    model = wrap(backbone, config, autocast_adapter_dtype=False)
    load_lora(model, tensors, folder)
    if backbone.dtype == torch.float32:
        return model.merge_and_unload()
    return model.base_model.model


def wrap(backbone: Any, config: Any, **options: Any) -> Any:
    """PEFT's model around a frozen backbone; the LoRA's weights are trained, in float32.

    The backbone itself has the LoRA in it from now on. Raises OeaError where there is nothing in it
    that the configuration means.
    """
    from peft import get_peft_model

    try:
        with warnings.catch_warnings():
            # PEFT asks a model by a name that transformers is about to drop.
            warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
            return get_peft_model(backbone, config, **options)
    except ValueError as error:
        raise OeaError(f"this LoRA does not fit the backbone: {error}") from error


def load_lora(model: Any, tensors: dict[str, Tensor], folder: Path) -> None:
    """Fill a wrapped backbone's LoRA with what `read_adapter` read from a folder.

    Raises OeaError where a tensor has no place in the LoRA, or a place no tensor.
    """
    from peft import set_peft_model_state_dict

    _check_shapes(folder / ADAPTER_FILE, tensors, lora_of(model))
    set_peft_model_state_dict(model, tensors)


def lora_of(model: Any) -> dict[str, Tensor]:
    """The tensors of a wrapped backbone's LoRA, as they are saved."""
    from peft import get_peft_model_state_dict

    tensors: dict[str, Tensor] = get_peft_model_state_dict(model)
    return tensors


def read_adapter(folder: Path) -> tuple[Any, dict[str, Tensor]]:
    """An adapter's configuration and its tensors by the backbone's names, whoever trained it.

    LoRA on the whole Thinker, or on the whole Qwen2.5-Omni, calls its modules by longer names; its
    parts on the vision tower and the talker are left out, which no vector depends on. Raises
    OeaError for other tensors that the backbone has no place for.
    """
    config, path = read_lora_config(folder), folder / ADAPTER_FILE
    with readable(path):
        stored = load_file(path)
    named = {name: own_lora_name(name) for name in stored if not _UNUSED.match(name)}
    if unknown := sorted(name for name, own in named.items() if own is None):
        raise OeaError(f"{path}: {_such_as(unknown)} no place in a Qwen2.5-Omni Thinker")
    tensors = {own: stored[name] for name, own in named.items() if own is not None}
    if len(tensors) < len(named):
        raise OeaError(f"{path}: holds a tensor a second time, under another name")
    if set(tensors) != set(stored):
        modules = {_module(name): _module(own) for name, own in named.items() if own is not None}
        _call_modules_as_we_do(config, modules)
    return config, tensors


def _module(name: str) -> str:
    return name.removeprefix(PREFIX).partition(".lora_")[0]


def _call_modules_as_we_do(config: Any, modules: dict[str, str]) -> None:
    """Let PEFT's configuration, which goes by other names of modules, go by ours, the values."""
    from peft.utils.other import get_pattern_key

    config.target_modules, config.exclude_modules = set(modules.values()), None
    config.layers_to_transform = config.layers_pattern = None
    for kind in ("rank_pattern", "alpha_pattern"):
        pattern = getattr(config, kind)
        keys = {own: get_pattern_key(pattern, name) for name, own in modules.items()}
        ours = {re.escape(own): pattern[key] for own, key in keys.items() if key in pattern}
        setattr(config, kind, ours)


def own_lora_name(name: str) -> str | None:
    """PEFT's name on our backbone for a LoRA matrix of a larger model; None for other tensors."""
    match = _LORA_NAME.fullmatch(name)
    module = match and own_name(match[1].removeprefix(PREFIX) + ".")
    return f"{PREFIX}{module}lora_{match[2]}.weight" if match and module else None


def read_lora_config(folder: Path) -> Any:
    """The content of adapter_config.json; raises OeaError where that is not LoRA."""
    from peft import LoraConfig

    path = folder / ADAPTER_CONFIG
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("peft_type") != "LORA":
            raise OeaError(f"{path}: not a LoRA adapter")
        config = load_pretrained(LoraConfig, folder)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OeaError(f"{path}: cannot be read as PEFT's configuration ({error})") from error
    # What the base is called stands in encoder.json; PEFT would warn where it lies elsewhere now.
    config.base_model_name_or_path = config.revision = None
    return config


def _check_shapes(path: Path, tensors: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    if missing := sorted(set(wanted) - set(tensors)):
        raise OeaError(f"{path}: lacks {_listed(missing)}; it was made for another backbone")
    if unknown := sorted(set(tensors) - set(wanted)):
        raise OeaError(f"{path}: {_such_as(unknown)} no place in the backbone; made for another?")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            shapes = f"{tuple(tensor.shape)}, the backbone's {tuple(wanted[name].shape)}"
            raise OeaError(f"{path}: {name} is of shape {shapes}; it was made for another backbone")
        if not torch.isfinite(tensor).all():
            raise OeaError(f"{path}: {name} holds numbers that are not finite")


def _such_as(names: list[str]) -> str:
    return f"{_listed(names)} {'has' if len(names) == 1 else 'have'}"


def _listed(names: list[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
