"""The sizes of the backbones that OEA is released on, as data: what is known without a download.

The released configurations agree with these numbers (OEA counts 544 LoRA tensors for 3B and 480 for
7B, and their shapes fit). They serve `oea models bench --random-weights`, which needs no weights,
and to check a checkpoint against the backbone it claims.
"""

from dataclasses import dataclass

from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig

from oea_cli.encoder.omni.backbone import new_config

TOKEN_IDS = {
    "<|endoftext|>": 151_643,
    "<|im_start|>": 151_644,
    "<|im_end|>": 151_645,
    "<|AUDIO|>": 151_646,
    "<|audio_bos|>": 151_647,
    "<|audio_eos|>": 151_648,
}
"""Where the tokens that OEA uses stand in the vocabulary of every Qwen2.5-Omni."""

HEAD_DIM = 128


@dataclass(frozen=True)
class KnownBackbone:
    """A released Thinker: what differs between 3B and 7B. The audio towers differ in `hidden_size`,
    the width of their output, alone."""

    hidden_size: int
    layers: int
    mlp: int
    heads: int
    kv_heads: int
    vocabulary: int
    attention: str = "causal"


_QWEN_3B = (2048, 36, 11_008, 16, 2, 151_936)
KNOWN_BACKBONES = {
    "Qwen/Qwen2.5-Omni-3B": KnownBackbone(*_QWEN_3B),
    "Qwen/Qwen2.5-Omni-7B": KnownBackbone(3584, 28, 18_944, 28, 4, 152_064),
    "nvidia/omni-embed-nemotron-3b": KnownBackbone(*_QWEN_3B, attention="bidirectional"),
}
"""By the repository that holds the weights."""


def backbone_config(repository: str) -> Qwen2_5OmniThinkerConfig:
    """The Thinker's configuration for one of KNOWN_BACKBONES; KeyError for any other name."""
    sizes = KNOWN_BACKBONES[repository]
    text = {
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.hidden_size,
        "intermediate_size": sizes.mlp,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
    }
    audio = {
        "d_model": 1280,
        "encoder_layers": 32,
        "encoder_attention_heads": 20,
        "encoder_ffn_dim": 5120,
        "output_dim": sizes.hidden_size,
    }
    return new_config(text, audio, TOKEN_IDS.get, HEAD_DIM)
