"""The paper's figures: every mean that it prints comes out of the figures it is the mean of."""

import dataclasses

import pytest

from oea_cli.clips.query_types import TYPE_OF
from oea_cli.errors import UsageError
from oea_cli.evaluation.paper.published import (
    DATASETS,
    compare,
    dataset_key,
    encoder_key,
    encoder_name,
    paper_table,
    source,
    unit_of,
)
from oea_cli.metrics.uiq_summary import average_uiq

TABLES = (2, 3, 4, 11, 12, 13, 14, 15, 16, 17)
TYPES = {12: "question", 13: "imperative", 14: "paraphrase", 15: "keyphrase"}
# Two decimals are printed, of figures that were rounded to two decimals themselves.
ROUNDING = 0.0101


def figure(table: int, encoder: str, dataset: str, metric: str) -> float | None:
    """A figure of the paper, the encoder and the dataset by any of their names."""
    found = paper_table(table)
    return found.value(encoder_key(encoder), dataset_key(dataset), metric.lower())


class TestTranscription:
    @pytest.mark.parametrize("number", TABLES)
    def test_every_row_is_complete_and_possible(self, number: int) -> None:
        table = paper_table(number)
        assert len(table.encoders) == {2: 13, 3: 13, 11: 13, 16: 6}.get(number, 10)
        assert len(table.cells) == len(table.encoders) * len(table.datasets) * len(table.metrics)
        for (encoder, _, metric), value in table.cells.items():
            assert encoder_name(encoder) != encoder
            assert 0 < value <= 100 or unit_of(metric) != "%"

    @pytest.mark.parametrize("number", [n for n in TABLES if n not in (4, 11, 16, 17)])
    def test_recall_grows_with_k(self, number: int) -> None:
        table = paper_table(number)
        for encoder in table.encoders:
            for dataset in table.datasets:
                found = [table.cells[encoder, dataset, f"r@{k}"] for k in (1, 5, 10)]
                assert found == sorted(found)

    @pytest.mark.parametrize(("number", "task"), [(2, "text-to-audio"), (3, "text-to-text")])
    def test_table_11_is_the_mean_of_tables_2_and_3(self, number: int, task: str) -> None:
        for encoder in paper_table(number).encoders:
            for metric in ("r@1", "r@5", "r@10"):
                mean = figure(number, encoder, "mean", metric)
                printed = figure(11, encoder, "mean", f"{task} {metric}")
                assert mean == pytest.approx(printed, abs=ROUNDING), (encoder, metric)

    @pytest.mark.parametrize("number", TYPES)
    def test_table_4_is_the_mean_of_tables_12_to_15(self, number: int) -> None:
        for encoder in paper_table(4).encoders:
            mean = figure(number, encoder, "mean", "r@5")
            printed = figure(4, encoder, "mean", f"{TYPES[number]} r@5")
            assert mean == pytest.approx(printed, abs=ROUNDING), encoder

    def test_avg_uiq_is_the_mean_of_five_recalls(self) -> None:
        for encoder in paper_table(4).encoders:
            cells = {
                (dataset, type): paper_table(number).cells[encoder, dataset, "r@5"]
                for number, type in TYPES.items()
                for dataset in DATASETS
            }
            negative = paper_table(17).cells[encoder, "mean", "r@5"]
            cells |= {(dataset, "negative"): negative for dataset in DATASETS}
            printed = paper_table(4).cells[encoder, "mean", "avg uiq"]
            scores = [(dataset, type, value) for (dataset, type), value in cells.items()]
            assert average_uiq(scores, TYPE_OF) == pytest.approx(printed, abs=ROUNDING), encoder

    def test_table_4s_hard_negatives_are_table_17s(self) -> None:
        for encoder in paper_table(4).encoders:
            there, here = (paper_table(n).cells[encoder, "mean", "hnsr@10"] for n in (17, 4))
            assert there == here

    def test_the_two_claims_of_the_abstract(self) -> None:
        ours = figure(17, "oea-nemo3b-cl", "mean", "tfr@10")
        theirs = figure(17, "m2d-clap", "mean", "tfr@10")
        assert ours is not None and theirs is not None
        assert 100 * (ours / theirs - 1) == pytest.approx(34.7, abs=0.05)
        ours = figure(4, "oea-qwen7b-cl", "mean", "hnsr@10")
        theirs = figure(4, "m2d-clap", "mean", "hnsr@10")
        assert ours is not None and theirs is not None
        assert ours - theirs == pytest.approx(4.3)


