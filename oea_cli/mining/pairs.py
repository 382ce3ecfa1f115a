"""Mined pairs as rows and as relevance judgments, and the counts of the stages."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from oea_cli import __version__
from oea_cli.clips.clip import Clip
from oea_cli.clips.pairs import HardNegativePair
from oea_cli.clips.verdicts import PairVerdicts
from oea_cli.mining.pool import Clips
from oea_cli.mining.stages import Mined, Settings
from oea_cli.records.ids import caption_id, trec_id
from oea_cli.records.json_lines import json_line
from oea_cli.records.rows import Record

QUERY_SUFFIXES = (".jsonl", ".ndjson")


def mined_by(clips: Clips, text_encoder: str, settings: Settings, mined: Mined) -> str:
    """What made the pairs, in one line: both encoders and the thresholds."""
    parts = [clips.encoder or "vectors of no named encoder", f"top {settings.top_k}"]
    if mined.threshold is not None:
        parts.append(f"acoustic >= {mined.threshold:g}")
    return "; ".join([*parts, text_encoder, f"text < {settings.max_text_similarity:g}"])


def pair_rows(
    clips: Clips, mined: Mined, made_by: str, verdicts: PairVerdicts | None
) -> list[Record]:
    """One row per pair, target by target, the most similar first."""
    pairs = mined.candidates
    rows = []
    for pair in mined.kept.tolist():
        target, negative = clips[pairs.targets[pair]], clips[pairs.negatives[pair]]
        verdict = verdicts.of(target.id, negative.id) if verdicts is not None else None
        found = HardNegativePair(
            target=target.id,
            hard_negative=negative.id,
            where="",
            captions=target.captions,
            hard_negative_captions=negative.captions,
            acoustic_score=float(pairs.acoustic[pair]),
            text_score=float(pairs.text[pair]),
            verdict=verdict.choice if verdict else None,
            annotators=verdict.annotators if verdict else (),
        )
        places = {**_place("", target), **_place("hard_negative_", negative)}
        rows.append({**found.as_row(places), "mined_by": made_by})
    return rows


def training_rows(clips: Clips, mined: Mined, made_by: str) -> list[Record]:
    """One row per clip that has any hard negative, the most similar first."""
    pairs = mined.candidates
    rows = []
    for target, group in groupby(mined.kept.tolist(), key=lambda pair: int(pairs.targets[pair])):
        own = list(group)
        negatives = pairs.negatives[own].tolist()
        rows.append(
            {
                "id": clips[target].id,
                **_place("", clips[target]),
                "captions": list(clips[target].captions),
                "negatives": [clips[clip].id for clip in negatives],
                "acoustic_scores": pairs.acoustic[own].tolist(),
                "text_scores": pairs.text[own].tolist(),
                "mined_by": made_by,
            }
        )
    return rows


def _place(prefix: str, clip: Clip) -> Record:
    """Where the sound is: its file, and its section of the file."""
    found = {
        key: clip.record[key]
        for key in ("path", "start", "end")
        if clip.record.get(key) is not None
    }
    return {f"{prefix}{key}": value for key, value in found.items()}


def caption_queries(rows: list[Record]) -> Iterator[Record]:
    """Every caption of a target as a query for it, with the pair's hard negative.

    The queries of a target's first pair have the ids that `oea eval` gives an index's captions,
    `ID#NUMBER`; those of further pairs have `ID#NUMBER/PAIR`.
    """
    for target, group in groupby(rows, key=lambda row: row["target"]):
        for place, row in enumerate(group, 1):
            for number, caption in enumerate(row["captions"], 1):
                id_ = caption_id(target, number) + (f"/{place}" if place > 1 else "")
                yield {
                    "id": id_,
                    "text": caption,
                    "target": target,
                    "hard_negative": row["hard_negative"],
                    "type": "caption",
                }


def qrels_lines(rows: list[Record]) -> Iterator[str]:
    """TREC qrels: a caption's clip is relevant (1), its hard negatives are judged not relevant (0).

    Queries have the ids that `oea eval` gives the captions of an index. Blanks in ids are
    percent-encoded, as in a TREC run.
    """
    for target, group in groupby(rows, key=lambda row: row["target"]):
        own = list(group)
        for number in range(1, len(own[0]["captions"]) + 1):
            query = trec_id(caption_id(target, number))
            yield f"{query} 0 {trec_id(target)} 1\n"
            for row in own:
                yield f"{query} 0 {trec_id(row['hard_negative'])} 0\n"


def judgments(name: str, rows: list[Record]) -> bytes:
    """The content of the `--qrels` file: X.jsonl holds whole queries, any other name TREC qrels."""
    if name.lower().endswith(QUERY_SUFFIXES):
        return b"".join(map(json_line, caption_queries(rows)))
    return "".join(qrels_lines(rows)).encode()


def statistics(
    clips: Clips, text_encoder: str, settings: Settings, mined: Mined, num_failed: int
) -> dict[str, Any]:
    """The counts of all stages with what made them, as `--stats` stores them."""
    kept = mined.candidates.targets[mined.kept]
    per_clip = np.bincount(kept, minlength=len(clips))
    found: dict[str, Any] = {
        "oea_version": __version__,
        "encoder": clips.encoder,
        "text_encoder": text_encoder,
        "settings": vars(settings),
        "clips": len(clips),
        "clips_without_captions": clips.without_captions,
        "clips_failed": num_failed,
        "sounds_compared": mined.duplicates.num_decoded,
        "acoustic_threshold": mined.threshold,
        "stages": mined.counts,
        "dropped": mined.dropped(),
        "clips_without_pairs": int((per_clip == 0).sum()),
    }
    if settings.per_clip is not None:
        found["clips_with_fewer_than_wanted"] = int((per_clip < settings.per_clip).sum())
    return found
