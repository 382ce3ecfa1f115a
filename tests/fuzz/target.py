"""What a fuzzer's target is, and where the targets are."""

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random

from tests.fuzz.mutations import damaged_bytes

Mutation = Callable[[Random, bytes], bytes]


@dataclass(frozen=True)
class Target:
    """A reader and the whole files of which it gets damaged ones.

    `make` writes whole files into an empty folder and returns the names of those to damage, one per
    input; `read` reads them as a verb would; `mutate` makes the damaged content of one.
    """

    name: str
    make: Callable[[Path], Sequence[str]]
    read: Callable[[Path], object]
    mutate: Mutation = damaged_bytes
    weight: float = 1.0


@dataclass(frozen=True)
class Input:
    """One damaged file of a target."""

    name: str
    content: bytes


class Inputs:
    """The numbered inputs of a target and a seed: each number always gives the same one."""

    def __init__(self, target: Target, seed: int, folder: Path) -> None:
        self._target, self._seed = target, seed
        self._names = list(target.make(folder))
        self.whole = {name: (folder / name).read_bytes() for name in self._names}

    def __getitem__(self, number: int) -> Input:
        random = Random(f"{self._seed}/{self._target.name}/{number}")
        name = random.choice(self._names)
        return Input(name, self._target.mutate(random, self.whole[name]))


def all_targets(*, broken: bool = False) -> dict[str, Target]:
    """Every target of the modules in this folder, by name; with those that test the harness."""
    lists = ("TARGETS", "BROKEN") if broken else ("TARGETS",)
    targets = [
        target
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if not module.name.startswith(("_", "test_"))
        for name in lists
        for target in getattr(import_module(f"tests.fuzz.{module.name}"), name, ())
    ]
    by_name = {target.name: target for target in targets}
    assert len(by_name) == len(targets), "two targets have one name"
    return by_name
