"""`oea embed`: sounds or texts in, vectors out; the first half of every pipeline."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oea_cli.commands.console.terminal import (
    FailureLog,
    Progress,
    is_interactive,
    say,
)
from oea_cli.commands.options.shared import (
    AllowEmptyOption,
    AudioPromptOption,
    BatchSizeOption,
    DeviceOption,
    Dtype,
    DtypeOption,
    ErrorsOption,
    LimitOption,
    ModelOption,
    OnError,
    OnErrorOption,
    OutputOption,
    Placed,
    PoolingOption,
    Quantize,
    QuantizeOption,
    QuietOption,
    RevisionOption,
    TextPromptOption,
    TrustRemoteCodeOption,
    VerboseOption,
    WorkersOption,
    number_of,
)
from oea_cli.errors import Failure, OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.encoder.protocol import Encoder
    from oea_cli.vectors.files.writer import EmbeddingWriter

Item = dict[str, Any] | Failure


class Format(StrEnum):
    """How vectors are written; without it, the output's name says."""

    jsonl = "jsonl"
    npy = "npy"
    parquet = "parquet"
    shards = "shards"


class Storage(StrEnum):
    """Bytes per number in files: 4 or 2."""

    f32 = "f32"
    f16 = "f16"


class Encoding(StrEnum):
    """How JSONL carries a vector."""

    json = "json"
    base64 = "base64"


InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUTS",
        help="Sounds, folders, globs, tables of records (JSONL, CSV, Parquet), or - for stdin; "
        "with --text: texts, or files of them.",
    ),
]
TextOption = Annotated[bool, typer.Option("--text", help="Embed texts instead of sounds.")]
FilesFromOption = Annotated[
    str | None,
    typer.Option(
        "--files-from", metavar="FILE", help="Also the sounds listed in FILE; - is stdin."
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", "-f", help="Of the output [default: as its name says]."),
]
StorageOption = Annotated[Storage, typer.Option(help="Number format in files.")]
EncodingOption = Annotated[
    Encoding, typer.Option(help="Vectors in JSONL: digits, or base64 (faster, half the size).")
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard", metavar="I/N", help="Only part I of N (I from 1), chosen by a hash of the id."
    ),
]
ResumeOption = Annotated[
    bool, typer.Option(help="With -o DIR/: go on after the shards that are there.")
]


@dataclass(frozen=True)
class Inputs:
    """What is to be embedded, as the command line says it."""

    names: list[str]
    text: bool
    files_from: str | None
    shard: tuple[int, int] | None
    limit: int | None

    @property
    def is_listable(self) -> bool:
        """True when the inputs can be counted beforehand: no stdin, nothing remote."""
        from oea_cli.records.addresses import is_remote

        places = [*self.names, self.files_from or ""]
        return not any(place == "-" or is_remote(place) for place in places)

    @property
    def unit(self) -> str:
        return "texts" if self.text else "sounds"

    def __str__(self) -> str:
        places = [*self.names, *([self.files_from] if self.files_from else [])]
        return ", ".join("stdin" if place == "-" else place for place in places)


@dataclass(frozen=True)
class Chosen:
    """Which encoder: what decides its vectors, and so becomes part of its name."""

    model: str
    revision: str | None
    pooling: str | None
    text_prompt: str | None
    audio_prompt: str | None


