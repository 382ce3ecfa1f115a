"""How much memory encoding takes: of the GPU it runs on, or of this process."""

import sys
from contextlib import suppress
from pathlib import Path

PROCESS = Path("/proc/self")
"""Linux tells of a process here, and lets its peak be reset; rusage's peak cannot be."""


def reset_peak_memory(device: str) -> None:
    """Forget the peak so far, where the device or the system can."""
    if device.startswith("cuda"):
        import torch

        for number in _gpus(device):
            torch.cuda.reset_peak_memory_stats(number)
    else:
        with suppress(OSError):
            (PROCESS / "clear_refs").write_text("5")


def peak_memory(device: str) -> int:
    """Bytes in use at a time, at most: on a GPU what torch had allocated ("cuda" without a number
    is all of them), else the memory of the whole process, libraries and all."""
    if device.startswith("cuda"):
        import torch

        return sum(map(torch.cuda.max_memory_allocated, _gpus(device)))
    if device == "mps":
        import torch

        return torch.mps.driver_allocated_memory()
    return _peak_of_process()


def resident_bytes() -> int | None:
    """What this process holds in memory now; None where the system does not tell."""
    return _from_status("VmRSS")


def _gpus(device: str) -> list[int]:
    import torch

    number = torch.device(device).index
    return list(range(torch.cuda.device_count())) if number is None else [number]


def _peak_of_process() -> int:
    if (peak := _from_status("VmHWM")) is not None:
        return peak
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def _from_status(key: str) -> int | None:
    with suppress(OSError):
        for line in (PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024
    return None
