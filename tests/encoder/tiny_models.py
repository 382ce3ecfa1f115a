"""Tiny models with random weights, of the classes and in the layout of published ones."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import RobertaTokenizerFast
from transformers.models.clap.configuration_clap import ClapConfig
from transformers.models.clap.feature_extraction_clap import ClapFeatureExtractor
from transformers.models.clap.modeling_clap import ClapModel

WORDS = ["a dog barks", "rain on a tin roof", "thunder over the hills while a bell tolls twice"]


def clap_config(fused: bool = False) -> ClapConfig:
    """CLAP as LAION published it, only smaller; `fused` as in clap-htsat-fused."""
    text = {
        "vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 48, "max_position_embeddings": 66,
    }  # fmt: skip
    audio = {
        "patch_embeds_hidden_size": 16, "hidden_size": 128, "depths": [1, 1, 1, 1],
        "num_attention_heads": [2, 2, 2, 2], "enable_fusion": fused,
        "fusion_type": None, "patch_embed_input_channels": 1,
    }  # fmt: skip
    return ClapConfig(text_config=text, audio_config=audio, projection_dim=24)


def save_clap(folder: Path, *, fused: bool = False) -> Path:
    """Save a tiny CLAP with its feature extractor and tokenizer, as a repository holds them.

    Its window is 2 s, for speed; LAION's are 10 s.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = ClapModel(clap_config(fused))
        for parameter in model.parameters():  # tell inputs apart, as a trained model does
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    truncation = "fusion" if fused else "rand_trunc"
    ClapFeatureExtractor(truncation=truncation, max_length_s=2).save_pretrained(folder)
    roberta_tokenizer().save_pretrained(folder)
    return folder


def roberta_tokenizer() -> RobertaTokenizerFast:
    """A byte-level BPE with Roberta's special tokens at Roberta's ids."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(WORDS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return RobertaTokenizerFast(tokenizer_object=tokenizer, model_max_length=512)