def embed(
    inputs: InputsArgument = None,
    text: TextOption = False,
    files_from: FilesFromOption = None,
    output: OutputOption = "-",
    format: FormatOption = None,
    storage: StorageOption = Storage.f32,
    encoding: EncodingOption = Encoding.json,
    resume: ResumeOption = True,
    model: ModelOption = "mini",
    revision: RevisionOption = None,
    pooling: PoolingOption = None,
    text_prompt: TextPromptOption = None,
    audio_prompt: AudioPromptOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = Dtype.auto,
    quantize: QuantizeOption = Quantize.none,
    trust_remote_code: TrustRemoteCodeOption = False,
    batch_size: BatchSizeOption = "auto",
    workers: WorkersOption = None,
    shard: ShardOption = None,
    limit: LimitOption = None,
    on_error: OnErrorOption = OnError.skip,
    errors: ErrorsOption = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Turn sounds or texts into vectors.

    A record per input goes out, in input order, with its `embedding`: JSONL on stdout, or with -o
    a .npy, a .parquet, a .jsonl or a folder DIR/ of shards, for large sets. Sounds longer than the
    encoder's window become several rows, `ID#t=START,END`.

    \b
    Examples:
      oea embed ./wavs | oea index -o sounds.oea
      oea embed ./wavs -o vectors.npy
      oea embed clips.jsonl -o vectors/ --shard 1/8
      oea embed --text "rain on a tin roof" "a dog barking"
      find . -name '*.flac' | oea embed --files-from - -o flac.parquet
    """
    wanted = _inputs(inputs, text, files_from, shard, limit)
    chosen = Chosen(model, revision, pooling, text_prompt, audio_prompt)
    placed = Placed(device, dtype, quantize, trust_remote_code)
    _refuse_terminal(output, wanted)
    batch = number_of(batch_size)
    with FailureLog("embed", on_error.value, errors) as log:
        run = _Run(wanted, log, quiet)
        if not run.has_work() and not allow_empty:
            raise OeaError(f"no {wanted.unit} in {wanted}; --allow-empty permits that")
        encoder = _load(chosen, placed, output, format)
        writer = _open(output, encoder, wanted, format, storage, encoding, resume)
        with writer:
            run.write_all(encoder, writer, batch, workers)
            if log.count and not run.num_done:
                log.finish(0)
        run.say_summary(output)
        log.finish(run.num_done)


class _Run:
    """The inputs on their way through, counted, with what a person sees of it."""

    def __init__(self, inputs: Inputs, log: FailureLog, quiet: bool) -> None:
        self.inputs, self.log, self.quiet = inputs, log, quiet
        self.progress = Progress("embed", inputs.unit, _total(inputs, quiet), quiet)
        self.num_skipped = 0
        self._started = time.monotonic()
        self._items = _items(inputs)
        self._first: list[Item] = []

    @property
    def num_done(self) -> int:
        """Inputs that have come out whole."""
        return self.progress.done - self.log.count

    def has_work(self) -> bool:
        """Look for a first record, so that nothing is loaded for nothing."""
        for item in self._items:
            self._first.append(item)
            if not isinstance(item, Failure):
                return True
        return bool(self._first)

    def write_all(
        self,
        encoder: "Encoder",
        writer: "EmbeddingWriter",
        batch_size: int | None,
        workers: int | None,
    ) -> None:
        """Encode everything that the output does not hold already."""
        from oea_cli.encoder.streaming.stream import stream

        batches = stream(
            encoder,
            self._left(writer.is_done),
            batch_size=batch_size,
            workers=workers,
            report=self._report,
            notice=self._notice,
            advance=self.progress.advance,
        )
        try:
            # Closed here and now, also on an error: its threads end before the output does.
            with closing(batches):
                for batch in batches:
                    writer.write(batch)
        finally:
            self.progress.close()

    def say_summary(self, output: str) -> None:
        """One line for a person who watched."""
        if self.quiet or not is_interactive():
            return
        seconds = time.monotonic() - self._started
        skipped = f", {self.num_skipped} were there" if self.num_skipped else ""
        where = "" if output == "-" else f" -> {output}"
        rate = f"{self.num_done / max(seconds, 1e-9):.1f}/s"
        done = f"{self.num_done} {self.inputs.unit}"
        say(f"oea embed: {done} in {seconds:.1f} s ({rate}){skipped}{where}")

    def _left(self, is_done: Callable[[str], bool]) -> Iterator[Item]:
        for items in (self._first, self._items):
            for item in items:
                if not isinstance(item, Failure) and is_done(item["id"]):
                    self.num_skipped += 1
                else:
                    yield item

    def _report(self, failure: Failure) -> None:
        self.progress.close()
        self.log.report(failure)

    def _notice(self, remark: object) -> None:
        if not self.quiet:
            self.progress.close()
            say(f"oea embed: {remark}")


def _inputs(
    names: list[str] | None,
    text: bool,
    files_from: str | None,
    shard: str | None,
    limit: int | None,
) -> Inputs:
    if not names and files_from is None:
        if sys.stdin.isatty():
            raise UsageError("nothing to embed; name sounds, folders or records, or pipe them in")
        names = ["-"]
    if text and files_from is not None:
        raise UsageError("--files-from lists sounds; name a file of texts as an input instead")
    return Inputs(names or [], text, files_from, _shard(shard), limit)


def _shard(value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    part, _, parts = value.partition("/")
    if part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts):
        return int(part), int(parts)
    raise UsageError(f"--shard '{value}': write I/N with I from 1 to N, like 1/8")


def _refuse_terminal(output: str, inputs: Inputs) -> None:
    if output == "-" and sys.stdout.isatty():
        import shlex

        command = shlex.join(["oea", "embed", *(["--text"] if inputs.text else []), *inputs.names])
        raise UsageError(
            "vectors are not for reading, and stdout is a terminal; "
            f"try `{command} | oea index -o sounds.oea`, or -o vectors.npy"
        )


def _items(inputs: Inputs) -> Iterator[Item]:
    """The records, and between them the rows that make none; raises OeaError at once."""
    from oea_cli.records.inputs import read_records

    failures: list[Failure] = []
    records = read_records(
        inputs.names, report=failures.append, text=inputs.text, files_from=inputs.files_from
    )
    return _chosen(records, failures, inputs)


def _chosen(
    records: Iterator[dict[str, Any]], failures: list[Failure], inputs: Inputs
) -> Iterator[Item]:
    count = 0
    for record in records:
        yield from failures
        failures.clear()
        if inputs.shard is None or _is_in_shard(record["id"], *inputs.shard):
            yield record
            count += 1
            if count == inputs.limit:
                return
    yield from failures


def _is_in_shard(record_id: str, part: int, parts: int) -> bool:
    """The same on every machine and in every run, whatever else is in the set."""
    from hashlib import blake2b

    digest = blake2b(record_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % parts == part - 1


def _total(inputs: Inputs, quiet: bool) -> int | None:
    """The number of inputs, for the bar; counted only where somebody sees it."""
    if quiet or not is_interactive() or not inputs.is_listable:
        return None
    return sum(not isinstance(item, Failure) for item in _items(inputs))


def _load(chosen: Chosen, placed: Placed, output: str, format: Format | None) -> "Encoder":
    from oea_cli.encoder.loading import load_encoder
    from oea_cli.encoder.names.parsing import parse_name
    from oea_cli.vectors.files.formats import format_of

    if format is None:
        format_of(output)  # a name without a meaning is refused before the model is loaded
    name = parse_name(
        chosen.model,
        revision=chosen.revision,
        pooling=chosen.pooling,
        text_prompt=chosen.text_prompt,
        audio_prompt=chosen.audio_prompt,
    )
    return load_encoder(name, **placed.keywords)


def _open(
    output: str,
    encoder: "Encoder",
    inputs: Inputs,
    format: Format | None,
    storage: Storage,
    encoding: Encoding,
    resume: bool,
) -> "EmbeddingWriter":
    from oea_cli.vectors.files.formats import open_writer

    return open_writer(
        output,
        encoder=encoder.encoder_id,
        file_format=format.value if format else None,
        storage=storage.value,
        encoding=encoding.value,
        kind="text" if inputs.text else "audio",
        resume=resume,
    )
