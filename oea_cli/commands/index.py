"""`oea index`: vectors in, an index folder out; append, replace, delete, compact, describe."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oea_cli.commands.console.terminal import Progress, say
from oea_cli.commands.options.shared import AllowEmptyOption, QuietOption, VerboseOption
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.vectors.index.intake import Change


class Kind(StrEnum):
    """How the index is searched; auto: exact up to a million vectors."""

    auto = "auto"
    exact = "exact"
    hnsw = "hnsw"


class Storage(StrEnum):
    """How a vector is stored: 4, 2 or 1 bytes, or 1 bit per dimension."""

    f32 = "f32"
    f16 = "f16"
    i8 = "i8"
    b1 = "b1"


class InfoFormat(StrEnum):
    """How a description is written."""

    json = "json"
    table = "table"


def index(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VECTORS",
            help="What `oea embed` wrote, or any .npy; - is stdin. With --info, --delete and "
            "--compact: the index.",
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", envvar="OEA_INDEX", metavar="X.oea", help="The index."),
    ] = Path("index.oea"),
    append: Annotated[
        bool,
        typer.Option("--append", help="Keep what is there; an id with another vector is an error."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Keep what is there; the newer vector of an id wins.")
    ] = False,
    delete: Annotated[
        list[str] | None,
        typer.Option("--delete", metavar="ID", help="Delete a record (repeatable)."),
    ] = None,
    compact: Annotated[
        bool,
        typer.Option("--compact", help="Rewrite without deleted records; may change the storage."),
    ] = False,
    info: Annotated[bool, typer.Option("--info", help="Describe an index.")] = False,
    kind: Annotated[
        Kind | None,
        typer.Option(help="Scan, or an HNSW graph [default: auto, a graph above 1M vectors]."),
    ] = None,
    storage: Annotated[
        Storage | None,
        typer.Option(help="Number format; i8 and b1 lose recall (see --info) [default: f32]."),
    ] = None,
    format: Annotated[
        InfoFormat | None,
        typer.Option("--format", "-f", help="Of --info [default: table on a terminal, else json]."),
    ] = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Build an index folder from vectors, or change or describe one.

    An index that is there already is rebuilt, unless --append or --replace keeps what it holds.
    Searches never see a half-made one, and an interrupted change leaves it as it was. The index
    remembers the encoder that made the vectors.

    \b
    Examples:
      oea embed ./wavs | oea index -o sounds.oea
      oea embed ./new | oea index -o sounds.oea --append
      oea index vectors.npy -o sounds.oea --kind hnsw --storage f16
      oea index --info sounds.oea
      oea index --delete old/rain.wav -o sounds.oea
    """
    _check_one_job(append, replace, bool(delete), compact, info)
    if info or delete or compact:
        folder = _the_index(sources, output)
        if info:
            _describe(folder, format)
        else:
            _report(folder, _edit(folder, delete or [], compact, kind, storage), quiet)
        return
    if append or replace:
        _check_unchanged(output, kind, storage)
    change = _write(sources, output, append or replace, replace, kind, storage, allow_empty, quiet)
    _report(output, change, quiet)


def _check_one_job(append: bool, replace: bool, delete: bool, compact: bool, info: bool) -> None:
    jobs = {"--append": append, "--replace": replace, "--delete": delete}
    jobs |= {"--compact": compact, "--info": info}
    asked = [name for name, wanted in jobs.items() if wanted]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} do not go together; one at a time")


def _the_index(sources: list[str] | None, output: Path) -> Path:
    """The index that is described or changed: the argument, or -o, or ./index.oea."""
    if sources and len(sources) > 1:
        raise UsageError(f"one index at a time, not {', '.join(sources)}")
    return Path(sources[0]) if sources else output


def _check_unchanged(folder: Path, kind: Kind | None, storage: Storage | None) -> None:
    """An index that grows keeps its kind and storage."""
    from oea_cli.vectors.index.index import VectorIndex
    from oea_cli.vectors.index.manifest import is_index

    if not is_index(folder) or not (kind or storage):
        return
    manifest = VectorIndex.open(folder).manifest
    for option, asked, present in (
        ("--kind", kind, manifest.kind),
        ("--storage", storage, manifest.storage),
    ):
        if asked and asked != present:
            raise UsageError(
                f"{folder}: made with {option} {present}; `oea index --compact {option} {asked} "
                f"-o {folder}` changes it"
            )


