"""NIST's own test data for trec_eval: the same figures to 4 decimals, per topic and overall."""

from pathlib import Path

import pytest

from oea_cli.evaluation.inputs.run_input import evaluate_run
from oea_cli.evaluation.inputs.trec_files import columns_of
from oea_cli.metrics.metrics import parse_metric, summary

NAMES = {"map": "map", "recip_rank": "mrr", "ndcg": "ndcg", "map_cut": "map", "P": "p"}
NAMES |= {"recall": "r", "ndcg_cut": "ndcg", "success": "success"}
# The unsorted run with ties, and a run without topic 302 averaged over all topics (-c).
CASES = [
    ("results.test", "out.test"),
    ("results.test", "out.test.a"),
    ("results.test", "out.test.aq"),
    ("results.test", "out.test.meas_params"),
    ("results.trunc", "out.test.aqc"),
]


def metric_of(name: str) -> str | None:
    """Our spelling of trec_eval's measure; None for one that we do not have."""
    if name in ("map", "recip_rank", "ndcg"):
        return NAMES[name]
    stem, _, k = name.rpartition("_")
    return f"{NAMES[stem]}@{k}" if stem in NAMES and k.isdecimal() else None


@pytest.mark.parametrize(("run", "output"), CASES)
def test_equal_to_the_official_output(shared_data: Path, run: str, output: str) -> None:
    folder = shared_data / "trec_eval"
    outcomes, _ = evaluate_run(str(folder / run), [], str(folder / "qrels.test"), "trec")
    official = columns_of((folder / output).read_bytes(), output, 3, "measure topic value")
    compared = set()
    for name, topic, value in zip(*(column.words() for column in official), strict=True):
        metric_name = metric_of(name.decode())
        if metric_name is None:
            continue
        metric = parse_metric(metric_name)
        values = metric.values(outcomes)
        ours = summary(metric, values)
        if topic != b"all":
            ours = float(values[outcomes.ids.index(topic.decode())])
        assert f"{ours:.4f}" == value.decode(), f"{name!r} of {topic!r}"
        compared.add(name)
    assert len(compared) >= 8, "map, recip_rank and several P_k are there"


def test_strict_ties_are_another_order(shared_data: Path) -> None:
    folder = shared_data / "trec_eval"
    files = (str(folder / "results.test"), [], str(folder / "qrels.test"))
    ndcg = parse_metric("ndcg@10")
    strict, trec = (ndcg.values(evaluate_run(*files, ties)[0]) for ties in ("strict", "trec"))
    assert strict.shape == trec.shape == (3,)
