"""A new Thinker of any size, from nothing: tokenizer, configuration, random weights.

The layer names, the token layout and the code path are Qwen2.5-Omni's; only the numbers are small.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig
from transformers.models.whisper.feature_extraction_whisper import WhisperFeatureExtractor

from oea_cli.encoder.omni.backbone import build_backbone, new_config
from oea_cli.encoder.omni.front_end import FrontEnd
from oea_cli.encoder.omni.omni import OmniModel
from oea_cli.encoder.omni.prompts import SPECIAL_TOKENS
from oea_cli.encoder.omni.settings import EncoderSettings


@dataclass(frozen=True)
class ModelSizes:
    """The sizes of a new model; the defaults are those of `mini`."""

    hidden_size: int = 192
    text_layers: int = 3
    text_mlp: int = 512
    text_heads: int = 4
    audio_layers: int = 3
    audio_mlp: int = 384
    audio_heads: int = 4
    hop_length: int = 320  # samples between mel frames at 16 kHz; four frames make a token
    initializer_range: float = 0.06


def train_tokenizer(texts: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """A byte-level BPE tokenizer with Qwen2.5-Omni's special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def new_front_end(tokenizer: Tokenizer, sizes: ModelSizes, settings: EncoderSettings) -> FrontEnd:
    """The front end of a new model: this tokenizer, and Whisper's log-mel at the sizes' hop."""
    extractor = WhisperFeatureExtractor(
        feature_size=128,
        sampling_rate=settings.sample_rate,
        hop_length=sizes.hop_length,
        chunk_length=300,
        return_attention_mask=True,
    )
    return FrontEnd(tokenizer, extractor, settings)


def new_model(sizes: ModelSizes, front_end: FrontEnd, seed: int = 0) -> OmniModel:
    """A randomly initialised model whose token ids are those of the front end's tokenizer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = build_backbone(thinker_config(sizes, front_end.tokenizer))
        return OmniModel(backbone, front_end.settings.dim)


def thinker_config(sizes: ModelSizes, tokenizer: Tokenizer) -> Qwen2_5OmniThinkerConfig:
    """The configuration of a Thinker of these sizes."""
    text = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": sizes.hidden_size,
        "intermediate_size": sizes.text_mlp,
        "num_hidden_layers": sizes.text_layers,
        "num_attention_heads": sizes.text_heads,
        "num_key_value_heads": sizes.text_heads,
        "initializer_range": sizes.initializer_range,
    }
    audio = {
        "d_model": sizes.hidden_size,
        "encoder_layers": sizes.audio_layers,
        "encoder_attention_heads": sizes.audio_heads,
        "encoder_ffn_dim": sizes.audio_mlp,
        "output_dim": sizes.hidden_size,
        "initializer_range": sizes.initializer_range,
    }
    return new_config(
        text,
        audio,
        tokenizer.token_to_id,
        sizes.hidden_size // sizes.text_heads,
        # Images and videos never come: ids that no token has.
        image_token_index=-1,
        video_token_index=-2,
        initializer_range=sizes.initializer_range,
    )
