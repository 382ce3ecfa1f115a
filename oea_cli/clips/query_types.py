"""The five types of user-intent queries (UIQ), and the names they go by.

The paper speaks of key phrases; the files of its release call them `tagging`. Both are understood,
the release's name is written.
"""

from collections.abc import Sequence

from oea_cli.errors import UsageError

QUESTION, IMPERATIVE, TAGGING = "question", "imperative", "tagging"
PARAPHRASE, NEGATIVE = "paraphrase", "negative"
TYPES = (QUESTION, IMPERATIVE, TAGGING, PARAPHRASE, NEGATIVE)
POSITIVE = TYPES[:4]
ALIASES = {"keyphrase": TAGGING, "key-phrase": TAGGING, "tags": TAGGING, "exclusion": NEGATIVE}
TYPE_OF = {**dict(zip(TYPES, TYPES, strict=True)), **ALIASES}
"""The type by each of its names."""
PAPER_NAMES = {TAGGING: "keyphrase"}
"""Where the paper calls a type otherwise than its release does."""


def type_named(name: str) -> str:
    """The release's name of a type; raises UsageError for a name that is none."""
    found = TYPE_OF.get(name.strip().lower())
    if found is None:
        known = ", ".join(TYPES).replace(TAGGING, f"keyphrase (or {TAGGING})")
        raise UsageError(f"no query type '{name}'; there are {known}")
    return found


def types_named(names: Sequence[str]) -> list[str]:
    """The wanted types in the order of the release, each once; all of them where none is named."""
    wanted = {type_named(name) for name in names} or set(TYPES)
    return [name for name in TYPES if name in wanted]
