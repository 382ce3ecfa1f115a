"""`oea embed`: sounds or texts in, vectors out; the first half of every pipeline."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from oea_cli.commands.console.boundary import going_on
from oea_cli.commands.console.standard_input import or_stdin
from oea_cli.commands.console.terminal import FailureLog
from oea_cli.commands.console.watch import Watch
from oea_cli.commands.options import embedding, shared
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.records.selection import Selection
    from oea_cli.vectors.files.names import Format
    from oea_cli.vectors.files.parts import Part


def embed(
    inputs: embedding.InputsArgument = None,
    text: embedding.TextOption = False,
    files_from: embedding.FilesFromOption = None,
    prefix_ids: embedding.PrefixIdsOption = False,
    limit: shared.LimitOption = None,
    shard: embedding.ShardOption = None,
    model: shared.ModelOption = "mini",
    device: shared.DeviceOption = "auto",
    dtype: shared.DtypeOption = shared.Dtype.auto,
    quantize: shared.QuantizeOption = shared.Quantize.none,
    batch_size: shared.BatchSizeOption = "auto",
    output: shared.OutputOption = "-",
    format: embedding.FormatOption = None,
    resume: embedding.ResumeOption = True,
    quiet: shared.QuietOption = False,
    on_error: shared.OnErrorOption = shared.OnError.skip,
    errors: shared.ErrorsOption = None,
    allow_empty: shared.AllowEmptyOption = False,
    verbose: shared.VerboseOption = False,
    workers: shared.WorkersOption = None,
    channel: shared.ChannelOption = "mix",
    storage: embedding.StorageOption = embedding.Storage.f32,
    encoding: embedding.EncodingOption = embedding.Encoding.json,
    revision: shared.RevisionOption = None,
    pooling: shared.PoolingOption = None,
    text_prompt: shared.TextPromptOption = None,
    audio_prompt: shared.AudioPromptOption = None,
    trust_remote_code: shared.TrustRemoteCodeOption = False,
) -> None:
    """Turn sounds or texts into vectors.

    Each input becomes a record with an `embedding`, in input order. Records go to stdout as JSONL,
    or with -o into a .npy, .parquet or .jsonl file or, for large sets, a folder DIR/ of shards. A
    sound longer than the encoder's window becomes several records, named `ID#t=START,END`.

    \b
    Examples:
      oea embed ./wavs | oea index -o sounds.oea
      oea embed --text "rain on a tin roof" "a dog barking" -o texts.npy
      oea embed clips.jsonl -m oea-qwen3b -o vectors/ --shard 1/8
    """
    from oea_cli.records.selection import begun
    from oea_cli.records.tables import lone_headers

    batch = shared.number_of(batch_size)
    shared.check_channel(channel)
    selection = _selection(inputs, text, files_from, shard, limit, prefix_ids)
    placed = shared.DeviceOptions(device, dtype, quantize, trust_remote_code)
    _refuse_terminal(output, selection)
    part = _check_output(output, format, selection)
    from oea_cli.encoder.loading import load_encoder
    from oea_cli.encoder.names.parsing import parse_name

    with going_on(_advice(output, format)), FailureLog("embed", on_error.value, errors) as log:
        watch = Watch(selection.noun, selection.count, log, quiet)
        selection.refuse_equal_ids()
        items = begun(selection.items(), watch.report_beforehand)
        if items is None:
            log.finish(0)
        if items is None and not (allow_empty or selection.num_elsewhere):
            nothing = f"no {selection.noun} in {selection}"
            headers = lone_headers(selection.names)
            raise OeaError(f"{nothing}{headers}; --allow-empty permits that")
        name = parse_name(
            model,
            revision=revision,
            pooling=pooling,
            text_prompt=text_prompt,
            audio_prompt=audio_prompt,
        )
        encoder = load_encoder(name, **placed.keywords)
        from oea_cli.encoder.streaming.hearing import hearing
        from oea_cli.encoder.streaming.writing import write_vectors
        from oea_cli.vectors.files.formats import open_writer

        with open_writer(
            output,
            encoder=encoder.encoder_id,
            metadata={} if channel == "mix" else {"channel": channel},
            file_format=format,
            storage=storage.value,
            encoding=encoding.value,
            kind="text" if text else "audio",
            resume=resume,
            part=part,
            notice=watch.notice,
        ) as writer:
            with closing(watch.progress), hearing(channel, watch.notice):
                write_vectors(
                    encoder,
                    items or [],
                    writer,
                    batch_size=batch,
                    workers=workers,
                    report=watch.report,
                    notice=watch.notice,
                    advance=watch.progress.advance,
                )
            if log.count and not watch.num_done + writer.num_done:
                log.finish(0)
        watch.say_summary(output)
        log.finish(watch.num_done + writer.num_done)


def _advice(output: str, format: "Format | None") -> str:
    from oea_cli.vectors.files.names import format_of

    if format_of(output, format) == "shards":
        return f"the same command goes on after what is in {output}"
    return "the same command starts again"


def _selection(
    names: list[str] | None,
    text: bool,
    files_from: str | None,
    shard: str | None,
    limit: int | None,
    prefix_ids: bool,
) -> "Selection":
    from oea_cli.records.selection import Selection, parse_shard

    if files_from is None:
        advice = "nothing to embed; name sounds, folders or records, or pipe them in"
        names = or_stdin(names, advice)
    if text and files_from is not None:
        raise UsageError("--files-from lists sounds; name a file of texts as an input instead")
    part = None if shard is None else parse_shard(shard)
    return Selection(names or [], text, files_from, part, limit, prefix_ids)


def _refuse_terminal(output: str, selection: "Selection") -> None:
    if output == "-" and sys.stdout.isatty():
        import shlex

        text = ["--text"] if selection.text else []
        command = shlex.join(["oea", "embed", *text, *selection.names])
        raise UsageError(
            "vectors are not for reading, and stdout is a terminal; "
            f"try `{command} | oea index -o sounds.oea`, or -o vectors.npy"
        )


def _check_output(output: str, format: "Format | None", selection: "Selection") -> "Part":
    """Refuse a name without a meaning, a place where nothing can be written, and a part that
    another job writes, before the encoder is loaded; returns the part that this job writes."""
    from oea_cli.records.artefacts import AtomicFile
    from oea_cli.vectors.files.names import format_of

    form = format_of(output, format)
    from oea_cli.vectors.files.parts import WHOLE, Part, check_free

    part = Part(*selection.shard) if selection.shard else WHOLE
    if form == "shards":
        check_free(Path(output), part)
    elif output != "-":
        AtomicFile(Path(output))
    return part
