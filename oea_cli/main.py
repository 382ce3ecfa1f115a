"""The `oea` program: registers the verbs and turns every failure into one line and an exit code."""

import os
import sys
from typing import Any

# Typer reads values by pydantic, which looks through every installed package for plugins: 30 ms.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import typer
from typer.core import TyperCommand, TyperGroup

from oea_cli.commands import (
    demo,
    embed,
    eval,
    gen_queries,
    index,
    mine_negatives,
    models_bench,
    models_check,
    models_convert,
    models_export,
    models_info,
    models_list,
    review,
    search,
    train,
)
from oea_cli.commands.console.library_output import hidden_library_output
from oea_cli.commands.console.standard_input import make_stdin_interruptible
from oea_cli.commands.console.terminal import say
from oea_cli.commands.options.shared import VersionOption
from oea_cli.errors import OeaError


class ErrorBoundary(TyperGroup):
    """Stands between the verbs and the user, so that tests and users see the same errors."""

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
            say(f"oea{_verb(ctx)}: {type(error).__name__}: {error} (-v shows where)")
            raise typer.Exit(1) from error


class Verb(TyperCommand):
    """Runs where Ctrl-C ends a wait for input, and where libraries are silent without -v."""

    def invoke(self, ctx: Any) -> Any:
        make_stdin_interruptible()
        if ctx.params["verbose"]:
            return super().invoke(ctx)
        with hidden_library_output():
            return super().invoke(ctx)


def _verb(ctx: Any) -> str:
    """` embed`, ` models convert`: the verb that was asked for, as a person typed it."""
    words = [ctx.invoked_subcommand or ""]
    while ctx.parent:
        words.insert(0, ctx.info_name)
        ctx = ctx.parent
    return "".join(f" {word}" for word in words if word)


def _is_verbose(ctx: Any) -> bool:
    return bool({"-v", "--verbose"} & set(sys.argv)) or bool(os.environ.get("OEA_VERBOSE"))


def _is_usage_error(error: Exception) -> bool:
    # Typer vendors Click and does not export its UsageError; those know their own exit code.
    return hasattr(error, "exit_code") and hasattr(error, "show")


app = typer.Typer(
    name="oea",
    cls=ErrorBoundary,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def oea(version: VersionOption = False) -> None:
    """Search sounds by meaning: embed, index, search, train and measure audio-text encoders.

    Every verb is a filter: records in, records out, through files and pipes.
    """


app.command("embed", cls=Verb)(embed.embed)
app.command("index", cls=Verb)(index.index)
app.command("search", cls=Verb)(search.search)
app.command("eval", cls=Verb)(eval.evaluate)
app.command("mine-negatives", cls=Verb)(mine_negatives.mine_negatives)
app.command("gen-queries", cls=Verb)(gen_queries.gen_queries)
app.command("review", cls=Verb)(review.review)
app.command("train", cls=Verb)(train.train)
app.command("demo", cls=Verb)(demo.demo)

models = typer.Typer(
    cls=ErrorBoundary,
    help="List, inspect, convert and measure encoders.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models.command("list", cls=Verb)(models_list.list_models)
models.command("info", cls=Verb)(models_info.info)
models.command("convert", cls=Verb)(models_convert.convert)
models.command("bench", cls=Verb)(models_bench.bench)
models.command("check", cls=Verb)(models_check.check)
models.command("export", cls=Verb)(models_export.export)
app.add_typer(models, name="models")
