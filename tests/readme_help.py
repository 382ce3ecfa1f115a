"""Write the help blocks of README.md anew from the live program: `python tests/readme_help.py`.

A block stands between `<!-- help: VERB -->` and the end of the code fence after it.
"""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- help: (?P<verb>[\w -]*) -->\n```text\n)(?P<help>.*?)(```)", re.DOTALL)


def live_help(verb: str) -> str:
    """What `oea VERB --help` prints at 80 columns."""
    from tests.conftest import clean_environment

    command = [sys.executable, "-m", "oea_cli", *verb.split(), "--help"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=clean_environment()
    )
    return done.stdout


def with_live_help(text: str) -> str:
    """The README's text with every help block as it should be."""
    return BLOCK.sub(lambda m: m[1] + live_help(m["verb"]) + m[4], text)


if __name__ == "__main__":
    sys.path.insert(0, str(README.parent))
    README.write_text(with_live_help(README.read_text(encoding="utf-8")), encoding="utf-8")
