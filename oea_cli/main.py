"""The `oea` program: names the verbs and turns every failure into one line and an exit code."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from itertools import takewhile
from typing import Annotated, Any

# Typer reads values by pydantic, which looks through every installed package for plugins: 30 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from oea_cli import __version__
from oea_cli.commands.console.boundary import Running, exit_code_of
from oea_cli.commands.console.library_output import hidden_library_output, own_log_told
from oea_cli.commands.console.messages import SPEAKER
from oea_cli.commands.console.standard_input import make_stdin_interruptible
from oea_cli.commands.options.environment import connect
from oea_cli.commands.options.names_given import refuse_empty, refuse_overwriting
from oea_cli.commands.options.panels import write_panels
from oea_cli.commands.options.shared import ErrorsFormat, of_every_verb

VERBS = {
    "embed": ("embed:embed", "Turn sounds or texts into vectors."),
    "index": ("index:index", "Build, change or describe an index of vectors."),
    "search": ("search:search", "Find clips in an index by text or by sound."),
    "eval": ("eval:evaluate", "Measure how well queries find what they should."),
    "mine-negatives": (
        "mine_negatives:mine_negatives",
        "Find clips that sound alike but mean something else.",
    ),
    "gen-queries": ("gen_queries:gen_queries", "Write the queries people would type for clips."),
    "train": ("train:train", "Train an encoder from a recipe."),
    "review": ("review:review", "Judge pairs and queries by ear, in a browser."),
    "demo": ("demo:demo", "Copy out sounds and queries to try things on."),
    "models list": ("models_list:list_models", "List the encoders that have a name."),
    "models info": ("models_info:info", "Describe one encoder."),
    "models convert": ("models_convert:convert", "Turn a released checkpoint into an adapter."),
    "models export": ("models_export:export", "Write an encoder as one folder."),
    "models bench": ("models_bench:bench", "Measure how fast an encoder is here."),
    "models check": ("models_check:check", "Check that an encoder's vectors are right here."),
}
"""Where each verb's function lies, and its line in `oea --help`."""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class VerbGroup(TyperGroup):
    """Imports a verb's file when the verb is asked for, and ends in one line whatever happens."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        words, name = list(sys.argv[1:] if args is None else args), prog_name or "oea"
        self._main_shell_completion(extra, name, complete_var)
        SPEAKER.begin(words)

        def work(running: Running) -> None:
            with self.make_context(name, words, obj=running) as ctx:
                self.invoke(ctx)

        sys.exit(exit_code_of(work))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What follows `help` is asked for its own help, whatever stands behind it."""
        if ctx.parent is None and args[:1] == ["help"]:
            names = list(takewhile(lambda word: not word.startswith("-"), args[1:]))
            args = [*names, "--help", *args[len(names) + 1 :]]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        words = f"{ctx.info_name} {name}" if ctx.parent else str(name)
        SPEAKER.verb = f"oea {words}"
        return name, read_verb(words) if words in VERBS else command, rest


class Verb(TyperCommand):
    """Runs where Ctrl-C ends a wait for input, and where libraries are silent without -v."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write_panels(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        refuse_empty(ctx, given)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        ctx.obj.context = ctx
        SPEAKER.as_json = ctx.params.pop("errors_format") is ErrorsFormat.json
        refuse_overwriting(str(self.name), ctx)
        make_stdin_interruptible()
        shown = nullcontext() if ctx.params["verbose"] else hidden_library_output()
        with own_log_told(), shown:
            return super().invoke(ctx)


def read_verb(words: str) -> Any:
    """The command of a verb, with the options that its function declares, and every verb's."""
    module, _, function = VERBS[words][0].partition(":")
    callback = getattr(import_module(f"oea_cli.commands.{module}"), function)
    command = _command(words.split()[-1], callback)
    command.params += _command("", of_every_verb).params
    connect(words, command)
    return command


def _command(name: str, callback: Callable[..., None]) -> Any:
    alone = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings=SETTINGS)
    alone.command(name, cls=Verb)(callback)
    return typer.main.get_command(alone)


app = typer.Typer(
    name="oea",
    cls=VerbGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)
models = typer.Typer(
    cls=VerbGroup,
    help="List, inspect, convert and measure encoders.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=SETTINGS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oea {__version__}")
        raise typer.Exit


def _print_description(ctx: typer.Context, wanted: bool) -> None:
    if wanted:
        import json

        from oea_cli.commands.console.description import describe

        commands = {words: read_verb(words) for words in VERBS}
        typer.echo(json.dumps(describe(__version__, commands, ctx.command.params), indent=2))
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]
DescribeOption = Annotated[
    bool,
    typer.Option(
        "--describe",
        callback=_print_description,
        is_eager=True,
        help="Print every verb's options, formats and exit codes as JSON.",
    ),
]


@app.callback()
def oea(version: VersionOption = False, describe: DescribeOption = False) -> None:
    """Search sounds by meaning: embed, index, search, train and measure audio-text encoders.

    Every verb is a filter: records in, records out, through files and pipes. `oea VERB --help`
    and `oea help VERB` show its options and examples.
    """


def _read_when_asked_for() -> None:
    """What stands for a verb until `resolve_command` reads its file."""


for _words, (_, _summary) in VERBS.items():
    _group = models if _words.startswith("models ") else app
    _group.command(_words.split()[-1], help=_summary)(_read_when_asked_for)
app.add_typer(models, name="models")
