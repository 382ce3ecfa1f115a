"""`oea mine-negatives`: pairs of clips that sound alike and mean something else."""

from typing import TYPE_CHECKING

from oea_cli.commands.console.documents import show
from oea_cli.commands.console.standard_input import or_stdin
from oea_cli.commands.console.terminal import FailureLog, Progress, notices, say
from oea_cli.commands.options import mining, shared
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.mining.mine import MinedPairs
    from oea_cli.mining.stages import Steps


def mine_negatives(
    inputs: mining.InputsArgument = None,
    vectors: mining.VectorsOption = None,
    caption_vectors: mining.CaptionVectorsOption = None,
    column: shared.ColumnOption = None,
    verdicts: mining.VerdictsOption = None,
    purpose: mining.PurposeOption = mining.Purpose.eval,
    num_negatives: mining.NumNegativesOption = None,
    pairs: mining.PairsOption = None,
    keep_all: mining.AllOption = False,
    top_k: mining.NeighboursOption = None,
    keep_ratio: mining.KeepRatioOption = None,
    max_text_similarity: mining.MaxTextOption = 0.7,
    model: shared.ModelOption = "mini",
    text_model: mining.TextModelOption = "mini",
    device: shared.DeviceOption = "auto",
    output: shared.OutputOption = "-",
    qrels: mining.OutputQrelsOption = None,
    stats: mining.StatsOption = None,
    explain: mining.ExplainOption = None,
    quiet: shared.QuietOption = False,
    on_error: shared.OnErrorOption = shared.OnError.skip,
    errors: shared.ErrorsOption = None,
    allow_empty: shared.AllowEmptyOption = False,
    verbose: shared.VerboseOption = False,
    min_acoustic_similarity: mining.MinAcousticOption = None,
    max_acoustic_similarity: mining.MaxAcousticOption = None,
    absolute_margin: mining.AbsoluteMarginOption = None,
    relative_margin: mining.RelativeMarginOption = None,
    range_min: mining.RangeMinOption = 0,
    sampling_strategy: mining.SamplingOption = mining.SamplingStrategy.top,
    compare_sounds: mining.CompareSoundsOption = True,
    seed: shared.SeedOption = 0,
    channel: shared.ChannelOption = "mix",
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
    if purpose == mining.Purpose.train and qrels is not None:
        raise UsageError("--qrels are judgments of pairs to evaluate; leave out --for train")
    from oea_cli.mining.files import check_there, outputs

    places = outputs(output, qrels, stats)
    places.check()
    check_there([*sources, vectors, caption_vectors, verdicts])
    shared.check_channel(channel)
    from oea_cli.encoder.streaming.hearing import hearing
    from oea_cli.mining.mine import mine

    log = FailureLog("mine-negatives", on_error.value, errors)
    watch = _Watch(quiet)
    with log, watch, hearing(channel, notices("mine-negatives", quiet)):
        mined = mine(
            shared.in_column(sources, column),
            vectors and shared.in_column([vectors], column)[0],
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
            caption_vectors=caption_vectors and shared.in_column([caption_vectors], column)[0],
            verdicts=verdicts,
            compare_sounds=compare_sounds,
            device=device,
            report=log.report,
            watch=watch.begin,
        )
        watch.close()
        if explain is None and mined.notice:
            notices("mine-negatives", quiet)(mined.notice)
        if explain is not None and mined.num_clips:
            for line in mined.explain(*explain):
                show(line)
        else:
            if mined.statistics and not quiet:
                _summarise(mined)
            if not mined.num_clips:
                log.finish(0)
            if not mined.rows and not allow_empty:
                raise OeaError(_nothing_left(mined, sources))
            places.write(mined.rows, mined.statistics)
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
    sources = or_stdin(
        inputs,
        "no clips: pipe them in (`oea embed clips.jsonl | oea mine-negatives`) or name a file",
    )
    if [*sources, *others].count("-") > 1:
        raise UsageError("stdin can be read once; give the other input as a file")
    return sources


def _named(sources: list[str]) -> str:
    return ", ".join("stdin" if source == "-" else source for source in sources)


def _summarise(mined: "MinedPairs") -> None:
    """The counts after each stage, one a line."""
    from oea_cli.mining.summary import summary

    first, *rest = summary(mined.statistics, mined.num_verdicts_elsewhere)
    say(f"oea mine-negatives: {first}")
    for line in rest:
        say(line)


def _nothing_left(mined: "MinedPairs", sources: list[str]) -> str:
    if not mined.num_clips:
        from oea_cli.records.tables import lone_headers

        nothing = f"{_named(sources)}: no clips in it{lone_headers(sources)}"
        return f"{nothing}; --allow-empty permits that"
    empty = next(stage for stage, count in mined.counts.items() if not count)
    return f"no pair is left after the stage '{empty}'; --allow-empty permits that"
