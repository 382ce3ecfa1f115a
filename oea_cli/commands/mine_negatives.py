"""`oea mine-negatives`: pairs of clips that sound alike and mean something else."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from oea_cli.commands.console.terminal import FailureLog, Progress, say
from oea_cli.commands.options.mining import (
    AbsoluteMarginOption,
    AllOption,
    CaptionVectorsOption,
    CompareSoundsOption,
    ExplainOption,
    InputsArgument,
    KeepRatioOption,
    MaxAcousticOption,
    MaxTextOption,
    MinAcousticOption,
    NeighboursOption,
    NumNegativesOption,
    PairsOption,
    Purpose,
    PurposeOption,
    QrelsOption,
    RangeMinOption,
    RelativeMarginOption,
    SamplingOption,
    SamplingStrategy,
    StatsOption,
    TextModelOption,
    VectorsOption,
    VerdictsOption,
)
from oea_cli.commands.options.shared import (
    AllowEmptyOption,
    DeviceOption,
    ErrorsOption,
    ModelOption,
    OnError,
    OnErrorOption,
    OutputOption,
    QuietOption,
    SeedOption,
    VerboseOption,
)
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.mining.mine import MinedPairs
    from oea_cli.mining.stages import Steps


@dataclass(frozen=True)
class Outputs:
    """Where everything goes; None is nowhere."""

    pairs: str
    qrels: Path | None
    stats: Path | None

    def check(self) -> None:
        """Refuse, before hours of work, places where nothing can be written."""
        from oea_cli.records.artefacts import Aside

        for path in (self.qrels, self.stats, None if self.pairs == "-" else Path(self.pairs)):
            if path is not None:
                Aside(path)


def mine_negatives(
    inputs: InputsArgument = None,
    vectors: VectorsOption = None,
    output: OutputOption = "-",
    purpose: PurposeOption = Purpose.eval,
    num_negatives: NumNegativesOption = None,
    pairs: PairsOption = None,
    keep_all: AllOption = False,
    top_k: NeighboursOption = None,
    keep_ratio: KeepRatioOption = None,
    min_acoustic_similarity: MinAcousticOption = None,
    max_acoustic_similarity: MaxAcousticOption = None,
    text_model: TextModelOption = "mini",
    caption_vectors: CaptionVectorsOption = None,
    max_text_similarity: MaxTextOption = 0.7,
    absolute_margin: AbsoluteMarginOption = None,
    relative_margin: RelativeMarginOption = None,
    range_min: RangeMinOption = 0,
    sampling_strategy: SamplingOption = SamplingStrategy.top,
    seed: SeedOption = 0,
    verdicts: VerdictsOption = None,
    compare_sounds: CompareSoundsOption = True,
    explain: ExplainOption = None,
    qrels: QrelsOption = None,
    stats: StatsOption = None,
    model: ModelOption = "mini",
    device: DeviceOption = "auto",
    on_error: OnErrorOption = OnError.skip,
    errors: ErrorsOption = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Find hard negatives: clips that sound alike and whose captions differ.

    Four stages: the acoustic neighbours of each clip, an acoustic threshold, the
    text similarity of the captions, and, with --verdicts, what people heard.
    Parts of one recording, one sound encoded twice and clips with one caption are
    never pairs. A pair is ordered: the hard negative is near its target, and the
    reverse is a pair of its own. Counts go to stderr.

    \b
    Examples:
      oea embed clips.jsonl | oea mine-negatives > pairs.jsonl
      oea mine-negatives sounds.oea --pairs 500 --all -o candidates.jsonl
      oea mine-negatives sounds.oea --pairs 500 --verdicts verdicts.jsonl
      oea mine-negatives clips.jsonl --vectors clap.npy --qrels queries.jsonl
      oea mine-negatives sounds.oea --for train -n 4 --range-min 2 > train.jsonl
      oea mine-negatives sounds.oea --explain dog.wav wolf.wav
    """
    from oea_cli.vectors.scan.threads import leave_threads_to_us

    leave_threads_to_us()
    sources = _sources(inputs, [vectors, caption_vectors, verdicts])
    if purpose == Purpose.train and qrels is not None:
        raise UsageError("--qrels are judgments of pairs to evaluate; leave out --for train")
    outputs = _outputs(output, qrels, stats)
    outputs.check()
    _check_there([*sources, vectors, caption_vectors, verdicts])
    from oea_cli.mining.mine import mine

    log = FailureLog("mine-negatives", on_error.value, errors)
    watch = _Watch(quiet)
    with log, watch:
        mined = mine(
            sources,
            vectors,
            purpose=purpose.value,
            top_k=top_k,
            per_clip=num_negatives,
            num_pairs=pairs,
            keep_all=keep_all,
            keep_ratio=keep_ratio,
            min_acoustic_similarity=min_acoustic_similarity,
            max_acoustic_similarity=max_acoustic_similarity,
            max_text_similarity=max_text_similarity,
            range_min=range_min,
            absolute_margin=absolute_margin,
            relative_margin=relative_margin,
            sampling_strategy=sampling_strategy.value,
            seed=seed,
            encoder=model,
            text_encoder=text_model,
            caption_vectors=caption_vectors,
            verdicts=verdicts,
            compare_sounds=compare_sounds,
            device=device,
            report=log.report,
            watch=watch.begin,
        )
        watch.close()
        if explain is not None and mined.num_clips:
            for line in mined.explain(*explain):
                typer.echo(line)
        else:
            _summarise(mined, quiet)
            if not mined.num_clips:
                log.finish(0)
            if not mined.rows and not allow_empty:
                raise OeaError(_nothing_left(mined, sources))
            _write(outputs, mined)
        log.finish(mined.num_clips)


