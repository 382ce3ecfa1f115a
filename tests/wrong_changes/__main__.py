"""Make each wrong change in a copy of the project and run the tests that must notice it.

Run: python -m tests.wrong_changes [WORDS OF A NAME]; exit code 1 where one was not noticed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.wrong_changes.changes import CHANGES, WrongChange

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__")


def is_noticed(change: WrongChange, copy: Path) -> bool:
    """Whether its tests fail on the change, in a copy of the project that is put right again."""
    path = copy / "oea_cli" / change.file
    original = path.read_text(encoding="utf-8")
    path.write_text(original.replace(change.right, change.wrong), encoding="utf-8")
    try:
        return run_tests(change.tests, copy) == 1  # pytest: some failed; other codes are mistakes
    finally:
        path.write_text(original, encoding="utf-8")


def run_tests(tests: str, copy: Path) -> int:
    """The exit code of pytest over some tests of the copy."""
    pytest = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*pytest, *tests.split()],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


def main() -> int:
    words = " ".join(sys.argv[1:])
    chosen = [change for change in CHANGES if words in change.name]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="oea-wrong-") as folder:
        copy = Path(shutil.copytree(REPOSITORY, Path(folder, "oea"), ignore=LEFT_OUT))
        for change in chosen:
            noticed = is_noticed(change, copy)
            missed += not noticed
            print(f"{'noticed' if noticed else 'MISSED ':8} {change.name}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} noticed")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
