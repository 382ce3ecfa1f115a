"""`oea mine-negatives`: pairs of clips that sound alike and mean something else."""

import sys
from collections.abc import Callable
from dataclasses import replace
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
    OutputQrelsOption,
    PairsOption,
    Purpose,
    PurposeOption,
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
    from oea_cli.clips.verdicts import PairVerdicts
    from oea_cli.encoder.protocol import Encoder
    from oea_cli.mining.captions import EncodeTexts
    from oea_cli.mining.pool import Clips
    from oea_cli.mining.stages import Mined, Settings
    from oea_cli.records.rows import Record

PER_CLIP = {Purpose.eval: 1, Purpose.train: 4}
NEIGHBOURS = 20
NEIGHBOURS_PER_NEGATIVE = 10
KEEP_RATIO = 3.0


def mine_negatives(
    inputs: InputsArgument = None,
    vectors: VectorsOption = None,
    caption_vectors: CaptionVectorsOption = None,
    verdicts: VerdictsOption = None,
    purpose: PurposeOption = Purpose.eval,
    num_negatives: NumNegativesOption = None,
    pairs: PairsOption = None,
    keep_all: AllOption = False,
    top_k: NeighboursOption = None,
    keep_ratio: KeepRatioOption = None,
    max_text_similarity: MaxTextOption = 0.7,
    model: ModelOption = "mini",
    text_model: TextModelOption = "mini",
    device: DeviceOption = "auto",
    output: OutputOption = "-",
    qrels: OutputQrelsOption = None,
    stats: StatsOption = None,
    explain: ExplainOption = None,
    quiet: QuietOption = False,
    on_error: OnErrorOption = OnError.skip,
    errors: ErrorsOption = None,
    allow_empty: AllowEmptyOption = False,
    verbose: VerboseOption = False,
    min_acoustic_similarity: MinAcousticOption = None,
    max_acoustic_similarity: MaxAcousticOption = None,
    absolute_margin: AbsoluteMarginOption = None,
    relative_margin: RelativeMarginOption = None,
    range_min: RangeMinOption = 0,
    sampling_strategy: SamplingOption = SamplingStrategy.top,
    compare_sounds: CompareSoundsOption = True,
    seed: SeedOption = 0,
) -> None:
    """Find clips that sound alike but mean something else.

    Mining has four stages: the acoustic neighbours of each clip, an acoustic threshold, the text
    similarity of the captions and, with --verdicts, what people decided. Parts of one recording,
    one sound encoded twice and clips with the same caption are never paired. A pair is ordered: its
    hard negative is near its target, and the reverse is another pair. The counts of each stage go
    to stderr.

    \b
    Examples:
      oea embed clips.jsonl | oea mine-negatives > pairs.jsonl
      oea mine-negatives sounds.oea --pairs 500 --verdicts verdicts.jsonl
      oea mine-negatives sounds.oea --for train -n 4 --range-min 2 > train.jsonl
    """
    from oea_cli.vectors.scan.threads import leave_threads_to_us

    leave_threads_to_us()
    sources = _sources(inputs, [vectors, caption_vectors, verdicts])
    if purpose == Purpose.train and qrels is not None:
        raise UsageError("--qrels are judgments of pairs to evaluate; leave out --for train")
    from oea_cli.mining.files import check_there, outputs

    places = outputs(output, qrels, stats)
    places.check()
    check_there([*sources, vectors, caption_vectors, verdicts])
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
        encode, text_encoder_id = work.text_side(text_model, caption_vectors)
        clips = work.read(sources, vectors)
        if clips is None:
            log.finish(0)
            if not allow_empty:
                raise OeaError(f"{_named(sources)}: no clips in it; --allow-empty permits that")
            places.write([], None)
            return
        judged = _verdicts(verdicts, clips)
        mined = work.mine(clips, encode, judged)
        if explain is not None:
            _explain(clips, mined, settings, encode, judged, explain)
        else:
            rows = _rows(purpose, clips, mined, settings, text_encoder_id, judged)
            counts = work.counts(clips, text_encoder_id, mined)
            if not quiet:
                _summarise(counts, judged)
            if not rows and not allow_empty:
                raise OeaError(_nothing_left(mined))
            places.write(rows, counts)
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
            encode, encoder_id = caption_file(caption_vectors)
            return encode, encoder_id or caption_vectors
        encoder = self._encoder(name)
        return partial(embed_texts, encoder), encoder.encoder_id

    def read(self, sources: list[str], vectors: str | None) -> "Clips | None":
        """The clips; None where there are none."""
        from oea_cli.mining.pool import read_clips

        return read_clips(sources, vectors, lambda: self._encoder(self._model), self._report)

    def mine(
        self, clips: "Clips", encode: "EncodeTexts", verdicts: "PairVerdicts | None"
    ) -> "Mined":
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

    def counts(self, clips: "Clips", text_encoder_id: str, mined: "Mined") -> "Record":
        from oea_cli.mining.pairs import statistics

        return statistics(clips, text_encoder_id, self.settings, mined, self.log.count)

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


def _named(sources: list[str]) -> str:
    return ", ".join("stdin" if source == "-" else source for source in sources)


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


def _verdicts(source: str | None, clips: "Clips") -> "PairVerdicts | None":
    if source is None:
        return None
    from oea_cli.clips.verdicts import read_pair_verdicts

    return read_pair_verdicts(source, clips.ids)


def _rows(
    purpose: Purpose,
    clips: "Clips",
    mined: "Mined",
    settings: "Settings",
    text_encoder_id: str,
    verdicts: "PairVerdicts | None",
) -> "list[Record]":
    from oea_cli.mining.pairs import mined_by, pair_rows, training_rows

    made_by = mined_by(clips, text_encoder_id, settings, mined)
    if purpose == Purpose.train:
        return training_rows(clips, mined, made_by)
    return pair_rows(clips, mined, made_by, verdicts)


def _summarise(counts: "Record", verdicts: "PairVerdicts | None") -> None:
    """The counts after each stage, one a line."""
    from oea_cli.mining.summary import summary

    first, *rest = summary(counts, verdicts.num_elsewhere if verdicts else 0)
    say(f"oea mine-negatives: {first}")
    for line in rest:
        say(line)


def _nothing_left(mined: "Mined") -> str:
    empty = next(stage for stage, count in mined.counts.items() if not count)
    return f"no pair is left after the stage '{empty}'; --allow-empty permits that"


def _explain(
    clips: "Clips",
    mined: "Mined",
    settings: "Settings",
    encode: "EncodeTexts",
    verdicts: "PairVerdicts | None",
    names: tuple[str, str],
) -> None:
    from oea_cli.mining.explanation import explain, number_of

    target, negative = (number_of(clips, name) for name in names)
    for line in explain(clips, mined, settings, encode, verdicts, target, negative):
        typer.echo(line)
