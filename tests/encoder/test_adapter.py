"""Adapters and bare backbones: the same vectors as PEFT's and transformers' own models give."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniConfig

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.omni.adapter import lora_config, save_adapter_folder
from oea_cli.encoder.omni.backbone import find_checkpoint, load_backbone, own_name
from oea_cli.encoder.omni.front_end import load_front_end
from oea_cli.encoder.omni.heads import heads_of
from oea_cli.encoder.omni.omni import OmniModel
from oea_cli.encoder.omni.settings import EncoderSettings
from oea_cli.errors import OeaError, UsageError

TEXTS = ["a dog barks", "", "thunder over the hills while a bell tolls twice"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def waveforms() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [0.1 * rng.standard_normal(n).astype(np.float32) for n in (16_003, 48_001, 7_777)]


@pytest.fixture(scope="module")
def base(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as the release's backbones lie: thinker, talker and token2wav in two shards."""
    folder = tmp_path_factory.mktemp("bases") / "Tiny-Omni"
    folder.mkdir()
    for name in ("tokenizer.json", "preprocessor_config.json"):
        (folder / name).write_bytes((tiny_encoder / name).read_bytes())
    thinker = json.loads((tiny_encoder / "config.json").read_text())
    content = {**Qwen2_5OmniConfig().to_dict(), "thinker_config": thinker}
    (folder / "config.json").write_text(json.dumps(content))
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in load_file(tiny_encoder / "model.safetensors").items():
        tensors[f"thinker.{name}".replace("thinker.language_model", "thinker.model")] = tensor
    others = {
        "thinker.lm_head.weight": torch.ones(3),
        "thinker.visual.patch_embed.proj.weight": torch.ones(3),
    }
    shards = [
        {name: t for name, t in tensors.items() if "audio" in name} | {"talker.a": torch.ones(3)},
        {name: t for name, t in tensors.items() if "audio" not in name} | others,
        {"token2wav.b": torch.ones(3)},
    ]
    weight_map = {}
    for i, shard in enumerate(shards, start=1):
        file = f"model-{i:05}-of-00003.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(shard, file)
    (folder / "model-00003-of-00003.safetensors").unlink()  # not needed, so not downloaded
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture(scope="module")
def trained(base: Path) -> tuple[Any, OmniModel]:
    """PEFT's own model on the backbone, with LoRA that does something, and heads."""
    backbone = load_backbone(find_checkpoint(str(base)), torch.float32, CPU)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        wrapped = get_peft_model(backbone, lora_config())
        for name, parameter in wrapped.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.05)
        model = OmniModel(wrapped, 32).eval()
    return wrapped, model


