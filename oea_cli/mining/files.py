"""The files that mining reads and writes, checked before the long work starts."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from oea_cli.errors import missing
from oea_cli.mining.pairs import judgments
from oea_cli.records.artefacts import AtomicFile, named_when_full, write_whole
from oea_cli.records.file_names import exists
from oea_cli.records.folders import is_pattern
from oea_cli.records.json_lines import json_line
from oea_cli.records.rows import Record


def check_there(names: Iterable[str | None]) -> None:
    """Raise OeaError for a file that does not exist."""
    for name in names:
        if name is not None and name != "-" and not (is_pattern(name) or exists(name)):
            raise missing(name)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The output files: pairs to a file or "-", stdout; None for files that are not written."""

    pairs: str
    qrels: Path | None
    stats: Path | None

    def check(self) -> None:
        """Raise OeaError for places where nothing can be written."""
        for path in (None if self.pairs == "-" else Path(self.pairs), self.qrels, self.stats):
            if path is not None:
                AtomicFile(path)

    def write(self, rows: list[Record], counts: Mapping[str, Any] | None) -> None:
        """Write the rows, the judgments and the counts, each file whole or not at all."""
        if self.qrels is not None:
            write_whole(self.qrels, judgments(self.qrels.name, rows))
        if self.stats is not None and counts:
            write_whole(self.stats, orjson.dumps(counts, option=orjson.OPT_INDENT_2) + b"\n")
        content = b"".join(map(json_line, rows))
        if self.pairs == "-":
            with named_when_full("stdout"):
                sys.stdout.buffer.write(content)
                sys.stdout.flush()
        else:
            write_whole(Path(self.pairs), content)


def outputs(pairs: str, qrels: Path | None, stats: Path | None) -> Outputs:
    """The outputs from the options; by default, the counts are beside the file of pairs, if any."""
    if stats is None and pairs != "-":
        stats = Path(pairs).with_suffix(".stats.json")
    return Outputs(pairs, qrels, stats)
