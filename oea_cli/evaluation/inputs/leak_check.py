"""`--check-leaks`: finds evaluated clips in training data; the results' `leaks`.

A training source is a table of records in any format that oea reads (the published caption files
are some of them), a folder of sounds, or an index. `content:FILE` also compares the sounds
themselves, which decodes every file of both sides. A blacklist (WavCaps' JSON) names clips that
must not be trained on: training records are checked against it as against the evaluation.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from oea_cli.clips.leaks import Leak, find_leaks, leak_counts, load_blacklist
from oea_cli.clips.origins import marks_of
from oea_cli.errors import Failure, OeaError, Report, UsageError, missing
from oea_cli.evaluation.inputs.run_input import name_of
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.records.addresses import is_remote, join, parent
from oea_cli.records.datasets.layouts import interpret
from oea_cli.records.fields import PATH_NAMES, VECTOR_NAMES
from oea_cli.records.file_names import exists, resolved
from oea_cli.records.folders import is_folder, is_pattern, is_sound
from oea_cli.records.ids import clip_of, is_window
from oea_cli.records.inputs import read_records
from oea_cli.records.lines import read_json
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table, table_suffix
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.opening import open_vectors, read_vectors

CONTENT_PREFIX = "content:"
GATE_NAME = "leaks"
TRIED_ROWS = 100
Section = dict[str, Any]


@dataclass(frozen=True)
class TrainingSource:
    """Where training records are, and whether their sounds are compared too."""

    name: str
    content: bool = False

    def records(self, report: Report) -> Iterator[Record]:
        """The records; rows that cannot be read go to `report`."""
        vectors = None if table_suffix(self.name) else open_vectors(self.name)
        if vectors is not None:
            return iter(clips_of(vectors.records()))
        if is_sound(self.name) or is_folder(self.name) or is_pattern(self.name):
            return read_records([self.name], report=report, sounds=self.content)
        return self._rows(report)

    def _rows(self, report: Report) -> Iterator[Record]:
        """Rows as they are: unlike for embedding, a row needs only a name or an origin."""
        folder = parent(self.name)
        rows = read_table(self.name, report=report, leave_out=VECTOR_NAMES, unchecked=True)
        for _, row in interpret(rows, self.name, report=report):
            yield self._record(row, folder)

    def _record(self, row: Record, folder: str) -> Record:
        written = next((row[key] for key in PATH_NAMES if isinstance(row.get(key), str)), None)
        record = {key: value for key, value in row.items() if key not in VECTOR_NAMES}
        for key in ("start", "end"):
            record[key] = _seconds(row.get(key))
        if written is None:
            return record
        # Looking for the file takes time, and only comparing the sounds needs it.
        path = resolved(written, folder) if self.content else join(folder, written)
        return {**record, "id": record.get("id") or written, "path": path}


@dataclass(frozen=True)
class LeakSources:
    """What `--check-leaks` names: training records, and blacklists of clips to keep out of them."""

    training: list[TrainingSource]
    blacklists: dict[str, list[Record]]


def open_leak_sources(values: Sequence[str]) -> LeakSources:
    """Sort sources by kind and look at the first records of each.

    Raises OeaError for a source that is missing, cannot be read, or has no record that names its
    clip; UsageError where there are only blacklists.
    """
    training: list[TrainingSource] = []
    blacklists: dict[str, list[Record]] = {}
    for value in values:
        name = value.removeprefix(CONTENT_PREFIX)
        if name == "-":
            raise UsageError(
                "--check-leaks -: training data cannot be stdin, because it is read twice; "
                "give a file"
            )
        if not (is_pattern(name) or exists(name)):
            raise missing(name, "--check-leaks needs training records")
        if _is_blacklist(name):
            blacklists[name] = load_blacklist(name)
            continue
        source = TrainingSource(name, value.startswith(CONTENT_PREFIX))
        _refuse_nameless(source)
        training.append(source)
    if blacklists and not training:
        raise UsageError(
            f"{next(iter(blacklists))}: a blacklist, which training records are checked against; "
            "give them with another --check-leaks"
        )
    return LeakSources(training, blacklists)


def _refuse_nameless(source: TrainingSource) -> None:
    failures: list[
        Failure
    ] = []  # where other records are good, these are reported when all are read
    first = list(islice(source.records(failures.append), TRIED_ROWS))
    if not first:
        raise OeaError(
            str(failures[0]) if failures else f"{source.name}: holds no training records"
        )
    if not any(map(marks_of, first)):
        raise OeaError(
            f"{source.name}: no record names its clip; give one of 'id', 'path' or 'youtube_id'"
        )


def _ignored(failure: Failure) -> None:
    pass


def _is_blacklist(name: str) -> bool:
    """True for JSON that is a list of names, or names by collection, and not of records."""
    if table_suffix(name) != ".json" or is_remote(name):
        return False
    content = read_json(name)
    parts = content.values() if isinstance(content, dict) else [content]
    lists = [part for part in parts if isinstance(part, list)]
    return len(lists) == len(list(parts)) and not any(
        isinstance(item, dict) for part in lists for item in part
    )


# --- what is evaluated ---


def vector_clips(source: str | Batch) -> list[Record]:
    """The clips whose vectors these are, by their records; the windows of a long one are one."""
    with_ids = clips_of(read_vectors(source).records())
    if not any(map(marks_of, with_ids)):
        raise OeaError(
            f"{name_of(source, 'corpus')}: its rows have no ids, so they cannot be looked up in "
            "training data; add ids"
        )
    return with_ids


def judged_clips(outcomes: Outcomes) -> list[Record]:
    """The targets and hard negatives of the queries: for a run, only their ids are known."""
    targets = [name for names in outcomes.targets for name in names]
    negatives = [name for name in outcomes.hard_negatives if name is not None]
    return [{"id": name} for name in dict.fromkeys([*targets, *negatives])]


def clips_of(records: Iterable[Record]) -> list[Record]:
    """One record per clip; a clip's windows are joined, from the first start to the last end."""
    found: dict[str, Record] = {}
    for record in records:
        id_ = str(record["id"])
        if not is_window(id_):
            found.setdefault(id_, record)
            continue
        clip = clip_of(id_)
        first = found.setdefault(clip, {**record, "id": clip})
        first["end"] = record.get("end")
        if not first.get("start"):
            # A clip that starts at 0 is compared as a whole file: the end of a window is rounded.
            first["end"] = None
    return list(found.values())


