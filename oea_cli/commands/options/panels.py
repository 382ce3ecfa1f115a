"""The panels that `--help` shows options in, in plain text: what matters first, rare ones last.

Panels stand in the order in which a verb's signature first names them.
"""

import re
from typing import Any

import typer


class Panel(str):
    """The heading of a section of `--help`, which declares what stands in it."""

    __slots__ = ()

    def argument(self, **settings: Any) -> Any:
        """`typer.Argument` with these settings, in this panel."""
        return typer.Argument(rich_help_panel=self, **settings)

    def option(self, *names: str, **settings: Any) -> Any:
        """`typer.Option` of these names and settings, in this panel."""
        return typer.Option(*names, rich_help_panel=self, **settings)


INPUT = Panel("What goes in")
ENCODER = Panel("Which encoder")
OUTPUT = Panel("What comes out")
FAILURE = Panel("When something fails")
RARE = Panel("Rarely needed")

NAME_WIDTH = 24  # of the column of options; a longer one has a line of its own
RANGES = {
    re.compile(r"([\d.]+)<=x<=([\d.]+)"): r"\1 to \2",
    re.compile(r"x>=([\d.]+)"): r"\1 or more",
}
DEFAULT_IN_WORDS = re.compile(r" \[default: ([^\[\]]*)\]\.  \[(env var: [^\[\]]*)\]$")
"""A default that the help explains, before what Typer adds."""
Row = tuple[str, str]


def write_panels(ctx: Any, formatter: Any) -> None:
    """Write the arguments and options of a verb, one section a panel, to Click's formatter."""
    panels: dict[str, list[Row]] = {}
    rest: list[Row] = []
    for parameter in ctx.command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        panel = getattr(parameter, "rich_help_panel", None)
        if record is not None:
            rows = panels.setdefault(panel, []) if panel else rest
            rows.append((_name(parameter, record[0]).ljust(NAME_WIDTH), _in_words(record[1])))
    names = sorted(panels, key=RARE.__eq__)
    panels[names[-1]] += rest  # --help, which belongs nowhere
    for name in names:
        with formatter.section(name):
            formatter.write_dl(panels[name], col_max=NAME_WIDTH)


def _name(parameter: Any, text: str) -> str:
    """`-f, --format table|json` without Click's angle brackets; an argument without its type."""
    if parameter.param_type_name == "argument":
        return text.partition(" <")[0]
    return text.replace("<", "").replace(">", "")


def _in_words(text: str) -> str:
    """The help of an option with Click's `x>=1` as a person would write it."""
    text = DEFAULT_IN_WORDS.sub(r".  [\2; default: \1]", text)
    for pattern, words in RANGES.items():
        text = pattern.sub(words, text)
    return text
