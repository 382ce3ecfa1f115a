"""What the formats are called, and which one a name means; read for `--help`, so no numpy."""

from pathlib import Path
from typing import Literal

from oea_cli.errors import UsageError

Format = Literal["jsonl", "npy", "parquet", "shards"]
SUFFIXES: dict[str, Format] = {
    ".npy": "npy",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
RECORD_FORMATS: frozenset[Format] = frozenset({"jsonl", "parquet"})
"""Those in which there may be records without vectors, too."""


def suffix_format(name: str | Path) -> Format | None:
    """The format of a file by its suffix; None for one that no vectors come with."""
    return SUFFIXES.get(Path(name).suffix.lower())


def is_vector_file(name: str | Path) -> bool:
    """True for a file that by its name holds vectors and nothing else."""
    return suffix_format(name) not in (None, *RECORD_FORMATS)


def format_of(output: str, asked: Format | None = None) -> Format:
    """The format that was asked for, or that an output's name means; raises UsageError when the
    name means none, or another one."""
    if asked is not None:
        meant = suffix_format(output)
        if meant not in (None, asked):
            raise UsageError(f"{output}: the name says {meant}, but {asked} was asked for")
        return asked
    if output == "-":
        return "jsonl"
    if output.endswith("/") or Path(output).is_dir():
        return "shards"
    found = suffix_format(output)
    if found is None:
        files = ", ".join(f"X{suffix}" for suffix, form in SUFFIXES.items() if suffix == f".{form}")
        raise UsageError(f"{output}: the name must be {files}, or X/ for a folder")
    return found
