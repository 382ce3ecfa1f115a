"""`oea models bench NAME`: how fast an encoder is here, and how near to what the machine can do."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oea_cli.commands.console.documents import show
from oea_cli.commands.console.terminal import notices
from oea_cli.commands.options import shared
from oea_cli.commands.options.panels import ENCODER, INPUT, RARE
from oea_cli.errors import OeaError, raise_failure

if TYPE_CHECKING:
    from oea_cli.encoder.protocol import Encoder


def bench(
    name: shared.EncoderArgument,
    files: Annotated[
        str | None, INPUT.option(metavar="DIR", help="Also embed the sounds in this folder.")
    ] = None,
    seconds: Annotated[float, INPUT.option(metavar="S", help="Length of a generated clip.")] = 10.0,
    number: Annotated[
        int | None,
        INPUT.option(
            min=1, metavar="N", help="Clips, and texts, per round [default: about 3 s of work]."
        ),
    ] = None,
    random_weights: Annotated[
        bool,
        ENCODER.option(
            "--random-weights", help="Use random weights of the real size, and download nothing."
        ),
    ] = False,
    device: shared.DeviceOption = "auto",
    dtype: shared.DtypeOption = shared.Dtype.auto,
    quantize: shared.QuantizeOption = shared.Quantize.none,
    batch_size: shared.BatchSizeOption = "auto",
    format: shared.TableFormatOption = shared.TableFormat.table,
    quiet: shared.QuietOption = False,
    verbose: shared.VerboseOption = False,
    rounds: Annotated[
        int, RARE.option(min=1, metavar="N", help="Rounds to take the median of.")
    ] = 5,
) -> None:
    """Measure how fast an encoder is here.

    Shows the time per clip and per text, one at a time and in batches, and the memory. Then the
    forward pass alone on the same batches, and the share it reaches of the device's rate of plain
    matrix products in the same number format.

    \b
    Examples:
      oea models bench mini
      oea models bench mini --files ./wavs --seconds 5
      oea models bench oea-qwen3b --random-weights -f json
    """
    batch = shared.number_of(batch_size)
    from oea_cli.encoder.tools.bench import Work, measure

    work = Work(seconds, number, rounds, batch)
    records = _records(files) if files else None
    encoder = _load(name, random_weights, shared.DeviceOptions(device, dtype, quantize))
    result = measure(encoder, work, records, notices("models bench", quiet))
    if format is shared.TableFormat.json:
        typer.echo(json.dumps(result, indent=2))
        return
    for line in _table(result):
        show(line)


def _load(name: str, random_weights: bool, placed: shared.DeviceOptions) -> "Encoder":
    from oea_cli.encoder.loading import load_encoder

    if not random_weights:
        return load_encoder(name, **placed.keywords)
    from oea_cli.encoder.names.parsing import Placement, parse_name
    from oea_cli.encoder.tools.bench import CAPTIONS
    from oea_cli.encoder.tools.random_weights import random_encoder

    return random_encoder(parse_name(name), Placement(**placed.keywords), CAPTIONS)


def _records(folder: str) -> list[dict[str, Any]]:
    from oea_cli.records.inputs import read_records

    records = list(read_records([folder], report=raise_failure))
    if not records:
        raise OeaError(f"no sounds in {folder}")
    return records


def _table(result: dict[str, Any]) -> list[str]:
    """Rows of a name, a figure, and what it is."""
    weights = ""
    if "parameters" in result:
        size = _gigabytes(result["weights_bytes"])
        weights = f", {result['parameters'] / 1e6:,.1f} M parameters, {size} of weights"
    threads = f" ({result['threads']} threads)" if "threads" in result else ""
    length = f"{result['seconds']:g} s"
    rows = [
        ("ms per clip", f"{result['ms_per_clip']:.2f}", f"{result['clips']} of {length}, batched"),
        ("", f"{result['ms_per_clip_alone']:.2f}", "one at a time"),
        ("ms per text", f"{result['ms_per_text']:.3f}", f"{result['texts']} captions, batched"),
        ("", f"{result['ms_per_text_alone']:.3f}", "one at a time"),
        ("clips per second", f"{result['clips_per_second']:.1f}", "from waveforms"),
    ]
    if "files" in result:
        files = result["files"]
        failed = f", {files['failed']} failed" if files["failed"] else ""
        what = f"{files['clips']} from files{failed}; {files['share_of_forward']:.2f} of forward"
        rows.append(("", f"{files['clips_per_second']:.1f}", what))
    rows.append(("peak memory", _gigabytes(result["peak_memory_bytes"]), _growth(result)))
    forward = f"{result['forward_ms_per_clip']:.2f}"
    rows.append(("bare forward", forward, "ms per clip, on the same batches"))
    rows.append(
        ("share of it", f"{result['share_of_forward']:.2f}", "that batches reach end to end")
    )
    if "share_of_matrix_rate" in result:
        reached, rate = result["forward_flops_per_second"], result["matrix_flops_per_second"]
        share = f"{result['share_of_matrix_rate']:.0%}"
        what = f"forward {_flops(reached)}, plain products {_flops(rate)} ({result['dtype']})"
        rows.append(("of matrix rate", share, what))
    head = f"{result['name']} on {result['device']}{threads}, {result['dtype']}{weights}"
    return [head, *(f"{name:<17}{figure:>10}  {what}".rstrip() for name, figure, what in rows)]


def _growth(result: dict[str, Any]) -> str:
    if "memory_growth_bytes" not in result:
        return "on the device"
    return f"of the process; {_gigabytes(result['memory_growth_bytes'])} more than before"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.2f} GB"


def _flops(rate: float) -> str:
    unit, name = (1e12, "TFLOP/s") if rate >= 1e12 else (1e9, "GFLOP/s")
    return f"{rate / unit:,.1f} {name}"
