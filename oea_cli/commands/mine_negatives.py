"""`oea mine-negatives`: pairs of clips that sound alike and mean something else."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
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
    from oea_cli.clips.majority import Verdicts
    from oea_cli.encoder.protocol import Encoder
    from oea_cli.mining.captions import EncodeTexts
    from oea_cli.mining.pool import Clips
    from oea_cli.mining.stages import Mined, Settings
    from oea_cli.records.rows import Record

PER_CLIP = {Purpose.eval: 1, Purpose.train: 4}
NEIGHBOURS = 20
NEIGHBOURS_PER_NEGATIVE = 10
KEEP_RATIO = 3.0


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
    from oea_cli.mining.stages import Settings

    settings = Settings(
        keep_ratio=keep_ratio,
        num_pairs=pairs,
        min_acoustic_similarity=min_acoustic_similarity,
        max_acoustic_similarity=max_acoustic_similarity,
        max_text_similarity=max_text_similarity,
        range_min=range_min,
        absolute_margin=absolute_margin,
        relative_margin=relative_margin,
        sampling_strategy=sampling_strategy.value,
        seed=seed,
        keep_all=keep_all,
    )
    settings = _with_defaults(settings, purpose, num_negatives, top_k)
    settings.check()
    log = FailureLog("mine-negatives", on_error.value, errors)
    with log:
        work = _Work(settings, compare_sounds, model, device, log, quiet)
        encode, text_stamp = work.text_side(text_model, caption_vectors)
        clips = work.read(sources, vectors)
        if clips is None:
            log.finish(0)
            if not allow_empty:
                raise OeaError(f"{_named(sources)}: no clips in it; --allow-empty permits that")
            _write(outputs, [], None)
            return
        judged = _verdicts(verdicts, clips)
        mined = work.mine(clips, encode, judged)
        if explain is not None:
            _explain(clips, mined, settings, encode, judged, explain)
        else:
            rows = _rows(purpose, clips, mined, settings, text_stamp, judged)
            counts = work.counts(clips, text_stamp, mined)
            _summarise(counts, judged, quiet)
            if not rows and not allow_empty:
                raise OeaError(_nothing_left(mined))
            _write(outputs, rows, counts)
        log.finish(len(clips))


class _Work:
    """Reading and mining, with what a person sees of it."""

    def __init__(
        self,
        settings: "Settings",
        compare_sounds: bool,
        model: str,
        device: str,
        log: FailureLog,
        quiet: bool,
    ) -> None:
        self.settings, self.compare_sounds, self.log, self.quiet = (
            settings,
            compare_sounds,
            log,
            quiet,
        )
        self._model, self._device = model, device
        self._loaded: dict[str, Encoder] = {}

    def text_side(self, name: str, caption_vectors: str | None) -> "tuple[EncodeTexts, str]":
        """What encodes captions, and what it is called; first of all, since it may be missing."""
        from functools import partial

        from oea_cli.encoder.streaming.stream import embed_texts
        from oea_cli.mining.captions import caption_file

        if caption_vectors is not None:
            encode, stamp = caption_file(caption_vectors)
            return encode, stamp or caption_vectors
        encoder = self._encoder(name)
        return partial(embed_texts, encoder), encoder.stamp

    def read(self, sources: list[str], vectors: str | None) -> "Clips | None":
        """The clips; None where there are none."""
        from oea_cli.mining.pool import read_clips

        return read_clips(sources, vectors, lambda: self._encoder(self._model), self._report)

    def mine(self, clips: "Clips", encode: "EncodeTexts", verdicts: "Verdicts | None") -> "Mined":
        """All stages."""
        from oea_cli.mining.stages import Steps, mine
        from oea_cli.vectors.scan.neighbours import num_blocks

        products = Progress("mine-negatives", "products", num_blocks(len(clips)), self.quiet)
        sounds = Progress("mine-negatives", "sounds compared", None, self.quiet)
        try:
            return mine(
                clips,
                self.settings,
                encode,
                verdicts,
                compare_sounds=self.compare_sounds,
                steps=Steps(products.advance, sounds.advance),
            )
        finally:
            products.close()

    def counts(self, clips: "Clips", text_stamp: str, mined: "Mined") -> "Record":
        from oea_cli.mining.pairs import statistics

        return statistics(clips, text_stamp, self.settings, mined, self.log.count)

    def _encoder(self, name: str) -> "Encoder":
        from oea_cli.encoder.loading import load_encoder

        if name not in self._loaded:
            self._loaded[name] = load_encoder(name, device=self._device)
        return self._loaded[name]

    @property
    def _report(self) -> "Callable[..., None]":
        return self.log.report


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


def _with_defaults(
    settings: "Settings", purpose: Purpose, num_negatives: int | None, top_k: int | None
) -> "Settings":
    """Fill in what depends on the purpose."""
    per_clip = num_negatives
    if per_clip is None and (purpose == Purpose.train or settings.num_pairs is None):
        per_clip = PER_CLIP[purpose]
    if top_k is None:
        top_k = NEIGHBOURS
        if purpose == Purpose.train:
            wide = settings.range_min + NEIGHBOURS_PER_NEGATIVE * (per_clip or 1)
            top_k = max(NEIGHBOURS, wide)
    ratio = settings.keep_ratio
    if ratio is None and purpose == Purpose.eval:
        ratio = KEEP_RATIO
    return replace(settings, per_clip=per_clip, top_k=top_k, keep_ratio=ratio)


def _verdicts(source: str | None, clips: "Clips") -> "Verdicts | None":
    if source is None:
        return None
    from oea_cli.clips.majority import read_verdicts

    return read_verdicts(source, clips.ids)


def _rows(
    purpose: Purpose,
    clips: "Clips",
    mined: "Mined",
    settings: "Settings",
    text_stamp: str,
    verdicts: "Verdicts | None",
) -> "list[Record]":
    from oea_cli.mining.pairs import pair_rows, stamp, training_rows

    made_by = stamp(clips, text_stamp, settings, mined)
    if purpose == Purpose.train:
        return training_rows(clips, mined, made_by)
    return pair_rows(clips, mined, made_by, verdicts)


def _write(outputs: Outputs, rows: "list[Record]", counts: "Record | None") -> None:
    """Write the rows, the judgments and the counts."""
    import orjson

    from oea_cli.mining.pairs import judgments
    from oea_cli.records.artefacts import write_whole
    from oea_cli.records.json_lines import to_json

    if outputs.qrels is not None:
        write_whole(outputs.qrels, judgments(outputs.qrels.name, rows))
    if outputs.stats is not None and counts is not None:
        write_whole(outputs.stats, orjson.dumps(counts, option=orjson.OPT_INDENT_2) + b"\n")
    content = b"".join(map(to_json, rows))
    if outputs.pairs == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        write_whole(Path(outputs.pairs), content)


def _summarise(counts: "Record", verdicts: "Verdicts | None", quiet: bool) -> None:
    """The counts after each stage, one a line."""
    if quiet:
        return
    made_by = f"{counts['encoder'] or 'vectors of no named encoder'}, captions by"
    say(f"oea mine-negatives: {counts['clips']} clips, {made_by} {counts['text_encoder']}")
    threshold = counts["acoustic_threshold"]
    for stage, count in counts["stages"].items():
        remark = ""
        if stage == "acoustic threshold":
            remark = "  (none)" if threshold is None else f"  (>= {threshold:g})"
        say(f"  {count:>9,}  {stage}{remark}")
    notes = {
        "clips without captions were left out": counts["clips_without_captions"],
        "pairs whose captions say the same": counts["dropped"]["captions say the same"],
        "pairs of one sound encoded twice": counts["dropped"]["one sound encoded twice"],
        "clips have no hard negative": counts["clips_without_pairs"],
        "verdicts are on other clips": verdicts.num_elsewhere if verdicts else 0,
    }
    if told := [f"{count:,} {what}" for what, count in notes.items() if count]:
        say(f"  {'; '.join(told)}")


def _nothing_left(mined: "Mined") -> str:
    empty = next(stage for stage, count in mined.counts.items() if not count)
    return f"no pair is left after the stage '{empty}'; --allow-empty permits that"


def _explain(
    clips: "Clips",
    mined: "Mined",
    settings: "Settings",
    encode: "EncodeTexts",
    verdicts: "Verdicts | None",
    names: tuple[str, str],
) -> None:
    from oea_cli.mining.explanation import explain, number_of

    target, negative = (number_of(clips, name) for name in names)
    for line in explain(clips, mined, settings, encode, verdicts, target, negative):
        typer.echo(line)
