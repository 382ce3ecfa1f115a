"""How a clip varies from turn to turn: louder or softer, noise, a second clip, a mel with gaps.

torchaudio's transforms do it; all that is drawn at random follows from the generators given.
"""

import math

import numpy as np
import torch
from torch import Tensor

from oea_cli.training.recipe.clips import Augment

MASKED_SHARE = 0.2  # of a clip's mel at most, by one mask in time
JOINTS = (" and ", " while ", " as ", " with ")


def vary_waveform(
    rng: np.random.Generator, samples: np.ndarray, augment: Augment, rate: int
) -> np.ndarray:
    """(n,) -> (n,) float32: another level, and perhaps noise."""
    from torchaudio.functional import add_noise
    from torchaudio.transforms import Vol

    sound = torch.from_numpy(samples)
    if augment.noise and rng.random() < augment.noise:
        noise = torch.from_numpy(rng.standard_normal(len(samples), dtype=np.float32))
        sound = add_noise(sound, noise, _decibels(rng, augment.noise_snr))
    if augment.gain_db:
        peak = float(sound.abs().max()) or 1.0
        # Vol clips at full scale, which would be another kind of change.
        gain = min(rng.uniform(-augment.gain_db, augment.gain_db), -20 * math.log10(peak))
        sound = Vol(gain, gain_type="db")(sound)
    varied: np.ndarray = sound.numpy()
    return varied


def mixed(
    rng: np.random.Generator, samples: np.ndarray, other: np.ndarray, augment: Augment
) -> np.ndarray:
    """(n,) float32: the first clip, and somewhere beneath it the other, cut where it is longer."""
    from torchaudio.functional import add_noise

    beneath = np.zeros_like(samples)
    if len(other) > len(samples):
        start = int(rng.integers(len(other) - len(samples) + 1))
        beneath[:] = other[start : start + len(samples)]
    else:
        start = int(rng.integers(len(samples) - len(other) + 1))
        beneath[start : start + len(other)] = other
    snr = _decibels(rng, augment.mix_snr)
    if samples.any() and beneath.any():
        total: Tensor = add_noise(torch.from_numpy(samples), torch.from_numpy(beneath), snr)
    else:
        total = torch.from_numpy(samples) + torch.from_numpy(beneath)
    levelled: np.ndarray = (total / total.abs().max().clamp(min=1.0)).numpy()
    return levelled


def mixed_caption(rng: np.random.Generator, first: str, second: str) -> str:
    """A sentence about both: `a dog barks while rain falls`."""
    joint = JOINTS[int(rng.integers(len(JOINTS)))]
    second = second.strip()
    # "A dog" begins with a capital because it begins; "I" and "TV" always do.
    if second[:1].isupper() and not second[1:2].isupper() and second[:2] != "I ":
        second = second[:1].lower() + second[1:]
    return first.strip().rstrip(".") + joint + second


def mask_mel(seed: int, mel: Tensor, frames: int, augment: Augment, frames_per_second: int) -> None:
    """Blank stretches of one clip's mel (M, F), in place; what lies beyond its frames stays."""
    from torchaudio.transforms import FrequencyMasking, TimeMasking

    if not (augment.time_masks or augment.frequency_masks):
        return
    own = mel[None, :, :frames]
    floor = float(own.min())
    width = round(augment.time_width * frames_per_second)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(augment.time_masks):
            own = TimeMasking(width, p=MASKED_SHARE)(own, floor)
        for _ in range(augment.frequency_masks):
            own = FrequencyMasking(min(augment.frequency_width, len(mel)))(own, floor)
    mel[:, :frames] = own[0]


def _decibels(rng: np.random.Generator, ends: tuple[float, ...]) -> Tensor:
    return torch.tensor(rng.uniform(ends[0], ends[1]), dtype=torch.float32)
