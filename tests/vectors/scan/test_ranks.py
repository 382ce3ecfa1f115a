"""Ranks of vectors: equal to sorting everything, ties exactly ties, whatever the block."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oea_cli.errors import OeaError
from oea_cli.vectors.arrays import Ties, Vectors
from oea_cli.vectors.opening import read_vectors
from oea_cli.vectors.rows import ArrayRows
from oea_cli.vectors.scan import ranks
from oea_cli.vectors.scan.candidates import Corpus
from oea_cli.vectors.scan.ranks import ranks_of
from oea_cli.vectors.scan.scores import cosines
from tests.vectors.batches import named, unit, write


def corpus_of(vectors: Vectors, parts: int = 3, ids: list[str] | None = None) -> Corpus:
    """A corpus in memory whose vectors came in several parts."""
    cuts = np.array_split(vectors, parts)
    rows = ArrayRows(cuts, vectors.shape[1])
    return Corpus(rows, ids or [f"c{row}" for row in range(len(vectors))], "corpus")


def counted(
    corpus: Corpus,
    vectors: Vectors,
    queries: Vectors,
    pairs: list[tuple[int, int]],
    hidden: np.ndarray,
    ties: Ties,
) -> list[int]:
    """How many candidates stand above each pair, by comparing all of them one by one."""
    names = np.array([id_.encode() for id_ in corpus.ids])
    found = []
    for owner, candidate in pairs:
        scores = cosines(vectors, np.repeat(queries[owner : owner + 1], len(vectors), axis=0))
        if corpus.starts is not None:
            scores = np.maximum.reduceat(scores, corpus.starts)
        above = scores > scores[candidate]
        if ties == "trec":
            above |= (scores == scores[candidate]) & (names > names[candidate])
        if hidden[owner] >= 0:
            above[hidden[owner]] = False
        found.append(int(above.sum()))
    return found


@settings(max_examples=60)
@given(st.data())
def test_equal_to_comparing_everything(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32 - 1))
    draws = np.random.default_rng(seed)
    num_rows, dim = data.draw(st.integers(1, 700)), data.draw(st.integers(1, 24))
    num_queries = data.draw(st.integers(1, 6))
    # Few distinct vectors among many rows: ties are the rule.
    distinct = unit(data.draw(st.integers(1, num_rows)), dim, seed=seed % 1000)
    vectors = distinct[draws.integers(0, len(distinct), num_rows)]
    queries = unit(num_queries, dim, seed=seed % 997)
    ids = None
    corpus = corpus_of(vectors)
    if data.draw(st.booleans()):
        ids = [f"{row // 3}#t={row}" for row in range(num_rows)]
        corpus = corpus_of(vectors, ids=ids).by_clip()
    count = data.draw(st.integers(1, 12))
    owners = np.sort(draws.integers(0, num_queries, count))
    candidates = draws.integers(0, len(corpus), count)
    hidden = np.where(draws.random(num_queries) < 0.5, draws.integers(0, len(corpus)), -1)
    ties: Ties = data.draw(st.sampled_from(["strict", "trec"]))
    found = ranks_of(corpus, queries, owners, candidates, hidden, ties)
    pairs = list(zip(owners.tolist(), candidates.tolist(), strict=True))
    expected = counted(corpus, vectors, queries, pairs, hidden, ties)
    assert found.above.tolist() == expected


def test_more_queries_than_one_scan_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "QUERIES_AT_ONCE", 16)
    vectors, queries = unit(900, 8, seed=1), unit(50, 8, seed=2)
    corpus = corpus_of(vectors)
    owners = np.repeat(np.arange(50), 2)
    candidates = np.random.default_rng(3).integers(0, 900, 100)
    found = ranks_of(corpus, queries, owners, candidates)
    pairs = list(zip(owners.tolist(), candidates.tolist(), strict=True))
    nothing = np.full(50, -1)
    assert found.above.tolist() == counted(corpus, vectors, queries, pairs, nothing, "strict")


def test_a_copy_of_the_target_is_a_tie_and_not_above_it() -> None:
    vectors = unit(5000, 64, seed=4)
    vectors[[17, 4100, 4999]] = vectors[2]
    queries = unit(40, 64, seed=5)
    owners, candidates = np.arange(40), np.full(40, 2)
    first = ranks_of(corpus_of(vectors), queries, owners, candidates)
    for copy in (17, 4100, 4999):
        other = ranks_of(corpus_of(vectors, parts=7), queries, owners, np.full(40, copy))
        assert np.array_equal(first.above, other.above)


class TestFiles:
    @pytest.mark.parametrize("name", ["c.npy", "c.parquet", "c.jsonl", "c/"])
    def test_every_format_ranks_alike(self, tmp_path: Path, name: str) -> None:
        vectors, queries = unit(300), unit(20, seed=6)
        output = f"{tmp_path}/{name}"
        write(output, named(300), vectors)
        corpus = read_vectors(output).candidates()
        assert corpus.ids[:2] == ["d/0.wav", "d/1.wav"]
        owners, candidates = np.arange(20), np.arange(20)
        expected = ranks_of(corpus_of(vectors), queries, owners, candidates)
        assert np.array_equal(ranks_of(corpus, queries, owners, candidates).above, expected.above)

    def test_half_precision_and_other_lengths(self, tmp_path: Path) -> None:
        vectors = unit(50)
        np.save(tmp_path / "c.npy", (vectors * 3).astype(np.float16))
        corpus = read_vectors(str(tmp_path / "c.npy")).candidates()
        found = corpus.rows.take(np.arange(50))
        assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
        assert np.allclose(found, vectors, atol=2e-3)

    @pytest.mark.parametrize(("bad", "says"), [(np.nan, "NaN"), (0.0, "all zeros")])
    def test_vectors_without_a_direction_are_named(
        self, tmp_path: Path, bad: float, says: str
    ) -> None:
        vectors = unit(50)
        vectors[33] = bad
        np.save(tmp_path / "c.npy", vectors)
        corpus = read_vectors(str(tmp_path / "c.npy")).candidates()
        with pytest.raises(OeaError, match=rf"c\.npy: the vector of '33' .*{says}"):
            ranks_of(corpus, unit(1), np.array([0]), np.array([0]))

    def test_ids_that_come_twice(self) -> None:
        with pytest.raises(OeaError, match="id 'a' occurs twice"):
            corpus_of(unit(3), ids=["a", "b", "a"])