class _Watch:
    """The bars of the two long stages, as soon as the number of clips is known."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bars: list[Progress] = []

    def begin(self, num_clips: int) -> "Steps":
        from oea_cli.mining.stages import Steps
        from oea_cli.vectors.scan.neighbours import num_blocks

        products = Progress("mine-negatives", "products", num_blocks(num_clips), self._quiet)
        sounds = Progress("mine-negatives", "sounds compared", None, self._quiet)
        self._bars = [products, sounds]
        return Steps(products.advance, sounds.advance)

    def close(self) -> None:
        for bar in self._bars:
            bar.close()

    def __enter__(self) -> "_Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sources(inputs: list[str] | None, others: list[str | None]) -> list[str]:
    if not inputs and sys.stdin.isatty():
        raise UsageError(
            "no clips: pipe them in (`oea embed clips.jsonl | oea mine-negatives`) or name a file"
        )
    sources = inputs or ["-"]
    if [*sources, *others].count("-") > 1:
        raise UsageError("stdin can be read once; give the other input as a file")
    return sources


def _check_there(names: list[str | None]) -> None:
    """Refuse files that are not there before a model is loaded."""
    from oea_cli.records.folders import exists, is_pattern

    for name in names:
        if name is not None and name != "-" and not (is_pattern(name) or exists(name)):
            raise OeaError(f"{name}: no such file or folder")


def _named(sources: list[str]) -> str:
    return ", ".join("stdin" if source == "-" else source for source in sources)


def _outputs(output: str, qrels: Path | None, stats: Path | None) -> Outputs:
    if stats is None and output != "-":
        stats = Path(output).with_suffix(".stats.json")
    return Outputs(output, qrels, stats)


def _write(outputs: Outputs, mined: "MinedPairs") -> None:
    """Write the rows, the judgments and the counts."""
    import orjson

    from oea_cli.records.artefacts import write_whole
    from oea_cli.records.json_lines import json_line

    if outputs.qrels is not None:
        write_whole(outputs.qrels, mined.judgments(outputs.qrels.name))
    if outputs.stats is not None and mined.statistics:
        content = orjson.dumps(mined.statistics, option=orjson.OPT_INDENT_2) + b"\n"
        write_whole(outputs.stats, content)
    content = b"".join(map(json_line, mined.rows))
    if outputs.pairs == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        write_whole(Path(outputs.pairs), content)


def _summarise(mined: "MinedPairs", quiet: bool) -> None:
    """The counts after each stage, one a line."""
    if quiet or not mined.statistics:
        return
    counts = mined.statistics
    made_by = f"{counts['encoder'] or 'vectors of no named encoder'}, captions by"
    say(f"oea mine-negatives: {counts['clips']} clips, {made_by} {counts['text_encoder']}")
    threshold = counts["acoustic_threshold"]
    for stage, count in mined.counts.items():
        remark = ""
        if stage == "acoustic threshold":
            remark = "  (none)" if threshold is None else f"  (>= {threshold:g})"
        say(f"  {count:>9,}  {stage}{remark}")
    notes = {
        "clips without captions were left out": counts["clips_without_captions"],
        "pairs whose captions say the same": counts["dropped"]["captions say the same"],
        "pairs of one sound encoded twice": counts["dropped"]["one sound encoded twice"],
        "clips have no hard negative": counts["clips_without_pairs"],
        "verdicts are on other clips": mined.num_verdicts_elsewhere,
    }
    if told := [f"{count:,} {what}" for what, count in notes.items() if count]:
        say(f"  {'; '.join(told)}")


def _nothing_left(mined: "MinedPairs", sources: list[str]) -> str:
    if not mined.num_clips:
        return f"{_named(sources)}: no clips in it; --allow-empty permits that"
    empty = next(stage for stage, count in mined.counts.items() if not count)
    return f"no pair is left after the stage '{empty}'; --allow-empty permits that"
