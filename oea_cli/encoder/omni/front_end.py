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

from oea_cli.encoder.cut_texts import CutTexts
from oea_cli.encoder.hub import load_pretrained
from oea_cli.encoder.omni.settings import EncoderSettings, prompted
from oea_cli.errors import OeaError

AUDIO_TOKEN = "<|AUDIO|>"
PAD_TOKEN = "<|endoftext|>"
SPECIAL_TOKENS = (
    PAD_TOKEN,
    "<|im_start|>",
    "<|im_end|>",
    AUDIO_TOKEN,
    "<|audio_bos|>",
    "<|audio_eos|>",
)
FRONT_END_FILES = ("tokenizer.json", "preprocessor_config.json")
MIN_FRAMES = 3  # mel frames; fewer give no audio token at all

Inputs = dict[str, Tensor]


def chat(system_prompt: str, content: str, generation_prompt: bool = False) -> str:
    """One user turn in Qwen2.5-Omni's chat layout; at its end perhaps the assistant's turn."""
    turn = f"<|im_start|>system\n{system_prompt}<|im_end|>\n<|im_start|>user\n{content}<|im_end|>\n"
    return turn + "<|im_start|>assistant\n" * generation_prompt


def num_audio_tokens(num_frames: int) -> int:
    """Tokens that the audio tower makes of `num_frames` mel frames: stride 2, then pooling by 2."""
    after_convolution = (num_frames - 1) // 2 + 1
    return (after_convolution - 2) // 2 + 1


class FrontEnd:
    """The tokenizer and the mel of one encoder. Thread-safe."""

    def __init__(
        self, tokenizer: Tokenizer, extractor: WhisperFeatureExtractor, settings: EncoderSettings
    ) -> None:
        self.tokenizer, self.extractor, self.settings = tokenizer, extractor, settings
        self.pad_id = _token_id(tokenizer, PAD_TOKEN)
        self.audio_id = _token_id(tokenizer, AUDIO_TOKEN)
        clip = prompted(settings.audio_prompt, "<|audio_bos|>\0<|audio_eos|>")
        self._before_audio, self._after_audio = (
            encoding.ids for encoding in tokenizer.encode_batch(self._chat(clip).split("\0"))
        )
        after_text = self._chat(prompted(settings.text_prompt, "\0")).partition("\0")[2]
        self.cut_texts = CutTexts(settings.max_text_tokens)
        self._num_after_text = len(tokenizer.encode(after_text).ids)

    def text_inputs(self, texts: Sequence[str]) -> Inputs:
        """input_ids and attention_mask, (B, T) int64, padded on the right."""
        chats = [self._text_chat(text) for text in texts]
        encodings = self.tokenizer.encode_batch(chats)
        self.cut_texts.add(sum(len(found.ids) > self.cut_texts.limit for found in encodings))
        return self._pad([self._within_limit(encoding.ids) for encoding in encodings])

    def audio_inputs(self, waveforms: Sequence[np.ndarray]) -> Inputs:
        """Token inputs as for texts, input_features (B, 128, F) and feature_attention_mask (B, F).

        The mel window is cut to the longest clip here, with a tail of zeros of one FFT frame:
        exactly the numbers that padding to 300 s gives, whatever else is in the batch.
        """
        hop, n_fft = self.extractor.hop_length, self.extractor.n_fft
        clips = [_at_least(waveform, (MIN_FRAMES - 1) * hop + 1) for waveform in waveforms]
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
        frames = [math.ceil(len(clip) / hop) for clip in clips]
        ids = [
            self._before_audio + [self.audio_id] * num_audio_tokens(n) + self._after_audio
            for n in frames
        ]
        width = max(frames)
        return self._pad(ids) | {
            "input_features": torch.from_numpy(features["input_features"][:, :, :width]),
            "feature_attention_mask": torch.from_numpy(
                features["attention_mask"][:, :width].astype(np.int64)
            ),
        }

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and preprocessor_config.json."""
        self.tokenizer.save(str(folder / "tokenizer.json"))
        self.extractor.save_pretrained(str(folder))

    def _chat(self, content: str) -> str:
        return chat(self.settings.system_prompt, content, self.settings.generation_prompt)

    def _text_chat(self, text: str) -> str:
        # A text that contains "<|AUDIO|>" must not become an audio token.
        return self._chat(prompted(self.settings.text_prompt, text.replace("<|", "< |")))

    def _within_limit(self, ids: list[int]) -> list[int]:
        limit = self.settings.max_text_tokens
        if len(ids) <= limit or self.settings.pooling != "last":
            return ids[:limit]
        # The last token is what counts: the text is cut, not what stands after it.
        return ids[: limit - self._num_after_text] + ids[-self._num_after_text :]

    def _pad(self, ids: Sequence[list[int]]) -> Inputs:
        width = max(len(row) for row in ids)
        input_ids = torch.full((len(ids), width), self.pad_id)
        mask = torch.zeros((len(ids), width), dtype=torch.int64)
        for i, row in enumerate(ids):
            input_ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        return {"input_ids": input_ids, "attention_mask": mask}


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


def _token_id(tokenizer: Tokenizer, token: str) -> int:
    token_id = tokenizer.token_to_id(token)
    if token_id is None:
        raise OeaError(f"the tokenizer has no token {token}; is it Qwen2.5-Omni's?")
    return int(token_id)


def _at_least(waveform: np.ndarray, num_samples: int) -> np.ndarray:
    if len(waveform) >= num_samples:
        return waveform
    return np.pad(waveform, (0, num_samples - len(waveform)))
