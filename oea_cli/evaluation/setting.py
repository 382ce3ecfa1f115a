"""How an evaluation was made: its protocol, its counts, and where to look up its records."""

from dataclasses import dataclass, field
from typing import Any

from oea_cli.clips.lookup import GetRecords, no_records


@dataclass(frozen=True)
class RecordLookup:
    """Looks up the records of queries and of clips by their ids."""

    queries: GetRecords = no_records
    clips: GetRecords = no_records


Document = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """How the outcomes came about: the protocol, counts, the encoder of the vectors, where to look
    up the records of queries and clips, and what the judged queries are called."""

    protocol: Document
    counts: Document = field(default_factory=dict)
    encoder: str | None = None
    records: RecordLookup = field(default_factory=RecordLookup)
    dataset: str | None = None