class TestLookingUp:
    @pytest.mark.parametrize(
        "name", ["oea-qwen3b-cl", "OEA-Qwen3B(+Cl)", "OEA-Qwen3B-Cl", "JudeJiwoo/OEA-Qwen3B-Cl"]
    )
    def test_an_encoder_by_any_of_its_names(self, name: str) -> None:
        assert figure(2, name, "Clotho", "R@1") == 22.87

    def test_other_names(self) -> None:
        assert encoder_key("JudeJiwoo/OEA-Nemo3B-AC") == "oea-nemo3b"
        assert encoder_key("omni:Qwen/Qwen2.5-Omni-7B") == "qwen2.5-omni-7b"
        assert encoder_key("Nemotron-3B (vanilla)") == "omni-embed-nemotron-3b"
        assert encoder_key("runs/Mine") == "runs/Mine"
        assert dataset_key("clotho_evaluation") == "clotho"
        assert dataset_key("My_Own") == "my_own"

    def test_an_encoder_without_a_row(self) -> None:
        assert figure(2, "mini", "clotho", "r@1") is None
        assert figure(12, "qwen2.5-omni-3b", "mean", "r@1") is None

    def test_a_table_that_is_not_carried(self) -> None:
        with pytest.raises(UsageError, match="Table 5 of the paper is not included"):
            paper_table(5)

    def test_the_source_is_named(self) -> None:
        assert "2604.18360" in source()


class TestOursBesideTheirs:
    def test_fractions_become_percentages(self) -> None:
        (row,) = compare({("oea-qwen3b", "clotho", "r@1"): 0.2}, 2)
        assert dataclasses.asdict(row) == {
            "table": 2,
            "encoder": "OEA-Qwen3B",
            "dataset": "clotho",
            "metric": "r@1",
            "ours": 20.0,
            "paper": 19.18,
            "difference": pytest.approx(0.82),
            "unit": "%",
        }

    def test_the_mean_is_there_when_all_datasets_are(self) -> None:
        ours = {
            ("mini", dataset, "r@5"): value
            for dataset, value in zip(DATASETS, (0.1, 0.2, 0.6), strict=True)
        }
        rows = compare({**ours, ("oea-nemo3b", "clotho", "r@5"): 0.5}, 2)
        assert [(row.encoder, row.dataset) for row in rows] == [
            ("OEA-Nemo3B", "clotho"),
            *(("mini", dataset) for dataset in (*DATASETS, "mean")),
        ]
        assert rows[-1].ours == pytest.approx(30)
        assert rows[-1].paper is rows[-1].difference is None

    def test_a_table_of_means_from_figures_per_dataset(self) -> None:
        name, slugs = "OEA-Qwen7B(+Cl)", ("audiocaps_test", "clotho_evaluation", "mecat")
        ours = {(name, slugs[i], "hnsr@10"): 0.4 - i / 10 for i in range(3)}
        ours |= {(name, slugs[i], "delta-rank"): 40 - 10 * i for i in range(3)}
        ranks, percent = compare(ours, 17)
        assert (ranks.metric, ranks.ours, ranks.paper, ranks.unit) == (
            "delta-rank",
            30,
            29.8,
            "ranks",
        )
        assert (percent.dataset, percent.paper, percent.unit) == ("mean", 34.6, "%")
        assert percent.ours == pytest.approx(30)

    def test_what_the_table_has_no_column_for_is_left_out(self) -> None:
        assert compare({("mini", "esc10", "r@1"): 0.1, ("mini", "clotho", "mrr"): 0.1}, 2) == []
        assert compare({("oea-qwen3b", dataset, "audio ms"): 1.0 for dataset in DATASETS}, 16) != []