def _write(
    sources: list[str] | None,
    folder: Path,
    keep: bool,
    newer_wins: bool,
    kind: Kind | None,
    storage: Storage | None,
    allow_empty: bool,
    quiet: bool,
) -> "Change":
    """Build the index, or extend the one that is there."""
    from oea_cli.vectors.index.building import build_index, extend_index
    from oea_cli.vectors.index.manifest import is_index
    from oea_cli.vectors.opening import read_vectors

    inputs = _inputs(sources)
    reader = read_vectors(*inputs)
    if not reader.dim and not allow_empty:
        names = ", ".join("stdin" if name == "-" else name for name in inputs)
        raise OeaError(
            f"{names}: no vectors in it; {folder} is not touched (--allow-empty permits that)"
        )
    progress = Progress("index", "vectors", quiet=quiet)
    batches = _counted(reader, progress)
    if keep and is_index(folder):
        return extend_index(
            folder, batches, dim=reader.dim, encoder=reader.encoder, newer_wins=newer_wins
        )
    return build_index(
        folder,
        batches,
        dim=reader.dim,
        encoder=reader.encoder,
        kind=kind or "auto",
        storage=storage or "f32",
        newer_wins=newer_wins,
    )


def _inputs(sources: list[str] | None) -> list[str]:
    import sys

    if sources:
        return sources
    if sys.stdin.isatty():
        raise UsageError("no vectors: pipe them in (`oea embed ./wavs | oea index`) or name a file")
    return ["-"]


def _counted(batches: Any, progress: Progress) -> Any:
    try:
        for batch in batches:
            yield batch
            progress.advance(len(batch.records))
    finally:
        progress.close()


def _edit(
    folder: Path, delete: list[str], compact: bool, kind: Kind | None, storage: Storage | None
) -> "Change":
    from oea_cli.vectors.index.building import compact_index, delete_records

    return compact_index(folder, kind, storage) if compact else delete_records(folder, delete)


def _report(folder: Path, change: "Change", quiet: bool) -> None:
    """Say in one line what became of the index."""
    if quiet:
        return
    counts = {"added": change.added, "replaced": change.replaced, "deleted": change.deleted}
    counts["already there"] = change.unchanged
    done = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    say(f"oea index: {folder}: {change.total} vectors{f' ({done})' if done else ''}")


def _describe(folder: Path, format: InfoFormat | None) -> None:
    import sys

    from oea_cli.vectors.index.index import VectorIndex

    description = VectorIndex.open(folder).info()
    if format is None:
        format = InfoFormat.table if sys.stdout.isatty() else InfoFormat.json
    if format == InfoFormat.json:
        import orjson

        sys.stdout.buffer.write(orjson.dumps(description, option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.buffer.flush()
        return
    for line in _info_lines(description):
        typer.echo(line)


def _info_lines(description: dict[str, Any]) -> list[str]:
    """The description for a person, one property a line."""
    segments = description["segments"]
    num_graphs = sum(segment["graph"] for segment in segments)
    searched = "scanned" if not num_graphs else f"{num_graphs} of {len(segments)} with a graph"
    deleted = f" (and {description['deleted']} deleted)" if description["deleted"] else ""
    recall = description["recall@10"]
    measured = "nothing to find" if recall is None else f"{recall:.3f}"
    rows = {
        "index": description["path"],
        "vectors": f"{description['count']:,}{deleted}",
        "dimensions": description["dim"],
        "encoder": description["encoder"] or "not named by the vectors",
        "kind": f"{description['kind']}, {len(segments)} segments, {searched}",
        "storage": description["storage"],
        "recall@10": f"{measured} of an exact search on the vectors as they came",
        "size": f"{description['bytes'] / 1e6:,.2f} MB",
        "created": description["created"],
        "updated": description["updated"],
        "made by": f"oea {description['oea']}",
    }
    return [f"{name:<11} {value}" for name, value in rows.items()]
