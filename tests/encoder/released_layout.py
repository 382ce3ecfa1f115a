"""A checkpoint with the OEA release's layout at tiny size, made by plain transformers and PEFT.

Nothing of the package is used but the tiny configuration and tokenizer, so that what it makes of
such a checkpoint can be compared with what the release's own calls compute.
"""

import json
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import (
    Qwen2_5OmniThinkerForConditionalGeneration,
    WhisperFeatureExtractor,
)

from oea_cli.encoder.omni.fresh import ModelSizes, thinker_config, train_tokenizer

SIZES = ModelSizes(hidden_size=64, text_layers=2, text_mlp=96, audio_layers=2, audio_mlp=96)
DIM = 32
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"


@dataclass
class Release:
    """The model as the release holds it: PEFT around the Thinker, and two heads."""

    model: Any
    heads: dict[str, nn.Sequential]
    tokenizer: Tokenizer
    extractor: WhisperFeatureExtractor

    @torch.inference_mode()
    def text_vector(self, text: str) -> np.ndarray:
        """(DIM,) by the release's documented steps, one text at a time."""
        ids = self.tokenizer.encode(f"{SYSTEM}query:{text}<|im_end|>\n").ids
        return self._embed("text_head", {"input_ids": torch.tensor([ids])})

    @torch.inference_mode()
    def audio_vector(self, waveform: np.ndarray) -> np.ndarray:
        """(DIM,) with the features that the stock extractor pads to 300 s."""
        features = self.extractor(
            waveform,
            sampling_rate=16_000,
            padding="max_length",
            return_attention_mask=True,
            return_tensors="pt",
        )
        frames = int(features["attention_mask"].sum())
        num_tokens = ((frames - 1) // 2 + 1 - 2) // 2 + 1
        clip = f"<|audio_bos|>{'<|AUDIO|>' * num_tokens}<|audio_eos|>"
        inputs = {
            "input_ids": torch.tensor([self.tokenizer.encode(f"{SYSTEM}{clip}<|im_end|>\n").ids]),
            "input_features": features["input_features"],
            "feature_attention_mask": features["attention_mask"],
        }
        return self._embed("audio_head", inputs)

    def _embed(self, head: str, inputs: dict[str, Tensor]) -> np.ndarray:
        thinker = self.model.base_model.model.model  # LoRA sits in its layers
        hidden = thinker(**inputs, use_cache=False).last_hidden_state
        pooled = nn.functional.normalize(hidden.mean(1), dim=-1)
        vector = nn.functional.normalize(self.heads[head](pooled), dim=-1)
        return vector[0].numpy()

    def content(self, config: object) -> dict[str, Any]:
        """What the release pickles; names as transformers 4.52 gave them."""
        return {
            "text_head": self.heads["text_head"].state_dict(),
            "audio_head": self.heads["audio_head"].state_dict(),
            "lora_state_dict": {
                old_name(name): tensor for name, tensor in self.model.state_dict().items()
            },
            "config": config,
            "metrics": {"val_loss": 1.25, "r@10": np.float64(0.5)},
            "global_step": 350,
        }

    def save_base(self, folder: Path) -> None:
        """The backbone as its own repository holds it: thinker.* in safetensors, and more."""
        folder.mkdir()
        state = {
            "thinker."
            + old_name("base_model.model." + name)
            .removeprefix("base_model.model.")
            .replace(".base_layer", ""): tensor.contiguous()
            for name, tensor in self.model.base_model.model.state_dict().items()
            if "lora_" not in name
        }
        save_file(state, folder / "model.safetensors")
        config = {
            "model_type": "qwen2_5_omni",
            "thinker_config": self.model.base_model.model.config.to_dict(),
        }
        (folder / "config.json").write_text(json.dumps(config))
        self.tokenizer.save(str(folder / "tokenizer.json"))
        self.extractor.save_pretrained(str(folder))


def make_release(seed: int = 0) -> Release:
    """A tiny Thinker with its vision tower and language-model head, LoRA as in the release."""
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(["query: a dog barks, rain falls; system user helpful"], 400)
    config = thinker_config(SIZES, tokenizer)
    vision = config.vision_config
    vision.depth, vision.hidden_size, vision.num_heads = 1, 16, 1
    vision.intermediate_size, vision.out_hidden_size = 16, SIZES.hidden_size
    vision.fullatt_block_indexes = [0]
    thinker = Qwen2_5OmniThinkerForConditionalGeneration(config)
    lora = LoraConfig(
        r=16,
        lora_alpha=32,
        lora_dropout=0.05,
        bias="none",
        task_type=TaskType.FEATURE_EXTRACTION,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "qkv", "out_proj"],
        init_lora_weights=False,  # a fresh B is zero, and would prove nothing
    )
    heads = {
        name: nn.Sequential(
            nn.Linear(SIZES.hidden_size, DIM, bias=False), nn.Dropout(0.1), nn.LayerNorm(DIM)
        ).eval()
        for name in ("text_head", "audio_head")
    }
    for head in heads.values():
        nn.init.normal_(head[2].bias, std=0.1)
    extractor = WhisperFeatureExtractor(
        feature_size=128, hop_length=SIZES.hop_length, chunk_length=300, return_attention_mask=True
    )
    return Release(get_peft_model(thinker, lora).eval(), heads, tokenizer, extractor)


def old_name(name: str) -> str:
    """A tensor's name in transformers 4.52, by its name in transformers 5."""
    for new, old in (("language_model.", "model."), ("audio_tower.", "audio_tower.")):
        name = name.replace(f"base_model.model.model.{new}", f"base_model.model.{old}")
    return name.replace("base_model.model.model.visual.", "base_model.model.visual.")


@contextmanager
def paths_of_python_3_13() -> Iterator[type[PurePosixPath]]:
    """A PosixPath that is pickled as Python 3.13 does it: as `pathlib._local.PosixPath`."""

    class PosixPath(PurePosixPath):
        __module__ = "pathlib._local"
        __qualname__ = "PosixPath"

    module = types.ModuleType("pathlib._local")
    module.PosixPath = PosixPath  # type: ignore[attr-defined]
    own = sys.modules.get("pathlib._local")
    sys.modules["pathlib._local"] = module
    try:
        yield PosixPath
    finally:
        del sys.modules["pathlib._local"]
        if own is not None:
            sys.modules["pathlib._local"] = own


def training_config(path: type, **more: object) -> dict[str, object]:
    """A configuration like the training program's, paths included."""
    return {
        "output_dir": path("/data/runs/oea"),
        "train_jsonl": [path("/data/audiocaps.jsonl")],
        "lora_r": 16,
        "lora_alpha": 32,
        "lr": 3e-4,
        **more,
    }


def save_release(path: Path, content: dict[str, Any], **config: object) -> Path:
    """Write a checkpoint with a configuration that has Python 3.13's paths in it."""
    with paths_of_python_3_13() as kind:
        torch.save({**content, "config": training_config(kind, **config)}, path)
    return path


def waveforms(lengths: Sequence[int] = (16_003, 641, 50_001)) -> list[np.ndarray]:
    """Noise of these many samples."""
    rng = np.random.default_rng(0)
    return [0.1 * rng.standard_normal(n).astype(np.float32) for n in lengths]