@pytest.fixture(scope="module")
def adapter(
    base: Path, trained: tuple[Any, OmniModel], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    wrapped, model = trained
    folder = tmp_path_factory.mktemp("adapters") / "tiny"
    settings = EncoderSettings(dim=32, base=str(base), training={"steps": 7})
    save_adapter_folder(folder, get_peft_model_state_dict(wrapped), heads_of(model), settings)
    return folder


def vectors_of(model: OmniModel, base: Path, content: list[Any]) -> np.ndarray:
    """What PEFT's model gives, one input at a time."""
    front_end = load_front_end(base, EncoderSettings(dim=32))
    rows = []
    for one in content:
        is_text = isinstance(one, str)
        inputs = front_end.text_inputs([one]) if is_text else front_end.audio_inputs([one])
        with torch.inference_mode():
            rows.append(model(inputs, "text" if is_text else "audio")[0].numpy())
    return np.stack(rows)


def test_an_adapter_gives_pefts_vectors(
    adapter: Path, base: Path, trained: tuple[Any, OmniModel], waveforms: list[np.ndarray]
) -> None:
    encoder = load_encoder(str(adapter))
    np.testing.assert_allclose(
        encoder.encode_audio(waveforms), vectors_of(trained[1], base, waveforms), atol=1e-5
    )
    np.testing.assert_allclose(
        encoder.encode_text(TEXTS), vectors_of(trained[1], base, TEXTS), atol=1e-5
    )
    bare = load_encoder(f"omni:{base}").encode_text(TEXTS)
    assert bare.shape == (3, 64)  # no heads: the backbone's width


def test_in_bfloat16_lora_stays_beside_the_weights(
    adapter: Path, base: Path, trained: tuple[Any, OmniModel], waveforms: list[np.ndarray]
) -> None:
    encoder: Any = load_encoder(str(adapter), dtype="bfloat16")
    assert any("lora_A" in name for name, _ in encoder.model.named_parameters())
    expected = vectors_of(trained[1], base, waveforms)
    cosines = (encoder.encode_audio(waveforms) * expected).sum(1)
    assert (cosines > 0.999).all()
    assert encoder.fingerprint == load_encoder(str(adapter)).fingerprint


def test_folder_and_repository_have_one_fingerprint(
    adapter: Path, base: Path, tmp_path: Path
) -> None:
    """As in the hub's cache: files are links to blobs that are called by their SHA-256."""
    import hashlib

    cached = tmp_path / "snapshots" / "abc"
    cached.mkdir(parents=True)
    (tmp_path / "blobs").mkdir()
    for path in base.iterdir():
        blob = tmp_path / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
        blob.write_bytes(path.read_bytes())
        (cached / path.name).symlink_to(blob)
    assert load_encoder(f"omni:{cached}").fingerprint == load_encoder(f"omni:{base}").fingerprint


def test_options_change_vectors_and_fingerprint(base: Path) -> None:
    names = [f"omni:{base}{more}" for more in ("", "?pooling=last", "?text_prompt=passage:")]
    names.append(f"omni:{base}?generation_prompt=yes&pooling=last&text_prompt={{}} in one word:")
    encoders = [load_encoder(name) for name in names]
    assert len({encoder.fingerprint for encoder in encoders}) == len(names)
    vectors = [encoder.encode_text(TEXTS) for encoder in encoders]
    for i, one in enumerate(vectors):
        assert all(np.abs(one - other).max() > 1e-3 for other in vectors[:i])
        assert encoders[i].encoder_id.startswith(names[i])


def test_last_pooling_is_the_last_token_whatever_the_padding(
    base: Path, waveforms: list[np.ndarray]
) -> None:
    encoder: Any = load_encoder(f"omni:{base}?pooling=last")
    together = encoder.encode_audio(waveforms)
    for waveform, vector in zip(waveforms, together, strict=True):
        inputs = encoder.front_end.audio_inputs([waveform])
        with torch.inference_mode():
            del inputs["attention_mask"]  # nothing is padded
            hidden = encoder.model.backbone(**inputs).last_hidden_state[0, -1]
        np.testing.assert_allclose(vector, F.normalize(hidden, dim=0).numpy(), atol=1e-5)


def test_a_long_text_keeps_its_end_under_last_pooling(base: Path) -> None:
    options = "?pooling=last&text_prompt={} in one word:&generation_prompt=yes"
    encoder: Any = load_encoder(f"omni:{base}{options}")
    short = encoder.front_end.text_inputs(["rain"])["input_ids"][0]
    long = encoder.front_end.text_inputs(["rain " * 2000])["input_ids"][0]
    assert len(long) == 512
    assert long[-10:].tolist() == short[-10:].tolist()


def test_nemotron_reads_both_ways(base: Path, tmp_path: Path) -> None:
    """Omni-Embed-Nemotron's language model has no causal mask; its type says so."""
    import shutil

    folder = shutil.copytree(base, tmp_path / "nemotron")
    content = json.loads((folder / "config.json").read_text())["thinker_config"]
    (folder / "config.json").write_text(json.dumps({**content, "model_type": "nvomniembed"}))
    causal, both = load_encoder(f"omni:{base}"), load_encoder(f"omni:{folder}")
    assert causal.fingerprint != both.fingerprint

    def first_states(encoder: Any, text: str) -> torch.Tensor:
        inputs = encoder.front_end.text_inputs([text])
        del inputs["attention_mask"]
        with torch.inference_mode():
            states: torch.Tensor = encoder.model.backbone(**inputs).last_hidden_state[0, :3]
        return states

    one, other = "rain", "thunder rolls over the hills"
    assert torch.allclose(first_states(causal, one), first_states(causal, other), atol=1e-5)
    assert not torch.allclose(first_states(both, one), first_states(both, other), atol=1e-3)
    # Padding does not leak in here either.
    together = both.encode_text([one, other])
    alone = np.concatenate([both.encode_text([one]), both.encode_text([other])])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("thinker.model.layers.0.mlp.up_proj.weight", "language_model.layers.0.mlp.up_proj.weight"),
        ("model.embed_tokens.weight", "language_model.embed_tokens.weight"),
        ("model.language_model.norm.weight", "language_model.norm.weight"),
        ("language_model.norm.weight", "language_model.norm.weight"),
        ("thinker.audio_tower.conv1.bias", "audio_tower.conv1.bias"),
        ("model.audio_tower.conv1.bias", "audio_tower.conv1.bias"),
        ("thinker.visual.blocks.0.norm1.weight", None),
        ("model.visual.blocks.0.norm1.weight", None),
        ("thinker.lm_head.weight", None),
        ("talker.model.layers.0.mlp.up_proj.weight", None),
        ("token2wav.x", None),
    ],
)
def test_names_of_tensors(name: str, expected: str | None) -> None:
    assert own_name(name) == expected


