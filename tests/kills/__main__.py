"""`python -m tests.kills --runs 150`: every verb ended at random moments; a table of the rest."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

COLUMNS = ("runs", "ended", "lost", "doubled", "torn", "left behind", "unclean")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=75, help="in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("jobs", nargs="*", help="only jobs whose names start so")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "OEA_LLM_KEY": "sesame", "HF_HUB_OFFLINE": "1"}
    from tests.kills.session import kill

    print("| job | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    total = dict.fromkeys(COLUMNS, 0)
    problems = []
    with tempfile.TemporaryDirectory(prefix="oea-kills-") as scratch:
        for tally in kill(options.jobs, options.runs, options.seed, Path(scratch)):
            row = [tally.counts[column] for column in COLUMNS]
            print(f"| {tally.job} | " + " | ".join(map(str, row)) + " |", flush=True)
            total = {name: total[name] + tally.counts[name] for name in COLUMNS}
            problems += tally.problems
    print("| all | " + " | ".join(str(total[column]) for column in COLUMNS) + " |")
    for problem in problems:
        print(problem, file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
