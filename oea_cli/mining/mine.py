"""Mining in one call: clips with captions in, hard-negative pairs out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast

import numpy as np

from oea_cli.clips.verdicts import PairVerdicts, read_pair_verdicts
from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import embed_texts
from oea_cli.errors import Failure, Report, UsageError, raise_failure
from oea_cli.mining import stages
from oea_cli.mining.captions import EncodeTexts, caption_file
from oea_cli.mining.explanation import explain, number_of
from oea_cli.mining.pairs import judgments, mined_by, pair_rows, statistics, training_rows
from oea_cli.mining.pool import Clips, Sources, read_clips
from oea_cli.mining.stages import Sampling, Settings, Steps
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.batch import Batch, batch_of

if TYPE_CHECKING:
    import polars as pl

Purpose = Literal["eval", "train"]
PathLike = str | Path
PER_CLIP: dict[Purpose, int] = {"eval": 1, "train": 4}
NEIGHBOURS = 20
NEIGHBOURS_PER_NEGATIVE = 10
KEEP_RATIO = 3.0


class Options(TypedDict, total=False):
    """How pairs are chosen (see `oea mine-negatives --help`); some defaults depend on what for."""

    top_k: int | None
    per_clip: int | None
    num_pairs: int | None
    keep_ratio: float | None
    keep_all: bool
    min_acoustic_similarity: float | None
    max_acoustic_similarity: float | None
    max_text_similarity: float
    range_min: int
    absolute_margin: float | None
    relative_margin: float | None
    sampling_strategy: Sampling
    seed: int


@dataclass(frozen=True, slots=True)
class _Work:
    """What a pair can be explained by."""

    clips: Clips
    mined: stages.Mined
    settings: Settings
    encode: EncodeTexts
    verdicts: PairVerdicts | None


@dataclass(frozen=True, slots=True)
class MinedPairs:
    """Mined pairs: `rows` as `oea mine-negatives` writes them, `statistics` as its --stats.

    A row is a pair (target, hard_negative, scores, captions), or with `purpose="train"` a clip with
    its negatives. Without any clip, `statistics` are empty.
    """

    rows: list[Record]
    statistics: Mapping[str, Any] = field(default_factory=dict)
    num_clips: int = 0
    work: _Work | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.rows)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many pairs were left after each stage, in order."""
        return cast(Mapping[str, int], self.statistics.get("stages", {}))

    @property
    def num_verdicts_elsewhere(self) -> int:
        """How many verdicts are on other clips."""
        judged = self.work.verdicts if self.work else None
        return judged.num_elsewhere if judged else 0

    @property
    def notice(self) -> str:
        """How many sounds could not be compared, and why; empty for none."""
        return self.work.mined.duplicates.notice if self.work else ""

    @property
    def frame(self) -> "pl.DataFrame":
        """The rows as a polars frame."""
        from oea_cli.records.columns import frame

        return frame(self.rows)

    def judgments(self, name: str = "queries.jsonl") -> bytes:
        """The pairs as judged queries: whole ones for a name X.jsonl, else TREC qrels."""
        return judgments(name, self.rows)

    def explain(self, target: str, hard_negative: str) -> list[str]:
        """Why a pair was kept or dropped, line by line; raises OeaError for an id not mined."""
        if self.work is None:
            return []
        work = self.work
        numbers = [number_of(work.clips, name) for name in (target, hard_negative)]
        how = (work.clips, work.mined, work.settings, work.encode, work.verdicts)
        return list(explain(*how, *numbers))


