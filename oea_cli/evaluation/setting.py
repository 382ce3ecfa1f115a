"""What an evaluation was: its inputs, its protocol, and where its records can be looked up."""

from dataclasses import dataclass, field
from typing import Any

from oea_cli.clips.lookup import GetRecords, no_records


@dataclass(frozen=True)
class Evidence:
    """Where the records of queries and of clips can be had."""

    queries: GetRecords = no_records
    clips: GetRecords = no_records


Document = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """How the outcomes came about: counts, the protocol, what made the vectors, and where the
    records of queries and clips can be had."""

    protocol: Document
    counts: Document = field(default_factory=dict)
    encoder: str | None = None
    evidence: Evidence = field(default_factory=Evidence)
