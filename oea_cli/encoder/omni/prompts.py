"""Texts and lengths of sounds -> token ids in the chat layout, without torch."""

import math
from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer

from oea_cli.encoder.cut_texts import CutTexts
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


def chat(system_prompt: str, content: str, generation_prompt: bool = False) -> str:
    """One user turn in Qwen2.5-Omni's chat layout; at its end perhaps the assistant's turn."""
    turn = f"<|im_start|>system\n{system_prompt}<|im_end|>\n<|im_start|>user\n{content}<|im_end|>\n"
    return turn + "<|im_start|>assistant\n" * generation_prompt


def num_audio_tokens(num_frames: int) -> int:
    """Tokens that the audio tower makes of `num_frames` mel frames: stride 2, then pooling by 2."""
    after_convolution = (num_frames - 1) // 2 + 1
    return (after_convolution - 2) // 2 + 1


def with_enough_frames(waveform: np.ndarray, hop: int) -> np.ndarray:
    """The waveform, with zeros behind it where it would give no audio token."""
    missing = (MIN_FRAMES - 1) * hop + 1 - len(waveform)
    return np.pad(waveform, (0, missing)) if missing > 0 else waveform


def num_frames(waveform: np.ndarray, hop: int) -> int:
    """Mel frames of a waveform that count."""
    return math.ceil(len(waveform) / hop)


class Prompts:
    """The prompts of one encoder as token ids. Thread-safe."""

    def __init__(self, tokenizer: Tokenizer, settings: EncoderSettings) -> None:
        self.tokenizer, self.settings = tokenizer, settings
        self.pad_id = _token_id(tokenizer, PAD_TOKEN)
        self.audio_id = _token_id(tokenizer, AUDIO_TOKEN)
        clip = prompted(settings.audio_prompt, "<|audio_bos|>\0<|audio_eos|>")
        self._before_audio, self._after_audio = (
            encoding.ids for encoding in tokenizer.encode_batch(self._chat(clip).split("\0"))
        )
        after_text = self._chat(prompted(settings.text_prompt, "\0")).partition("\0")[2]
        self.cut_texts = CutTexts(settings.max_text_tokens)
        self._num_after_text = len(tokenizer.encode(after_text).ids)

    def of_texts(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of every text; what is cut at the limit is counted."""
        encodings = self.tokenizer.encode_batch([self._text_chat(text) for text in texts])
        self.cut_texts.add(sum(len(found.ids) > self.cut_texts.limit for found in encodings))
        return [self._within_limit(encoding.ids) for encoding in encodings]

    def of_sounds(self, frames: Sequence[int]) -> list[list[int]]:
        """The ids of sounds of so many mel frames, with one audio token for each of the tower's."""
        return [
            self._before_audio + [self.audio_id] * num_audio_tokens(n) + self._after_audio
            for n in frames
        ]

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


def padded(rows: Sequence[list[int]], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids and their mask, (B, T) int64, padded on the right."""
    width = max(len(row) for row in rows)
    ids = np.full((len(rows), width), pad_id, np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def _token_id(tokenizer: Tokenizer, token: str) -> int:
    token_id = tokenizer.token_to_id(token)
    if token_id is None:
        raise OeaError(f"the tokenizer has no token {token}; is it Qwen2.5-Omni's?")
    return int(token_id)