def broken(base: Path, tmp_path: Path, change: Callable[[Path], object]) -> Path:
    import shutil

    folder = shutil.copytree(base, tmp_path / "broken")
    change(folder)
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "config.json").write_text("{"), r"config\.json: no configuration of"),
        (lambda f: (f / "config.json").write_text('{"model_type": "bert"}'), "type 'bert'"),
        (lambda f: (f / "config.json").unlink(), r"config\.json"),
        (lambda f: (f / "tokenizer.json").unlink(), r"no tokenizer\.json in it"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "cannot be read"),
        (lambda f: (f / "model-00001-of-00003.safetensors").unlink(), "no model-00001"),
        (lambda f: (f / "model-00001-of-00003.safetensors").write_text("x"), "as safetensors"),
        (
            lambda f: save_file({}, f / "model-00001-of-00003.safetensors"),
            r"lacks audio_tower\.",
        ),
        (
            lambda f: (f / "model.safetensors.index.json").write_text(
                '{"weight_map": {"thinker.model.norm.weight": "../x.safetensors"}}'
            ),
            "outside its folder",
        ),
    ],
)
def test_a_broken_backbone_is_one_clear_line(
    base: Path, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    folder = broken(base, tmp_path, change)
    with pytest.raises(OeaError, match=said):
        load_encoder(f"omni:{folder}")


def test_an_adapter_for_another_backbone_is_refused(
    adapter: Path, base: Path, tmp_path: Path
) -> None:
    import shutil

    def changed(name: str, change: Callable[[dict[str, torch.Tensor]], object]) -> str:
        folder = shutil.copytree(adapter, tmp_path / name)
        tensors = load_file(folder / "adapter_model.safetensors")
        change(tensors)
        save_file(tensors, folder / "adapter_model.safetensors")
        return str(folder)

    key = "base_model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight"
    with pytest.raises(OeaError, match=r"lacks .*q_proj\.lora_A"):
        load_encoder(changed("lacks", lambda t: t.pop(key)))
    with pytest.raises(OeaError, match="has no place in the backbone"):
        load_encoder(
            changed("more", lambda t: t.update({key.replace("s.0.", "s.9."): t[key].clone()}))
        )
    with pytest.raises(OeaError, match=r"of shape .* the backbone's"):
        load_encoder(changed("shape", lambda t: t.update({key: torch.zeros(16, 3)})))
    with pytest.raises(OeaError, match="not finite"):
        load_encoder(changed("nan", lambda t: t[key].fill_(float("nan"))))
    folder = shutil.copytree(adapter, tmp_path / "both")
    content = json.loads((folder / "encoder.json").read_text())
    (folder / "encoder.json").write_text(json.dumps({**content, "attention": "bidirectional"}))
    with pytest.raises(OeaError, match=r"bidirectional attention; that of .* is causal"):
        load_encoder(str(folder))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("?pooling=max", "pooling must be mean or last"),
        ("?generation_prompt=maybe", "yes or no"),
        ("?max_seconds=0", "between 0 and 300"),
        ("?max_seconds=soon", "between 0 and 300"),
        ("?colour=red", "no option 'colour'"),
        ("?revision=main", "a folder has no revision"),
    ],
)
def test_wrong_options_are_wrong_usage(base: Path, options: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_encoder(f"omni:{base}{options}")


@pytest.mark.parametrize(("kind", "cosine"), [("int8", 0.995), ("int4", 0.95)])
def test_quantised_weights_give_nearly_the_same_vectors(
    adapter: Path, waveforms: list[np.ndarray], kind: str, cosine: float
) -> None:
    pytest.importorskip("bitsandbytes", reason="needs the extra [quant]")
    plain = load_encoder(str(adapter))
    quantized = load_encoder(str(adapter), quantize=kind)
    assert plain.fingerprint == quantized.fingerprint
    for one, other in (
        (plain.encode_audio(waveforms), quantized.encode_audio(waveforms)),
        (plain.encode_text(TEXTS), quantized.encode_text(TEXTS)),
    ):
        assert ((one * other).sum(1) > cosine).all()
        assert not np.array_equal(one, other)
