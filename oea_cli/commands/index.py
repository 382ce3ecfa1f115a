"""`oea index`: vectors in, an index folder out; append, replace, delete, compact, describe."""

from pathlib import Path
from typing import TYPE_CHECKING

from oea_cli.commands.console.boundary import going_on
from oea_cli.commands.console.documents import write_document
from oea_cli.commands.console.index_table import index_table
from oea_cli.commands.console.standard_input import or_stdin
from oea_cli.commands.console.terminal import Progress, say
from oea_cli.commands.options import indexing
from oea_cli.commands.options.shared import (
    AllowEmptyOption,
    ColumnOption,
    QuietOption,
    VerboseOption,
    in_column,
)
from oea_cli.errors import OeaError, PartialError, UsageError, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oea_cli.vectors.batch import Batch
    from oea_cli.vectors.index.row_writer import Change
    from oea_cli.vectors.opening import VectorSource

UNFINISHED = "the vectors end without the mark of a finished `oea embed`"


def index(
    sources: indexing.SourcesArgument = None,
    column: ColumnOption = None,
    ids: indexing.IdsOption = None,
    append: indexing.AppendOption = False,
    replace: indexing.ReplaceOption = False,
    delete: indexing.DeleteOption = None,
    compact: indexing.CompactOption = False,
    info: indexing.InfoOption = False,
    output: indexing.IndexOutputOption = Path("index.oea"),
    kind: indexing.KindOption = None,
    storage: indexing.StorageOption = None,
    format: indexing.InfoFormatOption = None,
    accept_unfinished: indexing.AcceptUnfinishedOption = False,
    quiet: QuietOption = False,
    allow_empty: AllowEmptyOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Build, change or describe an index of vectors.

    An index that is there already is built anew unless --append or --replace keeps what it holds.
    Searches never see a half-written index, and an interrupted change leaves it as it was. The
    index remembers which encoder made its vectors.

    \b
    Examples:
      oea embed ./wavs | oea index -o sounds.oea
      oea embed ./new | oea index -o sounds.oea --append
      oea index --info sounds.oea
    """
    _check_one_job(append, replace, bool(delete), compact, info)
    if str(output) == "-":
        raise UsageError("an index is a folder, which stdout cannot be; name it with -o X.oea")
    if info or delete or compact:
        folder = _the_index(sources, output)
        from oea_cli.vectors.index.index import VectorIndex

        if info:
            write_document(VectorIndex.open(folder).info(), format, index_table)
        else:
            _report(folder, _edit(folder, delete or [], compact, kind, storage), quiet)
        return
    from oea_cli.vectors.index.manifest import check_target
    from oea_cli.vectors.opening import read_vectors

    keep = append or replace
    check_target(output)
    if keep:
        from oea_cli.vectors.index.building import check_unchanged

        check_unchanged(output, kind, storage)
    with going_on(f"{output} is as it was; the same command starts again"):
        inputs = _inputs(sources, ids)
        reader = read_vectors(*in_column(inputs, column))
        batches = _counted(reader, ids, quiet)
        if not allow_empty:
            batches = _not_empty(batches, inputs, output)
        if not (keep or accept_unfinished):
            batches = _complete(batches, reader, output)
        change = _write(reader, batches, output, keep, replace, kind, storage)
    _report(output, change, quiet)
    if not (reader.is_complete or accept_unfinished):
        raise PartialError(f"{UNFINISHED}; {output} holds what there was")


def _check_one_job(append: bool, replace: bool, delete: bool, compact: bool, info: bool) -> None:
    jobs = {"--append": append, "--replace": replace, "--delete": delete}
    jobs |= {"--compact": compact, "--info": info}
    asked = [name for name, wanted in jobs.items() if wanted]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} do not go together; give one at a time")


def _the_index(sources: list[str] | None, output: Path) -> Path:
    """The index that is described or changed: the argument, or -o, or ./index.oea."""
    if sources and len(sources) > 1:
        raise UsageError(f"one index at a time, not {', '.join(sources)}")
    return Path(sources[0]) if sources else output


def _inputs(sources: list[str] | None, ids: str | None) -> list[str]:
    """Where the vectors come from."""
    inputs = or_stdin(
        sources, "no vectors: pipe them in (`oea embed ./wavs | oea index`) or name a file"
    )
    if ids == "-" and "-" in inputs:
        raise UsageError("stdin can be read only once; give the vectors or --ids as a file")
    return inputs


def _counted(reader: "VectorSource", ids: str | None, quiet: bool) -> "Iterator[Batch]":
    """The batches, with the ids of another file where one is given, under a bar."""
    from oea_cli.vectors.given_ids import with_ids

    progress = Progress("index", "vectors", quiet=quiet)
    try:
        for batch in with_ids(reader, ids) if ids else reader:
            yield batch
            progress.advance(len(batch.records))
    finally:
        progress.close()


def _not_empty(batches: "Iterator[Batch]", inputs: list[str], folder: Path) -> "Iterator[Batch]":
    """The batches; raises OeaError where there are none."""
    first = next(batches, None)
    if first is None:
        names = ", ".join("stdin" if name == "-" else name for name in inputs)
        raise OeaError(
            f"{names}: no vectors in it; {folder} is not touched (--allow-empty permits that)"
        )
    yield first
    yield from batches


def _complete(
    batches: "Iterator[Batch]", source: "VectorSource", folder: Path
) -> "Iterator[Batch]":
    """The batches; raises OeaError where a stream that was cut off would replace an index."""
    from oea_cli.vectors.index.manifest import is_index

    yield from batches
    if not source.is_complete and is_index(folder):
        raise OeaError(
            f"{folder}: not replaced, because {UNFINISHED}; run the whole command again, or add "
            "--accept-unfinished if rows were left out on purpose"
        )


def _write(
    reader: "VectorSource",
    batches: "Iterator[Batch]",
    folder: Path,
    keep: bool,
    newer_wins: bool,
    kind: indexing.Kind | None,
    storage: indexing.Storage | None,
) -> "Change":
    """Build the index, or extend the one that is there."""
    from oea_cli.vectors.index.building import build_index, extend_index
    from oea_cli.vectors.index.manifest import is_index

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


def _edit(
    folder: Path,
    delete: list[str],
    compact: bool,
    kind: indexing.Kind | None,
    storage: indexing.Storage | None,
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
    say(f"oea index: {folder}: {counted(change.total, 'vector')}{f' ({done})' if done else ''}")
