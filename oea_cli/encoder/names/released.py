"""The six checkpoints that were released with OEA, as they really lie on the hub.

Five of the six model cards name a file that is not there. What is 9 to 18 GB holds 59 MB that count
(LoRA and two heads; the rest is the frozen backbone once more): it is converted once, the adapter
is kept, and the checkpoint may be deleted. Source: the release's repositories; OEA, section 4.
"""

import os
from dataclasses import dataclass
from pathlib import Path

QWEN_RESEARCH = "Qwen Research License (non-commercial)"
NVIDIA = "NVIDIA OneWay Noncommercial License and Qwen Research License (research only)"


@dataclass(frozen=True)
class Base:
    """A backbone's repository and its licence, which rules what may be done with an adapter."""

    repo: str
    licence: str


@dataclass(frozen=True)
class Released:
    """One released checkpoint. `revision` is how its pinned commit begins."""

    variant: str
    repo: str
    file: str
    num_bytes: int
    revision: str
    base: Base
    licence: str = "MIT"


NEMOTRON_3B = Base("nvidia/omni-embed-nemotron-3b", NVIDIA)
QWEN_3B = Base("Qwen/Qwen2.5-Omni-3B", QWEN_RESEARCH)
QWEN_7B = Base("Qwen/Qwen2.5-Omni-7B", "Apache-2.0")

_OWNER = "JudeJiwoo"
RELEASED = {
    "oea-nemo3b": Released(
        "OEA-Nemo3B", f"{_OWNER}/OEA-Nemo3B-AC", "step_400_best.pt", 9_466_826_153, "8ed66aa7",
        NEMOTRON_3B,
    ),
    "oea-nemo3b-cl": Released(
        "OEA-Nemo3B(+Cl)", f"{_OWNER}/OEA-Nemo3B-Cl", "step_450_best.pt", 9_466_826_217, "95889122",
        NEMOTRON_3B,
    ),
    "oea-qwen3b": Released(
        "OEA-Qwen3B", f"{_OWNER}/OEA-Qwen3B-AC", "step_350.pt", 9_466_835_918, "f6c4b3b8", QWEN_3B
    ),
    "oea-qwen3b-cl": Released(
        "OEA-Qwen3B(+Cl)", f"{_OWNER}/OEA-Qwen3B-Cl", "step_40.pt", 9_466_833_858, "54ccd008",
        QWEN_3B,
    ),
    "oea-qwen7b": Released(
        "OEA-Qwen7B", f"{_OWNER}/OEA-Qwen7B-AC", "step_300.pt", 17_940_602_533, "f44f2470", QWEN_7B
    ),
    "oea-qwen7b-cl": Released(
        "OEA-Qwen7B(+Cl)", f"{_OWNER}/OEA-Qwen7B-Cl", "step_330.pt", 17_940_602_661, "30c6e97c",
        QWEN_7B,
    ),
}  # fmt: skip


def adapter_cache(name: str) -> Path:
    """Where the adapter converted from a released checkpoint is kept: $OEA_CACHE, or the cache that
    XDG_CACHE_HOME names."""
    cache = os.environ.get("OEA_CACHE")
    xdg = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = Path(cache) if cache else xdg / "oea"
    return root / "adapters" / f"{name}-{RELEASED[name].revision}"


def licence_notice(name: str) -> str:
    """What a user should know before the download starts."""
    released = RELEASED[name]
    return (
        f"{name} ({released.variant}): {released.repo}/{released.file}, "
        f"{released.num_bytes / 1e9:.1f} GB, {released.licence}; "
        f"its backbone {released.base.repo}: {released.base.licence}"
    )
