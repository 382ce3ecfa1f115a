"""What a training step is handed, whatever it was made of: texts, sounds, and what fits what.

A step's global batch comes in micro-batches, some for each process. Which text fits which sound is
known by keys, numbers that can be compared wherever the rows came from, so that the whole global
batch can be masked.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from oea_cli.encoder.omni.front_end import Inputs
from oea_cli.training.processes import Processes

NO_KEY = -1
"""Fills the key rows that are shorter than others; equals nothing."""


@dataclass(frozen=True)
class TrainingBatch:
    """B pairs of a text and a sound, T more texts and H more sounds: their hard negatives.

    `texts` has B + T rows and `sounds` B + H (None where there are only texts); rows i < B are
    pairs, the others stand in the denominators of the loss only.
    """

    texts: Inputs
    sounds: Inputs | None
    text_keys: Tensor
    """(B + T, K) int64, padded with NO_KEY: what each text fits. See `content_key`."""
    sound_keys: Tensor
    """(B + H, L) int64, padded with NO_KEY: what each sound is. A text fits a sound that is not its
    own where any of their keys are equal; such a cell of the loss is masked, a pair never is."""
    hard_negative: Tensor
    """(B,) int64: the row in `sounds` that text i should be farther from than from its own, for the
    margin loss; -1 for none."""
    text_labels: Tensor | None = None
    """(B, 2 C) float32, for the label loss: what is in, then what is asked not to be."""
    sound_labels: Tensor | None = None
    """(B, C) float32."""

    @property
    def num_pairs(self) -> int:
        """B; of texts alone, the texts."""
        return len(self.hard_negative)

    def to(self, device: torch.device) -> "TrainingBatch":
        """The same batch on a device."""
        moved: dict[str, Any] = {
            item.name: _moved(getattr(self, item.name), device) for item in fields(self)
        }
        return replace(self, **moved)


def content_key(*parts: object) -> int:
    """A number (63 bits) for anything that JSON can say: the same parts, the same key.

    A clip's key is that of its dataset and id. What makes two clips the same to a listener, such as
    a list of near-duplicates, is one more key that both have.
    """
    digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def key_rows(sets: Sequence[Iterable[int]]) -> Tensor:
    """(N, widest) int64 of N sets of keys, padded with NO_KEY."""
    rows = [sorted(set(keys)) for keys in sets]
    width = max((len(row) for row in rows), default=0)
    return torch.tensor(
        [row + [NO_KEY] * (width - len(row)) for row in rows], dtype=torch.int64
    ).reshape(len(rows), width)


def fitting(text_keys: Tensor, sound_keys: Tensor) -> Tensor:
    """(texts, sounds) bool: True where a text and a sound have a key in common."""
    found = torch.zeros(len(text_keys), len(sound_keys), dtype=torch.bool, device=text_keys.device)
    for text_column in text_keys.T:
        for sound_column in sound_keys.T:
            column = text_column.masked_fill(text_column == NO_KEY, NO_KEY - 1)
            found |= column[:, None] == sound_column[None, :]
    return found


@dataclass(frozen=True)
class Pairing:
    """What is known of a global batch's rows, pairs first.

    `texts` and `sounds` are the orders (N + T,), (N + H,) that bring the rows, as the processes
    have them one after another, into this one.
    """

    texts: Tensor
    sounds: Tensor
    same: Tensor
    """(N + T, N + H) bool: the text fits the sound, which is not pushed away from it."""
    hard_negative: Tensor
    """(N,): rows in sounds, or -1."""
    text_labels: Tensor | None
    sound_labels: Tensor | None

    @property
    def num_pairs(self) -> int:
        """N: pairs in the global batch."""
        return len(self.hard_negative)

    def with_negatives(self, within: int = 0, *, masks: bool = True) -> "Pairing":
        """The same, but only runs of so many pairs are each other's negatives (0: all are), and
        without masks a text counts as a negative of any sound that is not its own.

        This is what a loss knows that sees one micro-batch at a time, as in OEA's released code,
        where adding up gradients adds no negatives.
        """
        left_out = self.same if masks else torch.zeros_like(self.same)
        if within:
            run_of_text, run_of_sound = (
                torch.arange(size, device=left_out.device) // within for size in left_out.shape
            )
            left_out = left_out | (run_of_text[:, None] != run_of_sound[None, :])
        return replace(self, same=left_out)


def pair_up(batches: Sequence[TrainingBatch], processes: Processes) -> Pairing:
    """The pairing of the global batch, out of this process's micro-batches and all the others'."""
    batches = [replace(batch, texts={}, sounds=None).to(processes.device) for batch in batches]
    text_keys = _all(processes, [batch.text_keys for batch in batches])
    sound_keys = _all(processes, [batch.sound_keys for batch in batches])
    texts = _pairs_first(processes, batches, [len(batch.text_keys) for batch in batches])
    sounds = _pairs_first(processes, batches, [len(batch.sound_keys) for batch in batches])
    place = torch.empty_like(sounds)
    place[sounds] = torch.arange(len(sounds), device=sounds.device)
    return Pairing(
        texts,
        sounds,
        fitting(text_keys[texts], sound_keys[sounds]),
        _hard_negatives(processes, batches, place),
        _labels(processes, [batch.text_labels for batch in batches]),
        _labels(processes, [batch.sound_labels for batch in batches]),
    )


def _all(processes: Processes, parts: Sequence[Tensor]) -> Tensor:
    """All processes' rows, (rows, widest)."""
    width = max(part.shape[1] for part in parts)
    mine = torch.cat([_widened(part, width) for part in parts])
    gathered = processes.gather(mine)
    width = max(part.shape[1] for part in gathered)
    return torch.cat([_widened(part, width) for part in gathered])


def _widened(rows: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(rows, (0, width - rows.shape[1]), value=NO_KEY)


def _pairs_first(
    processes: Processes, batches: Sequence[TrainingBatch], sizes: Sequence[int]
) -> Tensor:
    is_extra = torch.cat(
        [
            torch.arange(size, device=batch.hard_negative.device) >= batch.num_pairs
            for batch, size in zip(batches, sizes, strict=True)
        ]
    )
    return torch.cat(processes.gather(is_extra.long())).argsort(stable=True)


def _hard_negatives(
    processes: Processes, batches: Sequence[TrainingBatch], place: Tensor
) -> Tensor:
    mine, start = [], 0
    for batch in batches:
        mine.append(torch.where(batch.hard_negative < 0, -1, batch.hard_negative + start))
        start += len(batch.sound_keys)
    device = batches[0].hard_negative.device
    starts = torch.cat(processes.gather(torch.tensor([start], device=device))).cumsum(0) - start
    found = []
    for rows, first in zip(processes.gather(torch.cat(mine)), starts, strict=True):
        found.append(torch.where(rows < 0, -1, place[(rows + first).clamp(min=0)]))
    return torch.cat(found)


def _labels(processes: Processes, parts: Sequence[Tensor | None]) -> Tensor | None:
    given = [part for part in parts if part is not None]
    return torch.cat(processes.gather(torch.cat(given))) if given else None


def _moved(value: Inputs | Tensor | None, device: torch.device) -> Inputs | Tensor | None:
    if isinstance(value, dict):
        return {name: tensor.to(device, non_blocking=True) for name, tensor in value.items()}
    return None if value is None else value.to(device, non_blocking=True)
