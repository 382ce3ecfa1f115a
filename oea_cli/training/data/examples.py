"""What the trainer asks of its data: a project with examples of its own gives it these."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from oea_cli.encoder.omni.front_end import FrontEnd, Inputs
from oea_cli.training.data.batch import TrainingBatch


@dataclass(frozen=True)
class Validation:
    """What is measured now and then: which of the sounds does each text find?

    The inputs come in micro-batches and can be gone through again and again; texts that belong to
    one clip have the same target.
    """

    texts: Iterable[Inputs]
    sounds: Iterable[Inputs]
    targets: Tensor
    """(texts,) int64: the row of the sound that each text describes."""


class Examples(Protocol):
    """The batches of a run, ready to be made by background processes.

    Nothing but the recipe's seed, the step and the part may decide a batch: so a run that goes on,
    or is spread over more processes, sees what it would have seen.
    """

    labels: Sequence[str]
    """Names of the C classes in `TrainingBatch.text_labels`; empty where there are none."""

    def batch(self, step: int, part: int, parts: int) -> TrainingBatch:
        """Micro-batch `part` of the `parts` that make up the global batch of a step.

        Steps are counted from 0 over all stages; the stage's `batch_size` is that of all parts.
        """

    def validation(self) -> Validation | None:
        """What to measure on, never trained on; None where the recipe names nothing."""


class Data(Protocol):
    """A recipe's data, found and checked before any model is loaded."""

    @property
    def description(self) -> str:
        """For people, and for encoder.json: `AudioCaps train, 91,254 clips`."""

    @property
    def has_validation(self) -> bool:
        """Whether the examples can be validated on."""

    def clips(self, stage: str) -> int:
        """How many clips an epoch of a stage goes through; 0 where there are no epochs."""

    def texts(self) -> Iterator[str]:
        """Texts like those trained on, for a new model to learn its sub-words from."""

    def examples(self, front_end: FrontEnd) -> Examples:
        """The batches, made with a model's front end."""
