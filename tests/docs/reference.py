"""Write docs/commands.md, every verb's `--help`, anew: `python -m tests.docs.reference`."""

from typer.testing import CliRunner

from oea_cli.main import app
from tests.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "commands.md"
INTRODUCTION = """# Every option

What each verb's `--help` says. This page is written by `make docs`; the guides are in the
[table of contents](README.md).
"""


def verbs() -> list[str]:
    """Every verb in the order of `oea --help`, `models list` and its like in two words."""
    own = [str(command.name) for command in app.registered_commands]
    nested = [
        f"{group.name} {command.name}"
        for group in app.registered_groups
        for command in (group.typer_instance.registered_commands if group.typer_instance else [])
    ]
    return [*own, *nested]


def live_help(verb: str) -> str:
    """What `oea VERB --help` prints at 80 columns."""
    words = [*verb.split(), "--help"]
    environment = {"COLUMNS": "80", "NO_COLOR": "1"}
    return CliRunner().invoke(app, words, env=environment, prog_name="oea").stdout


def reference() -> str:
    """The whole page."""
    blocks = [
        f"\n## {f'oea {verb}'.strip()}\n\n```text\n{live_help(verb)}```\n" for verb in verbs()
    ]
    overview = f"\n```text\n{live_help('')}```\n"
    return "".join([INTRODUCTION, overview, *blocks])


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