# --- the comparison ---


def check_leaks(sources: LeakSources, evaluation: list[Record], report: Report) -> Section:
    """Find evaluated clips in training, and blacklisted ones: the results' `leaks`.

    `counts` has the evaluated clips by the surest reason, `pairs` every pair with its source.
    """
    pairs: list[tuple[str, Leak]] = []
    forbidden: list[tuple[str, str, Leak]] = []
    for source in sources.training:
        found = find_leaks(
            source.records(report), evaluation, content=source.content, report=report
        )
        pairs += [(source.name, leak) for leak in found]
        for name, blacklist in sources.blacklists.items():
            found = find_leaks(source.records(_ignored), blacklist)
            forbidden += [(source.name, name, leak) for leak in found]
    counts = leak_counts(leak for _, leak in pairs)
    return {
        "training": [source.name for source in sources.training],
        "content": any(source.content for source in sources.training),
        "clips": len(evaluation),
        "leaked": sum(counts.values()),
        "counts": counts,
        "pairs": [{**_pair(leak), "source": source} for source, leak in pairs],
        "blacklists": list(sources.blacklists),
        "blacklisted": [
            {**_pair(leak), "source": source, "blacklist": name} for source, name, leak in forbidden
        ],
    }


def _pair(leak: Leak) -> Record:
    return {
        "by": leak.by,
        "value": leak.value,
        "evaluation": leak.evaluation,
        "training": leak.training,
    }


# --- the gate ---


def is_leak_gate(text: str) -> bool:
    """True for `leaks=N`, among the gates on metrics."""
    return text.replace(">=", "=").partition("=")[0].strip().casefold() == GATE_NAME


def parse_leak_gate(text: str) -> int:
    """The most clips that may leak; raises UsageError for anything but a whole number."""
    limit = text.partition("=")[2].strip()
    if not limit.isdecimal():
        raise UsageError(
            f"--fail-under {text}: must be leaks=N, the most clips that may leak, 0 or more"
        )
    return int(limit)


def leak_verdict(section: Section, limit: int) -> Record:
    """The gate in the form of the results' gates. The limit is a maximum, as for every metric whose
    lower values are better."""
    value = section["leaked"] + len({pair["training"] for pair in section["blacklisted"]})
    passed = value <= limit
    gate = f"--fail-under {GATE_NAME}={limit}"
    word = "is at most" if passed else "is above"
    verdict = f"{'pass' if passed else 'FAIL'}: {GATE_NAME} {value} {word} {limit} ({gate})"
    return {
        "gate": gate,
        "kind": "fail-under",
        "metric": GATE_NAME,
        "limit": limit,
        "value": value,
        "passed": passed,
        "verdict": verdict,
    }


def with_leaks(document: Section, section: Section, limits: Iterable[int]) -> Section:
    """The results with their `leaks`, and with the verdicts on them."""
    verdicts = [leak_verdict(section, limit) for limit in limits]
    whole = {**document, "leaks": section}
    if verdicts:
        whole["gates"] = [*document.get("gates", []), *verdicts]
        whole["passed"] = all(gate["passed"] for gate in whole["gates"])
    return whole


def _seconds(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
