"""How an evaluation ranks: its task, captions, ties and pools."""

from dataclasses import dataclass
from typing import Literal

from oea_cli.vectors.arrays import Ties

Task = Literal["text-to-audio", "audio-to-text", "text-to-text", "audio-to-audio"]
Captions = Literal["all", "one"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """How an evaluation ranks. `within` names a key of the clips' records: a query ranks the clips
    that have its target's value."""

    task: Task = "text-to-audio"
    captions: Captions = "all"
    seed: int = 0
    ties: Ties = "strict"
    allow_missing: bool = False
    within: str | None = None
