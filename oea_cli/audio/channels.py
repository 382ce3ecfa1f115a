"""From several channels to one: their mean, or one of them."""

from dataclasses import dataclass

import numpy as np

from oea_cli.audio.sources import AudioError

# The mean of unrelated channels has one N-th of their power; 20 dB less is cancellation.
CANCELLED_SHARE = 0.01
SAMPLED = 8  # every so many frames are enough to tell power
SILENT_POWER = 1e-9  # -90 dB of full scale
LOUDEST = 1e10  # 32-bit samples stored as floats without scaling stay below; power stays finite
LOUD = 100.0  # 40 dB above full scale: no mix and no mastering comes to it


@dataclass(slots=True)
class Mixer:
    """Makes one channel of a sound's blocks, and notices where its channels cancel.

    `peak` is the largest sample so far, 1 at full scale.
    """

    channel: int | None = None  # from 0; None for the mean of all
    peak: float = 0.0
    _mixed: float = 0.0
    _power: float = 0.0  # of the channels, such as unrelated ones would leave in the mean
    _frames: int = 0

    def mono(self, frames: np.ndarray, seconds: float) -> np.ndarray:
        """(frames, channels) float32, from `seconds` on -> (frames,), a new array.

        Raises AudioError where the channel is lacking, and for samples that are NaN, infinite or
        absurdly large.
        """
        if self.channel is not None:
            mono = frames[:, self._available(frames.shape[1])].copy()
        else:
            mono = mix(frames)
            if frames.shape[1] > 1:
                self._weigh(mono[::SAMPLED], frames[::SAMPLED])
        peak = float(np.abs(mono).max(initial=0))
        if not peak <= LOUDEST:  # true for NaN, too
            raise AudioError(
                f"has NaN, infinite or absurdly large samples at {seconds:.1f} s or later"
            )
        self.peak = max(self.peak, peak)
        return mono

    def _weigh(self, mono: np.ndarray, frames: np.ndarray) -> None:
        # Channel by channel, because numpy copies what is not one run of memory.
        channels = frames.T
        self._mixed += _energy(mono)
        self._power += sum(map(_energy, channels)) / len(channels) ** 2
        self._frames += len(frames)

    @property
    def cancels(self) -> bool:
        """True where little is left in the mean of what the channels hold."""
        audible = self._power > SILENT_POWER * self._frames
        return audible and self._mixed < CANCELLED_SHARE * self._power

    def _available(self, count: int) -> int:
        channel = self.channel or 0
        if channel < count:
            return channel
        if count == 1 and channel == 1:
            return 0  # what a mono sound plays on the right
        channels = "1 channel" if count == 1 else f"{count} channels"
        raise AudioError(f"has {channels}; channel {channel + 1} was asked for")


def _energy(samples: np.ndarray) -> float:
    return float(np.vdot(samples, samples))


def mix(frames: np.ndarray) -> np.ndarray:
    """(frames, channels) float32 -> (frames,) mean over the channels, a new array.

    Channel by channel, so that a sample's value does not depend on the block it comes in.
    """
    mono = frames[:, 0].copy()
    with np.errstate(over="ignore", invalid="ignore"):
        for channel in range(1, frames.shape[1]):
            mono += frames[:, channel]
        if frames.shape[1] > 1:
            mono /= np.float32(frames.shape[1])
    return mono
