"""`python -m tests.fuzz [TARGET...] --inputs N --seed S`: how many inputs end uncleanly."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.harness import Limits, Result, fuzz, keep
from tests.fuzz.target import all_targets


def main() -> int:
    """Run the targets, print a table and the unclean ends; 1 where there is one."""
    known = all_targets()
    options = _options(sorted(known))
    chosen = [known[name] for name in options.targets or sorted(known)]
    limits = Limits(options.time_limit, options.memory_limit)
    print(f"{'target':24}{'inputs':>9}{'read':>9}{'refused':>9}{'unclean':>9}{'seconds':>9}")
    results = []
    for result in fuzz(chosen, options.inputs, options.seed, options.workers, limits):
        results.append(result)
        _print(result)
    total = Result("all", sum(one.inputs for one in results))
    for one in results:
        total.read, total.refused = total.read + one.read, total.refused + one.refused
        total.unclean, total.seconds = total.unclean + one.unclean, total.seconds + one.seconds
    _print(total)
    for one in results:
        kept = keep(known[one.target], options.seed, [n for n, _ in one.unclean], options.keep)
        _print_unclean(one, kept)
    return 1 if total.unclean else 0


def _print(one: Result) -> None:
    print(
        f"{one.target:24}{one.inputs:9,}{one.read:9,}{one.refused:9,}{len(one.unclean):9,}"
        f"{one.seconds:9.1f}",
        flush=True,
    )


def _print_unclean(one: Result, kept: Sequence[Path]) -> None:
    """Each reason once, with its number of inputs and the first of them."""
    places: dict[str, list[Path]] = {}
    for (_, reason), path in zip(one.unclean, kept, strict=True):
        places.setdefault(reason, []).append(path)
    for reason, paths in sorted(places.items(), key=lambda item: -len(item[1])):
        print(f"{one.target}: {len(paths)} x {reason}\n    {paths[0]}")


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*names, []], metavar="TARGET")
    parser.add_argument("--inputs", type=int, default=10_000, help="inputs in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--time-limit", type=float, default=30, help="seconds for one input")
    parser.add_argument("--memory-limit", type=int, default=400, help="MB that one input may add")
    default = Path(tempfile.gettempdir(), "oea-fuzz")
    parser.add_argument("--keep", type=Path, default=default, help="where unclean inputs go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
