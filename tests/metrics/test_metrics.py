"""The metrics on cases counted by hand, their grammar, and a brute-force twin of the OEA ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oea_cli.errors import OeaError, UsageError
from oea_cli.metrics.metrics import (
    DEFINITIONS,
    check_applies,
    default_metrics,
    parse_metric,
    parse_metrics,
)
from oea_cli.metrics.outcomes import from_columns
from tests.metrics.outcome_rows import INF, outcomes_of, value


class TestHardNegatives:
    """Five queries: suppressed, lost, tied, beyond ten, without a hard negative."""

    outcomes = outcomes_of([[1], [4], [3], [12], [1]], [11, 2, 3, 40, None])

    @pytest.mark.parametrize(
        ("metric", "expected"),
        [
            ("hnsr", 2 / 4),  # 11 > 1 and 40 > 12; a tie is no success
            ("hnsr@10", 1 / 4),  # the fourth's target is beyond ten
            ("hnsr@2", 1 / 4),
            ("hnsr@11", 0.0),  # the hard negative of the first is at 11
            ("tfr", 1 / 4),  # the fifth has no hard negative and does not count
            ("tfr@10", 1 / 4),
            ("tfr@11", 0.0),
            ("delta-rank", (10 - 2 + 0 + 28) / 4),
            ("r@1", 2 / 5),
            ("r@5", 4 / 5),
            ("median-rank", 3.0),
            ("mrr", (1 + 1 / 4 + 1 / 3 + 1 / 12 + 1) / 5),
            ("mrr@10", (1 + 1 / 4 + 1 / 3 + 1) / 5),
        ],
    )
    def test_by_hand(self, metric: str, expected: float) -> None:
        assert value(metric, self.outcomes) == pytest.approx(expected)

    def test_several_rows_of_one_target_count_each(self) -> None:
        rows = outcomes_of([[2], [2], [1]], [5, 1, 9], clips=["a", "a", "b"])
        assert value("hnsr", rows) == pytest.approx(2 / 3)
        assert value("tfr", rows) == pytest.approx(1 / 3)

    def test_what_was_not_found(self) -> None:
        rows = outcomes_of([[INF], [1], [INF]], [3, INF, INF], depth=100)
        assert value("hnsr", rows) == pytest.approx(1 / 3)  # neither found is no success
        assert value("hnsr@10", rows) == pytest.approx(1 / 3)
        # A clip that was not ranked counts as the next one after the last: 101.
        assert value("delta-rank", rows) == pytest.approx((-98 + 100 + 0) / 3)
        assert value("median-rank", rows) == 101

    def test_without_hard_negatives_there_is_nothing_to_measure(self) -> None:
        metric = parse_metric("hnsr@10")
        with pytest.raises(OeaError, match="hnsr@10: no query has a hard negative"):
            check_applies(metric, metric.values(outcomes_of([[1]])))


class TestSeveralRelevant:
    """Relevant at places 1, 3, 6 of one query; one that was not found of another."""

    outcomes = outcomes_of([[6, 1, 3], [INF, 2]])

    @pytest.mark.parametrize(
        ("metric", "expected"),
        [
            ("r@3", (2 / 3 + 1 / 2) / 2),
            ("p@3", (2 / 3 + 1 / 3) / 2),
            ("success@1", 1 / 2),
            ("map", ((1 + 2 / 3 + 3 / 6) / 3 + (1 / 2) / 2) / 2),
            ("map@3", ((1 + 2 / 3) / 3 + (1 / 2) / 2) / 2),
            ("mrr", (1 + 1 / 2) / 2),
        ],
    )
    def test_by_hand(self, metric: str, expected: float) -> None:
        assert value(metric, self.outcomes) == pytest.approx(expected)

    def test_ndcg_with_grades(self) -> None:
        rows = outcomes_of([[1, 3]], gains=[[1.0, 3.0]])
        got = 1 / math.log2(2) + 3 / math.log2(4)
        best = 3 / math.log2(2) + 1 / math.log2(3)
        assert value("ndcg", rows) == pytest.approx(got / best)
        assert value("ndcg@2", rows) == pytest.approx(1 / best)

    def test_ties_among_relevant_clips_take_one_place_each(self) -> None:
        # Two relevant clips share rank 1, a third is below one irrelevant clip.
        rows = outcomes_of([[1, 1, 4]])
        assert rows.places.tolist() == [1, 2, 4]
        assert value("p@1", rows) == 1.0
        assert value("map", rows) == pytest.approx((1 + 1 + 3 / 4) / 3)

    def test_any_of_a_clips_captions_counts(self) -> None:
        rows = outcomes_of([[6, 1, 3]], any_target=True)
        assert value("r@1", rows) == 1.0


ranks = st.integers(1, 12)


@given(st.lists(st.tuples(ranks, ranks), min_size=1, max_size=30), st.integers(1, 12))
def test_oea_metrics_equal_their_definitions(pairs: list[tuple[int, int]], k: int) -> None:
    rows = outcomes_of([[target] for target, _ in pairs], [negative for _, negative in pairs])

    def share(is_met: list[bool]) -> float:
        return sum(is_met) / len(pairs)

    assert value("hnsr", rows) == pytest.approx(share([n > t for t, n in pairs]))
    assert value(f"hnsr@{k}", rows) == pytest.approx(share([t <= k < n for t, n in pairs]))
    assert value("tfr", rows) == pytest.approx(share([t == 1 for t, _ in pairs]))
    assert value(f"tfr@{k}", rows) == pytest.approx(share([t == 1 and n > k for t, n in pairs]))
    assert value("delta-rank", rows) == pytest.approx(sum(n - t for t, n in pairs) / len(pairs))
    assert value(f"r@{k}", rows) == pytest.approx(share([t <= k for t, _ in pairs]))


class TestGrammar:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("R@10", "r@10"),
            ("recall@5", "r@5"),
            ("recall_at_5", "r@5"),
            ("mAP", "map"),
            ("nDCG@10", "ndcg@10"),
            ("HNSR@10", "hnsr@10"),
            ("Delta-Rank", "delta-rank"),
            ("delta_rank", "delta-rank"),
            ("Median-Rank", "median-rank"),
            ("tfr", "tfr"),
            ("Success@3", "success@3"),
            (" p@3 ", "p@3"),
        ],
    )
    def test_as_people_type_it(self, typed: str, meant: str) -> None:
        assert str(parse_metric(typed)) == meant

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ("hsnr@10", "did you mean hnsr@10?"),
            ("ngcd@5", "did you mean ndcg@5?"),
            ("r10", "did you mean r@10?"),
            ("meanrank", "did you mean median-rank?"),
            ("r", "r needs a cutoff; write r@10"),
            ("delta-rank@10", "has no cutoff; write delta-rank"),
            ("r@0", "a cutoff must be 1 or more"),
            ("r@ten", "no such metric"),
            ("r@", "no such metric"),
            ("", "no such metric"),
        ],
    )
    def test_what_is_wrong_suggests_what_is_right(self, typed: str, says: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_metric(typed)
        assert says in str(caught.value)

    def test_each_metric_once_and_in_order(self) -> None:
        assert list(map(str, parse_metrics(["mrr", "R@1", "r@1", "recall@1"]))) == ["mrr", "r@1"]

    def test_every_spelling_parses_and_has_a_description(self) -> None:
        for name, definition in DEFINITIONS.items():
            spelling = definition.spelling.replace("@k", "@7")
            assert parse_metric(spelling).name == name
            assert definition.description and definition.description[-1] != "."

    def test_defaults_follow_from_the_outcomes(self) -> None:
        plain = list(map(str, default_metrics(outcomes_of([[1]]))))
        assert plain == ["r@1", "r@5", "r@10", "mrr", "median-rank"]
        assert "hnsr@10" in map(str, default_metrics(outcomes_of([[1]], [2])))
        assert "map@10" in map(str, default_metrics(outcomes_of([[1, 2]])))


def test_outcomes_survive_json_columns() -> None:
    rows = outcomes_of([[6, INF], [2]], [INF, None], gains=[[2.0, 1.0], [1.0]])
    again = from_columns(rows.columns(), "x.json")
    assert again.columns() == rows.columns()
    assert np.isposinf(again.hard_negative_ranks[0]) and np.isnan(again.hard_negative_ranks[1])
    for metric in ("map", "ndcg@10", "mrr"):
        assert value(metric, again) == value(metric, rows)
