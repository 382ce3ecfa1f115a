"""Mining from Python gives the pairs of `oea mine-negatives`."""

import json
from pathlib import Path

import polars as pl
import pytest

import oea_cli as oea
from oea_cli.encoder.protocol import Encoder
from tests.commands.in_process import run


def test_pairs_and_counts_are_those_of_the_verb(
    batch: oea.Batch, encoder: Encoder, tiny_encoder: Path
) -> None:
    oea.write(batch, "v.jsonl")
    options = ["--text-model", tiny_encoder, "--max-text-similarity", "1.1", "-n", "2"]
    done = run(["mine-negatives", "v.jsonl", *options, "-o", "pairs.jsonl"])
    assert done.returncode == 0, done.stderr
    expected = list(map(json.loads, Path("pairs.jsonl").read_text().splitlines()))
    for clips in ("v.jsonl", batch):
        mined = oea.mine(clips, text_encoder=encoder, max_text_similarity=1.1, per_clip=2)
        assert mined.rows == expected and list(mined) == expected
        assert dict(mined.statistics) == json.loads(Path("pairs.stats.json").read_text())
    assert len(mined.frame) == len(mined) == len(expected) > 0
    pair = expected[0]
    assert any("acoustic" in line for line in mined.explain(pair["target"], pair["hard_negative"]))
    assert mined.judgments("q.txt").startswith(pair["target"].encode() + b"#1 0 ")


def test_records_with_vectors_of_their_own(
    batch: oea.Batch, records: list[dict[str, object]], encoder: Encoder
) -> None:
    how = {"text_encoder": encoder, "max_text_similarity": 1.1}
    expected = oea.mine(batch, **how).frame.select("target", "hard_negative", "acoustic_score")
    oea.write(batch, "v.npy")
    for clips in (records, pl.DataFrame(records)):
        for vectors in (batch, batch.vectors, Path("v.npy"), None):
            mined = oea.mine(clips, vectors, encoder=encoder, **how)
            found = mined.frame.select("target", "hard_negative", "acoustic_score")
            assert found.equals(expected), type(vectors)


def test_for_training(batch: oea.Batch, encoder: Encoder) -> None:
    mined = oea.mine(batch, purpose="train", text_encoder=encoder, max_text_similarity=1.1)
    assert {"id", "negatives"} <= mined.rows[0].keys()


def test_what_it_refuses(batch: oea.Batch, records: list[dict[str, object]]) -> None:
    for options, message in [
        ({"range_min": 30}, "--range-min 30"),
        ({"top_n": 3}, "^mine: no option top_n"),
        ({"vectors": batch.vectors[:3]}, "3 vectors without ids, but 4 records"),
    ]:
        with pytest.raises(oea.OeaError, match=message):
            oea.mine(records, text_encoder="mini", **options)


def test_nothing_gives_no_pairs(encoder: Encoder) -> None:
    mined = oea.mine([], text_encoder=encoder, encoder=encoder)
    assert len(mined) == 0 and not mined.counts
