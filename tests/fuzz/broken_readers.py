"""Readers that end uncleanly on purpose: what the harness is tested with."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.target import Target


def make(folder: Path) -> list[str]:
    """A file of one word."""
    (folder / "a.txt").write_text("whole")
    return ["a.txt"]


def _at_the_fifth_call(end: Callable[[], object]) -> Callable[[Path], None]:
    seen: list[Path] = []

    def read(folder: Path) -> None:
        seen.append(folder)
        if len(seen) == 5:
            end()

    return read


BROKEN = [
    Target("abort", make, _at_the_fifth_call(os.abort)),
    Target("hang", make, _at_the_fifth_call(lambda: time.sleep(60))),
]
