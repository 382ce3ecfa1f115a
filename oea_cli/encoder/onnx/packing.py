"""What the audio graph is given: the chunks of a batch one after another, and who belongs where.

The audio tower sees a sound in chunks (two seconds of a released model). Every chunk lies in one
long row of frames with zeros behind it, at an even frame, so that convolutions run over the row as
they would over each chunk alone; attention gets the chunks side by side, the shorter ones masked.
"""

from collections.abc import Sequence

import numpy as np

from oea_cli.encoder.omni.prompts import padded

Inputs = dict[str, np.ndarray]
MASKED = np.float32(-1e9)


def pack(mels: Sequence[np.ndarray], chunk_frames: int) -> Inputs:
    """The tower's inputs for the mel (frames, bins) of every sound, cut into chunks."""
    chunks = [
        mel[start : start + chunk_frames]
        for mel in mels
        for start in range(0, len(mel), chunk_frames)
    ]
    lengths = np.array([len(chunk) for chunk in chunks])
    starts = np.concatenate([[0], np.cumsum(lengths + 2 - lengths % 2)])
    row = np.zeros((int(starts[-1]), mels[0].shape[1]), np.float32)
    mask = np.zeros(len(row), np.float32)
    for chunk, start in zip(chunks, starts, strict=False):
        row[start : start + len(chunk)] = chunk
        mask[start : start + len(chunk)] = 1.0
    halves = (lengths + 1) // 2  # positions of each chunk behind the second convolution
    return {
        "mel": row,
        "frame_mask": mask,
        "first_of_pair": _pairs([(len(mel) + 1) // 2 for mel in mels]),
        **_layout(halves, starts[:-1] // 2),
    }


def prompt_inputs(ids: list[list[int]], pad_id: int, pooling: str) -> Inputs:
    """input_ids (B, T), and by which weights (B, T) the last hidden layer is pooled."""
    input_ids, mask = padded(ids, pad_id)
    if pooling == "last":
        mask = mask * (mask.cumsum(1) == mask.sum(1, keepdims=True))
    weights = (mask / mask.sum(1, keepdims=True)).astype(np.float32)
    return {"input_ids": input_ids, "weights": weights}


def token_index(input_ids: np.ndarray, audio_id: int) -> np.ndarray:
    """(B, T): which of the batch's audio tokens stands where; 0 where none does."""
    is_sound = input_ids == audio_id
    index: np.ndarray = np.where(is_sound, is_sound.cumsum().reshape(is_sound.shape) - 1, 0)
    return index


def _layout(lengths: np.ndarray, starts: np.ndarray) -> Inputs:
    """Positions packed one behind another <-> (chunks, longest)."""
    longest, first = int(lengths.max()), np.cumsum(lengths) - lengths
    column = np.arange(longest)
    there = column < lengths[:, None]
    place = np.broadcast_to(column, there.shape)
    spread = np.where(there, first[:, None] + column, 0)
    return {
        "positions": (starts[:, None] + column)[there],
        "place_in_chunk": place[there],
        "spread": spread,
        "chunk_bias": np.where(there, np.float32(0.0), MASKED),
        "back": np.flatnonzero(there),
    }


def _pairs(positions: Sequence[int]) -> np.ndarray:
    """The first of every two positions that make a token; a sound's odd last one makes none."""
    starts = np.cumsum([0, *positions])
    return np.concatenate(
        [
            start + np.arange(0, count - 1, 2)
            for start, count in zip(starts, positions, strict=False)
        ]
    )
