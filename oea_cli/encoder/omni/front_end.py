"""Texts and waveforms -> the Thinker's inputs: chat layout, tokens, log-mel.

The stock Qwen2.5-Omni processor is not used: it needs pillow and torchvision for images nobody
sends here, and pads every clip to 300 s. What it computes for text and audio is computed here,
with the same tokenizer and the same WhisperFeatureExtractor, to the same numbers.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers.models.whisper.feature_extraction_whisper import WhisperFeatureExtractor

from oea_cli.encoder.hub import load_pretrained
from oea_cli.encoder.omni.prompts import (
    FRONT_END_FILES,
    Prompts,
    num_frames,
    padded,
    with_enough_frames,
)
from oea_cli.encoder.omni.settings import EncoderSettings
from oea_cli.errors import OeaError

Inputs = dict[str, Tensor]


class FrontEnd:
    """The tokenizer and the mel of one encoder. Thread-safe."""

    def __init__(
        self, tokenizer: Tokenizer, extractor: WhisperFeatureExtractor, settings: EncoderSettings
    ) -> None:
        self.tokenizer, self.extractor, self.settings = tokenizer, extractor, settings
        self._prompts = Prompts(tokenizer, settings)
        self.audio_id, self.cut_texts = self._prompts.audio_id, self._prompts.cut_texts

    def text_inputs(self, texts: Sequence[str]) -> Inputs:
        """input_ids and attention_mask, (B, T) int64, padded on the right."""
        return self._pad(self._prompts.of_texts(texts))

    def audio_inputs(self, waveforms: Sequence[np.ndarray]) -> Inputs:
        """Token inputs as for texts, input_features (B, 128, F) and feature_attention_mask (B, F).

        The mel window is cut to the longest clip here, with a tail of zeros of one FFT frame:
        exactly the numbers that padding to 300 s gives, whatever else is in the batch.
        """
        hop, n_fft = self.extractor.hop_length, self.extractor.n_fft
        clips = [with_enough_frames(waveform, hop) for waveform in waveforms]
        longest = max(len(clip) for clip in clips)
        features = self.extractor(
            clips,
            sampling_rate=self.settings.sample_rate,
            padding="max_length",
            max_length=math.ceil((longest + n_fft) / hop) * hop,
            truncation=False,
            return_attention_mask=True,
            return_tensors="np",
        )
        frames = [num_frames(clip, hop) for clip in clips]
        width = max(frames)
        return self._pad(self._prompts.of_sounds(frames)) | {
            "input_features": torch.from_numpy(features["input_features"][:, :, :width]),
            "feature_attention_mask": torch.from_numpy(
                features["attention_mask"][:, :width].astype(np.int64)
            ),
        }

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and preprocessor_config.json."""
        self.tokenizer.save(str(folder / "tokenizer.json"))
        self.extractor.save_pretrained(str(folder))

    def _pad(self, rows: Sequence[list[int]]) -> Inputs:
        ids, mask = map(torch.from_numpy, padded(rows, self._prompts.pad_id))
        return {"input_ids": ids, "attention_mask": mask}


def load_front_end(folder: Path, settings: EncoderSettings) -> FrontEnd:
    """Read tokenizer.json and preprocessor_config.json from a model's folder."""
    for name in FRONT_END_FILES:
        if not (folder / name).is_file():
            raise OeaError(f"{folder}: no {name} in it")
    try:
        extractor = load_pretrained(WhisperFeatureExtractor, folder)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise OeaError(f"{folder}: tokenizer or preprocessor cannot be read ({error})") from error
    return FrontEnd(tokenizer, extractor, settings)