def mine(
    clips: "PathLike | Batch | Sequence[PathLike] | Sequence[Record] | pl.DataFrame",
    vectors: PathLike | Batch | Vectors | None = None,
    *,
    purpose: Purpose = "eval",
    encoder: Encoder | str = "mini",
    text_encoder: Encoder | str = "mini",
    caption_vectors: PathLike | None = None,
    verdicts: PathLike | None = None,
    compare_sounds: bool = True,
    device: str = "auto",
    report: Report = raise_failure,
    watch: Callable[[int], Steps] | None = None,
    **options: Unpack[Options],
) -> MinedPairs:
    """Find hard negatives: clips that sound alike and whose captions differ.

    `clips` are an index, files of vectors or of records, records or a frame with `path` and
    `captions`, or a Batch. Sounds are encoded by `encoder`, unless `vectors` has theirs: a file, a
    Batch, or (n, dim) rows in the clips' order. Captions are encoded by `text_encoder`, or looked
    up in the file `caption_vectors`. The `options` are those of `oea mine-negatives`; `per_clip` is
    its -n, `num_pairs` its --pairs, `keep_all` its --all. `verdicts` is a file of people's.
    `watch`, called with the number of clips, returns what is called as the work goes on.

    Raises UsageError for settings that can give nothing, OeaError for what cannot be used: ids that
    come twice, vectors of two encoders, clips of which none has captions. A sound that cannot be
    encoded goes to `report`.
    """
    settings = _settings(options, purpose)
    settings.check()
    load = cache(partial(load_encoder, device=device))
    encode, text_encoder_id = _text_side(text_encoder, caption_vectors, load)
    failures = _Counted(report)
    found = read_clips(
        _sources(clips), _vectors(vectors), lambda: _loaded(encoder, load), failures.report
    )
    if found is None:
        return MinedPairs([])
    judged = None if verdicts is None else read_pair_verdicts(str(verdicts), found.ids)
    steps = None if watch is None else watch(len(found))
    mined = stages.mine(found, settings, encode, judged, compare_sounds=compare_sounds, steps=steps)
    made_by = mined_by(found, text_encoder_id, settings, mined)
    rows = (
        training_rows(found, mined, made_by)
        if purpose == "train"
        else pair_rows(found, mined, made_by, judged)
    )
    counts = statistics(found, text_encoder_id, settings, mined, failures.count)
    work = _Work(found, mined, settings, encode, judged)
    return MinedPairs(rows, counts, len(found), work)


class _Counted:
    """A Report that counts what goes through."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.count = 0

    def report(self, failure: Failure) -> None:
        self.count += 1
        self._report(failure)


def _settings(options: Options, purpose: Purpose) -> Settings:
    """The settings, with what depends on the purpose filled in."""
    per_clip, top_k = options.get("per_clip"), options.get("top_k")
    ratio = options.get("keep_ratio")
    if per_clip is None and (purpose == "train" or options.get("num_pairs") is None):
        per_clip = PER_CLIP[purpose]
    if top_k is None:
        top_k = NEIGHBOURS
        if purpose == "train":
            wide = options.get("range_min", 0) + NEIGHBOURS_PER_NEGATIVE * (per_clip or 1)
            top_k = max(NEIGHBOURS, wide)
    if ratio is None and purpose == "eval":
        ratio = KEEP_RATIO
    chosen: Any = {**options, "per_clip": per_clip, "top_k": top_k, "keep_ratio": ratio}
    try:
        return Settings(**chosen)
    except TypeError as error:
        unknown = sorted(options.keys() - Options.__annotations__.keys())
        raise UsageError(f"mine: no option {', '.join(unknown)}") from error


def _loaded(encoder: Encoder | str, load: Callable[[str], Encoder]) -> Encoder:
    return load(encoder) if isinstance(encoder, str) else encoder


def _text_side(
    encoder: Encoder | str, caption_vectors: PathLike | None, load: Callable[[str], Encoder]
) -> tuple[EncodeTexts, str]:
    """What encodes captions, and what it is called; first of all, since it may be missing."""
    if caption_vectors is not None:
        encode, encoder_id = caption_file(_named(caption_vectors))
        return encode, encoder_id or str(caption_vectors)
    loaded = _loaded(encoder, load)
    return partial(embed_texts, loaded), loaded.encoder_id


def _sources(clips: Any) -> Sources:
    """Names, records or vectors, as a list."""
    if isinstance(clips, Batch):
        return [clips]
    if isinstance(clips, str | Path):
        return [_named(clips)]
    if hasattr(clips, "iter_rows"):
        from oea_cli.records.columns import rows_of

        return list(rows_of(clips))
    return [item if isinstance(item, dict | Batch) else _named(item) for item in clips]


def _vectors(vectors: PathLike | Batch | Vectors | None) -> str | Batch | None:
    if isinstance(vectors, np.ndarray):
        return batch_of(vectors)
    return _named(vectors) if isinstance(vectors, Path) else vectors


def _named(source: PathLike) -> str:
    """A path as text; a name stays what it is, with the column that it may carry."""
    return str(source) if isinstance(source, Path) else source
