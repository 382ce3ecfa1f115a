"""An evaluation from Python gives the JSON of `oea eval`, and answers by metric."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import oea_cli as oea
from oea_cli.encoder.protocol import Encoder
from tests.commands.in_process import run

QUERIES = [
    {"id": "q1", "text": "a low tone", "target": "low.wav", "hard_negative": "high.wav"},
    {"id": "q2", "text": "beeps", "target": ["middle.wav", "highest.wav"]},
]


@pytest.fixture
def index(batch: oea.Batch) -> oea.Index:
    Path("q.jsonl").write_text("".join(json.dumps(query) + "\n" for query in QUERIES))
    return oea.build_index("x.oea", batch)


def document(results: oea.Results) -> dict[str, object]:
    """What is measured: not the libraries that happen to be loaded, nor the files' names."""
    found: dict[str, object] = json.loads(results.to_json())
    return {key: value for key, value in found.items() if key not in ("versions", "dataset")}


def test_an_index_as_the_verb_does(index: oea.Index, encoder: Encoder) -> None:
    rows = [{**query, "target": list(map(str, [query["target"]]))} for query in QUERIES[:1]]
    Path("frame.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, QUERIES[1]]))
    done = run(["eval", "--queries", "q.jsonl", "-i", "x.oea", "-f", "json"])
    expected = json.loads(done.stdout)
    del expected["versions"], expected["dataset"]
    for queries in ("q.jsonl", QUERIES, pl.read_ndjson("frame.jsonl")):
        results = oea.evaluate(queries=queries, index=index, encoder=encoder)
        assert document(results) == expected
        assert results.interval("R@1") == tuple(expected["intervals"]["r@1"])
        assert results["r@1"] == expected["metrics"]["r@1"]
    assert oea.evaluate(index="x.oea").metrics.keys() >= {"r@1", "mrr"}  # by its own captions


def test_vectors_in_files_and_in_memory(encoder: Encoder, batch: oea.Batch) -> None:
    texts = [{"id": q["id"], "text": q["text"], "target": q["target"]} for q in QUERIES]
    queries = oea.embed(encoder, texts)
    oea.write(queries, "q.npy")
    oea.write(batch, "c.parquet")
    files = oea.evaluate(queries="q.npy", corpus=Path("c.parquet"))
    memory = oea.evaluate(queries=queries, corpus=batch)
    assert document(files) == document(memory)
    assert files["r@10"] == 1.0
    bare = oea.evaluate(queries=batch.vectors.copy(), corpus=batch.vectors)
    assert bare["r@1"] == 1.0 and bare.frame["id"].to_list() == ["0", "1", "2", "3"]
    own = {id_: {id_: 1} for id_ in batch.ids}
    with pytest.raises(oea.OeaError, match="is itself the sound that it should find"):
        oea.evaluate(queries=batch, corpus=batch, qrels=own)


def test_a_run_in_a_file_and_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = {"q 1": {"a": 0.9, "b": 0.8}, "q2": {"a": 0.1, "b": 0.7}}
    qrels = {"q 1": {"b": 1, "c": 0}, "q2": {"b": 2}, "q3": {"a": 1}}
    lines = [f"{q.replace(' ', '%20')} Q0 {d} 0 {s} x" for q in run for d, s in run[q].items()]
    Path("run.trec").write_text("\n".join(lines))
    judgments = [{"id": query, "target": grades} for query, grades in qrels.items()]
    Path("qrels.jsonl").write_text("\n".join(map(json.dumps, judgments)))
    files = oea.evaluate(run="run.trec", qrels="qrels.jsonl")
    memory = oea.evaluate(run=run, qrels=qrels)
    assert document(files) == document(memory)
    assert memory["mrr"] == pytest.approx((1 / 2 + 1) / 3)
    assert memory.frame["target_rank"].to_list() == [2.0, 1.0, None]
    better = oea.evaluate(run={**run, "q3": {"a": 1.0}}, qrels=qrels, baseline=memory,
                          max_drop=["mrr=0"])  # fmt: skip
    assert better.passed and better.document["baseline"]["metrics"]["mrr"]["difference"] > 0
    gated = oea.evaluate(run=run, qrels=qrels, fail_under=["mrr=0.9"])
    assert not gated.passed and gated.document["gates"][0]["verdict"].startswith("FAIL")
    assert repr(memory).startswith("Results(3 queries: ")


def test_what_it_refuses(index: oea.Index, batch: oea.Batch, encoder: Encoder) -> None:
    run = {"q1": {"low.wav": 1.0}}
    for options, message in [
        ({}, "nothing to evaluate"),
        ({"index": index, "run": run}, "--index and --run cannot be combined"),
        ({"run": run}, "a run needs judgments"),
        ({"run": run, "qrels": {"q1": {"low.wav": 1}}, "metrics": ["r@x"]}, "r@x"),
        ({"run": run, "qrels": {"q9": {"low.wav": 1}}}, "holds none of the 1 judged queries"),
        ({"run": run, "qrels": {"q1": {}}}, "^qrels: no query has a relevant clip"),
        ({"queries": QUERIES, "corpus": batch}, "^queries: holds no vectors"),
        ({"queries": [{"id": "q", "text": "x", "target": "gone"}], "index": index}, "gone"),
    ]:
        with pytest.raises(oea.OeaError, match=message):
            oea.evaluate(**options, **({"encoder": encoder} if "index" in options else {}))
    results = oea.evaluate(run=run, qrels={"q1": {"low.wav": 1}}, metrics=["r@1"])
    with pytest.raises(oea.OeaError, match=r"^mrr: not measured; there are r@1$"):
        results["mrr"]


def test_a_query_that_cannot_be_encoded_is_reported(index: oea.Index, encoder: Encoder) -> None:
    queries = [*QUERIES, {"id": "q3", "path": "gone.wav", "target": "low.wav"}]
    failures: list[oea.Failure] = []
    results = oea.evaluate(queries=queries, index=index, encoder=encoder, report=failures.append)
    assert [failure.id for failure in failures] == ["q3"] and len(results.outcomes) == 3
    with pytest.raises(oea.OeaError, match=r"gone\.wav"):
        oea.evaluate(queries=queries, index=index, encoder=encoder)
    assert np.isnan(results.frame["target_score"].to_numpy()[-1])
