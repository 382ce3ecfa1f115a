"""Environment variables: the shared options, each from OEA_NAME, in every verb that has it.

A flag comes first, then the variable, then the recipe, then the default.
"""

from typing import Any

SHARED = (
    "model",
    "revision",
    "device",
    "dtype",
    "quantize",
    "batch-size",
    "workers",
    "output",
    "format",
    "top-k",
    "metric",
    "seed",
    "limit",
    "shard",
    "resume",
    "on-error",
    "errors-format",
    "quiet",
    "verbose",
)
"""The options that mean the same everywhere; no other option reads the environment, but --index."""
INDEX = "OEA_INDEX"
OWN = {("index", "output"): (INDEX, "OEA_OUTPUT"), ("search", "index"): (INDEX,)}
"""By verb and option."""
LOOKED_UP = {("eval", "index"): (INDEX,)}
"""What a verb looks up itself: what `oea eval` ranks may be no index."""


def connect(verb: str, command: Any) -> None:
    """Let the options of a verb read their variables, and show them in its help."""
    for param in command.params:
        if param.param_type_name == "option":
            name = max(param.opts, key=len).removeprefix("--")
            names = OWN.get((verb, name), (f"OEA_{_upper(name)}",) if name in SHARED else ())
            param.envvar, param.show_envvar = list(names) or None, True


def variables_of_verb(verb: str, param: Any) -> list[str]:
    """The variables that say what an option of a verb is, also those that the verb looks up."""
    return variables_of(param) or list(LOOKED_UP.get((verb, str(param.name)), ()))


def variables_of(param: Any) -> list[str]:
    """The variables that an option reads, the first that is set."""
    return list(param.envvar or [])


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
