"""How instant `oea --help` is: its processor time against importing typer alone.

    python tests/benchmarks/startup.py [RUNS]

Prints the median processor time of both, in turn (A B A B ...), and the median ratio.
"""

import os
import resource
import statistics
import subprocess
import sys

COMMANDS = {
    "oea --help": [sys.executable, "-m", "oea_cli", "--help"],
    "import typer": [sys.executable, "-c", "import typer"],
}


def processor_seconds(command: list[str]) -> float:
    """User and system time of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(runs: int) -> None:
    """Time both commands in turn and print the medians."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs + 1):
        for name, command in COMMANDS.items():
            taken[name].append(processor_seconds(command))
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    ours, theirs = taken.values()
    ratio = statistics.median(a / b for a, b in zip(ours[1:], theirs[1:], strict=True))
    for name, seconds in medians.items():
        print(f"{name:<14} {1000 * seconds:6.0f} ms")
    print(f"ratio          {ratio:6.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
