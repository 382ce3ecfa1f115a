"""The `oea` program: names the verbs and turns every failure into one line and an exit code."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

# Typer reads values by pydantic, which looks through every installed package for plugins: 30 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from oea_cli import __version__
from oea_cli.commands.console.library_output import hidden_library_output
from oea_cli.commands.console.standard_input import make_stdin_interruptible
from oea_cli.commands.console.terminal import say
from oea_cli.commands.options.panels import write_panels
from oea_cli.errors import OeaError

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
    """Imports a verb's file when the verb is asked for, and shows its errors to tests and users."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        words = f"{ctx.info_name} {name}" if ctx.parent else str(name)
        return name, read_verb(words) if words in VERBS else command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OeaError as error:
            if _is_verbose(ctx):
                raise
            say(f"oea{_verb(ctx)}: {error}")
            raise typer.Exit(error.exit_code) from error
        except BrokenPipeError as error:
            # The reader downstream has seen enough (`| head -1`). Point stdout at nothing, so that
            # the interpreter's own flush at exit cannot fail a second time.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from error
        except KeyboardInterrupt as error:
            say(f"oea{_verb(ctx)}: interrupted")
            raise typer.Exit(130) from error
        except Exception as error:
            if isinstance(error, typer.Exit | typer.Abort) or _is_usage_error(error):
                raise
            if _is_verbose(ctx):
                raise
            say(f"oea{_verb(ctx)}: {_in_words(error)} (-v shows where)")
            raise typer.Exit(1) from error


class Verb(TyperCommand):
    """Runs where Ctrl-C ends a wait for input, and where libraries are silent without -v."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write_panels(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        make_stdin_interruptible()
        if ctx.params["verbose"]:
            return super().invoke(ctx)
        with hidden_library_output():
            return super().invoke(ctx)


def read_verb(words: str) -> Any:
    """The command of a verb, with the options that its function declares."""
    module, _, function = VERBS[words][0].partition(":")
    alone = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings=SETTINGS)
    callback = getattr(import_module(f"oea_cli.commands.{module}"), function)
    alone.command(words.split()[-1], cls=Verb)(callback)
    return typer.main.get_command(alone)


def _verb(ctx: Any) -> str:
    """` embed`, ` models convert`: the verb that was asked for, as a person typed it."""
    words = [ctx.invoked_subcommand or ""]
    while ctx.parent:
        words.insert(0, ctx.info_name)
        ctx = ctx.parent
    return "".join(f" {word}" for word in words if word)


def _in_words(error: Exception) -> str:
    """What went wrong; of a file, its name and the system's own words, such as a full disk."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'writing or reading failed'}: {error.strerror}"
    return f"{type(error).__name__}: {error}"


def _is_verbose(ctx: Any) -> bool:
    return bool({"-v", "--verbose"} & set(sys.argv)) or bool(os.environ.get("OEA_VERBOSE"))


def _is_usage_error(error: Exception) -> bool:
    # Typer vendors Click and does not export its UsageError; those know their own exit code.
    return hasattr(error, "exit_code") and hasattr(error, "show")


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


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]


@app.callback()
def oea(version: VersionOption = False) -> None:
    """Search sounds by meaning: embed, index, search, train and measure audio-text encoders.

    Every verb is a filter: records in, records out, through files and pipes. `oea VERB --help`
    shows its options and examples.
    """


def _read_when_asked_for() -> None:
    """What stands for a verb until `resolve_command` reads its file."""


for _words, (_, _summary) in VERBS.items():
    _group = models if _words.startswith("models ") else app
    _group.command(_words.split()[-1], help=_summary)(_read_when_asked_for)
app.add_typer(models, name="models")
