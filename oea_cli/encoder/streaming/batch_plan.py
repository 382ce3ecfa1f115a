"""How a stretch of the input becomes batches: by what they cost, each of similar length.

What a batch costs is its padded size: rows x the longest one, in tokens. Encoders cut texts and
sounds into tokens differently; a fixed rule is close enough for all of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from oea_cli.encoder.protocol import Encoder, Runtime
from oea_cli.encoder.streaming.inputs import EncoderInput

CPU_TOKENS, GPU_TOKENS = 2400, 6144  # of an automatic batch: 16 clips of 5 s; 22 of 10 s
TOKENS_PER_SECOND = 25  # Qwen2.5-Omni's audio tower
BYTES_PER_TOKEN = 4  # of a text in UTF-8, whatever its script
TOKENS_AROUND = 24  # system prompt and chat layout
WINDOW_SECONDS = 10.0  # how long a window is taken to be where only the number of rows is given
MAX_LANES = 8
MIN_GROUP_SECONDS = 600.0  # 38 MB at 16 kHz; about four times this is held in all


@dataclass(frozen=True)
class BatchPlan:
    """The limits of a batch. `rows` is the size that was asked for, or else infinite."""

    rows: float
    tokens: float
    lanes: int  # batches that are computed at a time

    def batches(
        self, inputs: Sequence[EncoderInput], sample_rate: int, tokens: float = math.inf
    ) -> list[list[int]]:
        """Row numbers of a group, in batches of one kind, similar length and similar cost.

        `tokens` is a limit that came up on the way (memory).
        """
        limit = min(self.tokens, tokens)
        costs = [num_tokens(item, sample_rate) for item in inputs]
        longest_first = sorted(range(len(inputs)), key=costs.__getitem__, reverse=True)
        texts = [i for i in longest_first if isinstance(inputs[i].content, str)]
        sounds = [i for i in longest_first if not isinstance(inputs[i].content, str)]
        return [*self._parts(texts, costs, limit), *self._parts(sounds, costs, limit)]

    def is_full(self, num_rows: int, num_tokens: float) -> bool:
        """True when a group of so many rows and tokens keeps every lane busy."""
        return max(num_rows / self.rows, num_tokens / self.tokens) >= self.group_batches

    @property
    def group_batches(self) -> int:
        """Batches of a group: enough to sort by length, and for every lane."""
        return max(4, 2 * self.lanes)

    @property
    def group_rows(self) -> int:
        """Inputs of one group at most."""
        return round(self.group_batches * min(self.rows, self.tokens / TOKENS_AROUND))

    @property
    def group_seconds(self) -> float:
        """Seconds of sound in one group at most."""
        seconds = min(self.rows * WINDOW_SECONDS, self.tokens / TOKENS_PER_SECOND)
        return max(MIN_GROUP_SECONDS, self.group_batches * seconds)

    def _parts(self, rows: list[int], costs: Sequence[float], limit: float) -> list[list[int]]:
        """Parts within the limits, as few as can be but one for every lane, of even cost."""
        if not rows:
            return []
        # Fewer batches than lanes would leave lanes idle.
        wanted = max(len(self._filled(rows, costs, limit)), min(self.lanes, len(rows)))
        low, high = costs[rows[0]], min(limit, costs[rows[0]] * len(rows))
        return self._evened(rows, costs, wanted, low, high)

    def _evened(
        self, rows: list[int], costs: Sequence[float], wanted: int, low: float, high: float
    ) -> list[list[int]]:
        """The `wanted` parts whose dearest one costs least."""
        while high - low > 1:
            middle = (low + high) / 2
            if len(self._filled(rows, costs, middle)) <= wanted:
                high = middle
            else:
                low = middle
        return self._filled(rows, costs, high)

    def _filled(self, rows: list[int], costs: Sequence[float], limit: float) -> list[list[int]]:
        """Parts filled up to the limits one by one; `rows` begins with the longest."""
        parts: list[list[int]] = []
        start = 0
        while start < len(rows):
            size = max(1, int(min(self.rows, limit / costs[rows[start]])))
            parts.append(rows[start : start + size])
            start += size
        return parts


def num_lanes(encoder: Encoder, runtime: Runtime) -> int:
    """How many batches of an encoder should be under way at a time, at least."""
    if encoder.device != "cpu":
        return 1
    return encoder.concurrency or min(runtime.num_threads, MAX_LANES)


def plan_batches(device: str, batch_size: int | None, lanes: int) -> BatchPlan:
    """The size asked for, or what is fast on this kind of device."""
    if batch_size is not None:
        return BatchPlan(batch_size, math.inf, lanes)
    return BatchPlan(math.inf, CPU_TOKENS if device == "cpu" else GPU_TOKENS, lanes)


def num_tokens(item: EncoderInput, sample_rate: int) -> float:
    """About how many tokens an input is to a model."""
    if isinstance(item.content, str):
        return TOKENS_AROUND + len(item.content.encode()) / BYTES_PER_TOKEN
    return TOKENS_AROUND + TOKENS_PER_SECOND * item.size / sample_rate


def padded_tokens(inputs: Sequence[EncoderInput], sample_rate: int) -> float:
    """What a batch costs: rows x the longest."""
    return len(inputs) * max(num_tokens(item, sample_rate) for item in inputs)
