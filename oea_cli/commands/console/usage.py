"""A wrong command line in our words, one line, whichever option of whichever verb it is."""

import os
import re
from typing import Any

from oea_cli.commands.options.environment import variables_of


def is_usage_error(error: BaseException) -> bool:
    """Whether Typer says that the command line is wrong; it exports no class for that."""
    return hasattr(error, "exit_code") and hasattr(error, "show")


def usage_in_words(error: Any) -> str:
    """What is wrong and what would be right."""
    kind, ctx, param = type(error).__name__, error.ctx, getattr(error, "param", None)
    if kind == "NoArgsIsHelpError":
        return f"no verb is given{_help_hint(ctx)}"
    if kind == "NoSuchOption":
        near = f"; did you mean {' or '.join(error.possibilities)}?" if error.possibilities else ""
        return f"there is no option {error.option_name}{near}"
    if kind == "BadOptionUsage":
        return _without_value(error.option_name, error.message)
    if kind == "MissingParameter":
        return f"{_place(param, ctx)} is missing{_help_hint(ctx)}"
    if kind == "BadParameter" and param is not None:
        value = _value(error)
        return f"{_place(param, ctx)} must be {_needed(param)}" + (value and f"; got {value}")
    if found := re.match(r"No such command (['\"])(.*?)\1\.(?: Did|$)", error.message):
        near = " or ".join(_nearest_verbs(found[2], ctx.command))
        return f"there is no verb '{found[2]}'" + (near and f"; did you mean {near}?")
    if found := re.match(r"Got unexpected extra argument\(s\) \((.*)\)", error.message, re.DOTALL):
        return f"there is no place for the argument '{found[1]}'{_help_hint(ctx)}"
    return str(error.message)


def _nearest_verbs(word: str, group: Any) -> list[str]:
    """The verbs that a word nearly is; else those whose second word it nearly is."""
    from difflib import get_close_matches

    second = {
        last: f"{name} {last}"
        for name, command in group.commands.items()
        for last in getattr(command, "commands", {})
    }
    near = get_close_matches(word, group.commands)
    return near or [second[last] for last in get_close_matches(word, second)]


def _without_value(option: str, message: str) -> str:
    if "requires" not in message:
        return f"{option} takes no value"
    count = re.search(r"requires (\d+)", message)
    return f"{option} needs {f'{count[1]} values' if count else 'a value'}"


def _help_hint(ctx: Any) -> str:
    return f"; `{ctx.command_path} -h` shows what there is" if ctx else ""


def _place(param: Any, ctx: Any) -> str:
    """`--top-k`, `OEA_TOP_K` where the value comes from there, or an argument's name."""
    if variable := variable_used(param, ctx):
        return variable
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return str(max(param.opts, key=len))


def variable_used(param: Any, ctx: Any) -> str | None:
    """The environment variable that an option's value comes from; None for any other value."""
    source = ctx.get_parameter_source(param.name) if ctx else None
    if source is None or source.name != "ENVIRONMENT":
        return None
    return next((name for name in variables_of(param) if os.environ.get(name)), None)


def _value(error: Any) -> str:
    """The value that was refused, as pydantic names it; empty where it does not."""
    details = getattr(error.__cause__, "errors", None)
    return repr(details()[0]["input"]) if callable(details) else ""


def _needed(param: Any) -> str:
    """What an option takes: `one of a, b and c`, `a whole number of 1 or more`."""
    described = param.type_descriptor
    if described.choices is not None:
        *words, last = (str(getattr(choice, "value", choice)) for choice in described.choices)
        return f"{', '.join(words)} or {last}" if words else last
    text = str(described.annotation)
    if "bool" in text:
        return "true or false"
    noun = "a whole number" if "int" in text else "a number" if "float" in text else "a text"
    low, high = param.min, param.max
    if low is None:
        return noun
    return f"{noun} of {low:g} or more" if high is None else f"{noun} from {low:g} to {high:g}"
