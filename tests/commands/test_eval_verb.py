"""`oea eval` as a user runs it: every input, every task, and one line for everything wrong.

Texts are encoded by a tiny encoder with random weights, through the production path.
Run: pytest tests/test_eval_verb.py
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oea_cli.encoder.protocol import Encoder
from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index
from oea_cli.vectors.index.index import VectorIndex
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment
from tests.vectors.batches import unit, write

Results = dict[str, Any]
WORDS = ["a dog barks", "rain falls", "rain falls on a dog", "a user", "helpful system", "a query"]
RUN = "q1 Q0 a 1 0.9 x\nq1 Q0 b 2 0.8 x\nq1 Q0 c 3 0.8 x\nq2 Q0 b 1 0.7 x\nq2 Q0 a 2 0.6 x\n"
QRELS = "q1 0 b 1\nq2 0 a 1\nq3 0 c 1\n"


def lines(path: Path, rows: Sequence[Results]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def results(done: Completed) -> Results:
    assert done.returncode == 0, done.stderr
    found: Results = json.loads(done.stdout)
    return found


def error(done: Completed, code: int = 1) -> str:
    """The one line that a failure says."""
    assert done.returncode == code, done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
    said = done.stderr.strip().splitlines()
    assert len(said) == 1 and said[0].startswith("oea eval: "), done.stderr
    return said[0].removeprefix("oea eval: ")


@pytest.fixture
def ranking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, which is the working one, with run.trec and qrels.txt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.trec").write_text(RUN)
    (tmp_path / "qrels.txt").write_text(QRELS)
    return tmp_path


SCORED = ["eval", "--run", "run.trec", "--qrels", "qrels.txt"]


class TestRuns:
    def test_a_pipe_of_programs(self, oea: Callable[..., Completed], ranking: Path) -> None:
        done = oea(["eval", "--run", "-", "--qrels", "qrels.txt"], cwd=ranking, input=RUN)
        found, expected = results(done), results(run(SCORED))
        assert found["metrics"] == expected["metrics"] and found["counts"] == expected["counts"]

    def test_a_query_that_is_missing_counts_as_not_found(self, ranking: Path) -> None:
        done = run([*SCORED, "-M", "r@1", "-M", "r@2", "-M", "mrr", "-M", "median-rank"])
        found = results(done)
        assert found["metrics"] == {
            "r@1": 0.0,
            "r@2": pytest.approx(2 / 3),
            "mrr": pytest.approx(1 / 3),
            "median-rank": 2.0,
        }
        assert found["counts"]["missing_queries"] == 1
        assert found["per_query"]["target_rank"] == [2, 2, None]
        assert "1 query missing from the run: counted as not found" in done.stderr

    def test_ties(self, ranking: Path) -> None:
        # b and c are tied: by trec_eval's rule c, the greater id, comes first.
        trec = results(run([*SCORED, "-M", "mrr", "--ties", "trec"]))
        assert trec["per_query"]["target_rank"] == [3, 2, None]
        assert trec["protocol"]["ties"] == "trec"

    @pytest.mark.parametrize(
        "qrels",
        [
            "query-id\tcorpus-id\tscore\nq1\tb\t1\nq2\ta\t1\nq3\tc\t1\n",
            '{"id": "q1", "target": "b"}\n{"id": "q2", "target": ["a"]}\n'
            '{"id": "q3", "target": {"c": 1, "z": 0}}\n',
            "q1 b 1\nq2 a 1\nq3 c 1\n",
        ],
    )
    def test_judgments_in_other_formats(self, ranking: Path, qrels: str) -> None:
        expected = results(run([*SCORED]))
        (ranking / "other").write_text(qrels)
        found = results(run(["eval", "--run", "run.trec", "--qrels", "other"]))
        assert found == {**expected, "dataset": "other"}

    def test_runs_in_other_formats(self, ranking: Path) -> None:
        expected = results(run([*SCORED]))
        rows = [line.split() for line in RUN.splitlines()]
        (ranking / "three").write_text("".join(f"{q} {d} {s}\n" for q, _, d, _, s, _ in rows))
        lines(
            ranking / "hits",
            [{"query_id": q, "rank": 1, "id": d, "score": float(s)} for q, _, d, _, s, _ in rows],
        )
        (ranking / "junk").write_text(RUN.replace(" x\n", " x and more\n", 2) + "\n\n")
        for name in ("three", "hits", "junk"):
            assert results(run(["eval", "--run", name, "--qrels", "qrels.txt"])) == expected, name

    def test_hard_negatives_come_from_queries(self, ranking: Path) -> None:
        queries = [
            {"id": "q1", "text": "x", "target": "a", "hard_negative": "b"},
            {"id": "q2", "text": "y", "target": "a", "hard_negative": "b"},
        ]
        lines(ranking / "q.jsonl", queries)
        arguments = ["eval", "--run", "-", "--queries", "q.jsonl", "-M", "hnsr", "-M", "tfr@1"]
        found = results(run(arguments, input=RUN))
        assert found["metrics"] == {"hnsr": 0.5, "tfr@1": 0.5}

    def test_ids_with_blanks_are_found_as_a_run_writes_them(self, ranking: Path) -> None:
        (ranking / "run.trec").write_text("a%20query Q0 Santa%20Motor.wav 1 0.5 oea\n")
        lines(ranking / "q.jsonl", [{"id": "a query", "target": "Santa Motor.wav"}])
        found = results(run(["eval", "--run", "run.trec", "--queries", "q.jsonl", "-M", "r@1"]))
        assert found["metrics"] == {"r@1": 1.0}

    def test_many_lines_in_pieces(self, ranking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from oea_cli.evaluation.inputs import trec_files

        expected = results(run([*SCORED]))
        monkeypatch.setattr(trec_files, "CHUNK_BYTES", 20)
        assert results(run([*SCORED])) == expected

    def test_neither_torch_nor_polars_nor_scipy_is_imported(self, ranking: Path) -> None:
        code = (
            "import sys\nfrom oea_cli.main import app\n"
            f"try:\n    app({SCORED!r})\nexcept SystemExit:\n    pass\n"
            "print([m for m in ('torch', 'polars', 'scipy', 'soundfile') if m in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=clean_environment()
        )
        assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


class TestVectors:
    def test_bare_matrices_pair_row_by_row(self, ranking: Path) -> None:
        vectors = unit(30)
        np.save("c.npy", vectors)
        np.save("q.npy", vectors)
        found = results(run(["eval", "--queries", "q.npy", "--corpus", "c.npy", "-M", "r@1"]))
        assert found["metrics"] == {"r@1": 1.0} and found["counts"]["corpus"] == 30
        # The corpus has ids of its own, and as many rows.
        write("named.parquet", [{"id": f"clip {n}"} for n in range(30)], vectors, encoder=None)
        done = run(["eval", "--queries", "q.npy", "--corpus", "named.parquet", "-M", "r@1"])
        assert results(done)["metrics"] == {"r@1": 1.0}

    def test_targets_and_hard_negatives_of_records(self, ranking: Path) -> None:
        vectors = unit(40, seed=1)
        write("c.npy", [{"id": f"d/{n}.wav"} for n in range(40)], vectors)
        rows = [
            {"id": "q1", "target": "d/3.wav", "hard_negative": "d/4.wav", "type": "negative"},
            {"id": "q2", "target": ["d/5.wav", "d/6.wav"], "type": "question"},
        ]
        write("q.jsonl", rows, np.stack([vectors[3], vectors[6]]))
        found = results(run(["eval", "--queries", "q.jsonl", "--corpus", "c.npy"]))
        per_query = found["per_query"]
        assert per_query["target_rank"] == [1, 1]
        assert per_query["hard_negative_rank"][0] > 1 and per_query["hard_negative_rank"][1] is None
        assert per_query["target_score"] == [pytest.approx(1), pytest.approx(1)]
        assert per_query["targets"] == [["d/3.wav"], ["d/5.wav", "d/6.wav"]]
        assert found["metrics"]["hnsr"] == 1.0 and "map@10" in found["metrics"]
        assert [(group["type"], group["queries"]) for group in found["groups"]] == [
            ("negative", 1),
            ("question", 1),
        ]

    def test_names_without_suffix_and_folder_mean_the_clip(self, ranking: Path) -> None:
        vectors = unit(4)
        write("c.npy", [{"id": f"audio/Clip {n}.wav"} for n in range(4)], vectors)
        write("q.jsonl", [{"id": "q", "target": "Clip 2"}], vectors[2:3])
        found = results(run(["eval", "--queries", "q.jsonl", "--corpus", "c.npy", "-M", "r@1"]))
        assert found["metrics"] == {"r@1": 1.0}

    def test_windows_count_as_one_clip(self, ranking: Path) -> None:
        vectors = unit(9, seed=2)
        names = [f"{n // 3}.wav#t={n % 3 * 10},{n % 3 * 10 + 10}" for n in range(9)]
        write("c.npy", [{"id": name} for name in names], vectors)
        write("q.jsonl", [{"id": "q", "target": "2.wav"}], vectors[7:8])
        found = results(run(["eval", "--queries", "q.jsonl", "--corpus", "c.npy", "-M", "r@1"]))
        assert found["metrics"] == {"r@1": 1.0} and found["counts"]["corpus"] == 3
        # A query that names a window is answered by windows.
        write("q.jsonl", [{"id": "q", "target": names[8]}], vectors[7:8])
        found = results(run(["eval", "--queries", "q.jsonl", "--corpus", "c.npy", "-M", "r@1"]))
        assert found["metrics"] == {"r@1": 0.0} and found["counts"]["corpus"] == 9

    def test_missing_targets_can_be_allowed(self, ranking: Path) -> None:
        vectors = unit(5)
        write("c.npy", [{"id": f"{n}"} for n in range(5)], vectors)
        rows = [
            {"id": "a", "target": "1", "hard_negative": "gone"},
            {"id": "b", "target": "lost", "hard_negative": "2"},
        ]
        write("q.jsonl", rows, vectors[1:3])
        files = ["eval", "--queries", "q.jsonl", "--corpus", "c.npy", "-M", "r@5", "-M", "hnsr"]
        said = error(run(files))
        assert "hard negative 'gone' of query 'a' is not in c.npy (2 of 2" in said
        found = results(run([*files, "--allow-missing"]))
        assert found["metrics"] == {"r@5": 0.5, "hnsr": 0.5}

    def test_queries_from_stdin(self, ranking: Path) -> None:
        vectors = unit(12)
        np.save("c.npy", vectors)
        done = run(
            ["eval", "--queries", "-", "--corpus", "c.npy", "-M", "r@1"],
            input=Path("c.npy").read_bytes(),
        )
        assert results(done)["metrics"] == {"r@1": 1.0}


def captions() -> tuple[list[Results], Vectors]:
    """Three clips with two captions each, one with one; captions of a clip are near each other."""
    clips, near = unit(4, 24, seed=9), unit(7, 24, seed=10)
    rows = [{"id": f"c{n // 2}.wav#{n % 2 + 1}", "clip": f"c{n // 2}.wav"} for n in range(7)]
    vectors = clips[[0, 0, 1, 1, 2, 2, 3]] + 0.3 * near
    return rows, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class TestTasks:
    @pytest.fixture
    def made(self, ranking: Path) -> Path:
        rows, vectors = captions()
        write("captions.npy", rows, vectors)
        write("clips.npy", [{"id": f"c{n}.wav"} for n in range(4)], unit(4, 24, seed=9))
        return ranking

    def test_text_to_audio_asks_with_every_caption(self, made: Path) -> None:
        files = ["eval", "--queries", "captions.npy", "--corpus", "clips.npy", "-M", "r@1"]
        found = results(run(files))
        assert found["metrics"]["r@1"] == 1.0 and found["counts"]["queries"] == 7
        assert found["counts"]["clusters"] == 4
        one = results(run([*files, "--captions", "one", "--seed", "5"]))
        assert one["counts"]["queries"] == 4 and one["protocol"]["captions_seed"] == 5
        assert (
            one["per_query"]["id"]
            == results(run([*files, "--captions", "one", "--seed", "5"]))["per_query"]["id"]
        )

    def test_audio_to_text_takes_the_best_of_the_clips_captions(self, made: Path) -> None:
        task = ["--task", "audio-to-text", "-M", "r@1", "-M", "map", "-M", "p@2"]
        found = results(run(["eval", "--queries", "clips.npy", "--corpus", "captions.npy", *task]))
        assert found["counts"]["queries"] == 4 and found["counts"]["corpus"] == 7
        assert found["metrics"] == {"r@1": 1.0, "map": 1.0, "p@2": pytest.approx(7 / 8)}
        assert found["protocol"]["candidates"] == "captions"

    def test_text_to_text_hides_the_query_and_skips_single_captions(self, made: Path) -> None:
        done = run(["eval", "--corpus", "captions.npy", "--task", "text-to-text", "-M", "r@1"])
        found = results(done)
        assert found["metrics"] == {"r@1": 1.0}
        assert found["counts"]["queries"] == 6
        assert found["counts"]["skipped_single_caption"] == 1
        assert "1 clip with a single caption: left out" in done.stderr
        assert "c0.wav#1" not in found["per_query"]["targets"][0]

    def test_audio_to_audio_hides_the_query(self, made: Path) -> None:
        rows = [{"id": "c0.wav", "target": ["c1.wav", "c2.wav", "c3.wav"]}]
        write("q.jsonl", rows, unit(4, 24, seed=9)[:1])
        task = ["--task", "audio-to-audio", "-M", "map", "-M", "r@3"]
        found = results(run(["eval", "--queries", "q.jsonl", "--corpus", "clips.npy", *task]))
        assert found["metrics"] == {"map": 1.0, "r@3": 1.0}


@pytest.fixture(scope="session")
def texts(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of six texts, as if they were clips; each one's captions are it and another."""
    folder = tmp_path_factory.mktemp("texts") / "texts.oea"
    records = [
        {"id": f"t{n}.wav", "captions": [word, f"{word} and more"]} for n, word in enumerate(WORDS)
    ]
    build_index(
        folder,
        [Batch(records, encoder.encode_text(WORDS))],
        dim=encoder.dim,
        encoder=encoder.encoder_id,
    )
    return folder


class TestIndexes:
    def test_queries_are_encoded_by_the_indexs_encoder(self, texts: Path) -> None:
        rows = [{"id": f"q{n}", "text": word, "target": f"t{n}"} for n, word in enumerate(WORDS)]
        content = "".join(json.dumps(row) + "\n" for row in rows)
        found = results(run(["eval", "--queries", "-", "-i", texts, "-M", "r@1"], input=content))
        assert found["metrics"] == {"r@1": 1.0}
        assert found["encoder"] == VectorIndex.open(texts).encoder
        assert found["protocol"]["search"] == "exact"

    def test_what_encoded_the_queries_is_named_where_an_index_names_nothing(
        self, texts: Path, tiny_encoder: Path, encoder: Encoder, tmp_path: Path
    ) -> None:
        records = [{"id": f"t{n}", "captions": [word]} for n, word in enumerate(WORDS)]
        batch = Batch(records, encoder.encode_text(WORDS))
        build_index(tmp_path / "n.oea", [batch], dim=encoder.dim, encoder=None)
        rows = [{"id": f"q{n}", "text": word, "target": f"t{n}"} for n, word in enumerate(WORDS)]
        queries = ["--queries", lines(tmp_path / "q.jsonl", rows)]
        by_text = ["-i", tmp_path / "n.oea", "-m", tiny_encoder, "-M", "r@1"]
        for more in (queries, [], ["--task", "audio-to-text"]):
            found = results(run(["eval", *by_text, *more]))
            assert (found["encoder"], found["metrics"]) == (encoder.encoder_id, {"r@1": 1.0})
        vectors = str(tmp_path / "v.jsonl")
        for named, expected in ((None, None), (encoder.encoder_id, encoder.encoder_id)):
            write(vectors, [{"id": "q", "target": "t1"}], unit(1, encoder.dim), encoder=named)
            given = ["eval", "--queries", vectors, "-i", tmp_path / "n.oea", "-M", "r@1"]
            assert results(run(given))["encoder"] == expected

    def test_uiq_rows_are_read_as_they_are(self, texts: Path, tmp_path: Path) -> None:
        rows: list[Results] = [
            {
                "audio_id": "t1",
                "dataset": "clotho",
                "query_type": "negative",
                "negative_query": "rain falls",
                "original_captions": ["rain falls", "rain falls and more"],
                "negative_captions": ["a dog barks", "a dog barks and more"],
            },
            {
                "audio_id": "t0.wav",
                "dataset": "clotho",
                "query_type": "question",
                "generated_query": "a dog barks",
                "original_captions": ["a dog barks", "a dog barks and more"],
            },
        ]
        for number, row in enumerate(rows):
            lines(tmp_path / f"{number}.jsonl", [row])
        files = ["--queries", tmp_path / "0.jsonl", "--queries", tmp_path / "1.jsonl"]
        found = results(run(["eval", *files, "-i", texts, "-M", "r@1", "-M", "hnsr"]))
        assert found["metrics"] == {"r@1": 1.0, "hnsr": 1.0}
        assert found["per_query"]["hard_negative"] == ["t0.wav", None]

    @pytest.mark.parametrize(
        ("task", "queries", "corpus"),
        [("text-to-audio", 12, 6), ("audio-to-text", 6, 12), ("text-to-text", 12, 12)],
    )
    def test_without_queries_the_index_asks(
        self, texts: Path, task: str, queries: int, corpus: int
    ) -> None:
        counts = results(run(["eval", "-i", texts, "--task", task, "-M", "r@1"]))["counts"]
        assert (counts["queries"], counts["corpus"]) == (queries, corpus)

    def test_texts_find_captions(self, texts: Path, tmp_path: Path) -> None:
        rows = lines(tmp_path / "q.jsonl", [{"id": "q", "text": WORDS[2], "target": "t2.wav"}])
        task = ["--task", "text-to-text", "-M", "r@1"]
        found = results(run(["eval", "--queries", rows, "-i", texts, *task]))
        assert found["metrics"] == {"r@1": 1.0} and found["counts"]["corpus"] == 12

    def test_a_query_without_text_is_the_clip_of_its_id(self, texts: Path, tmp_path: Path) -> None:
        rows = lines(tmp_path / "q.jsonl", [{"id": "t0.wav", "target": ["t1.wav", "t2.wav"]}])
        task = ["--task", "audio-to-audio", "-M", "r@5"]
        found = results(run(["eval", "--queries", rows, "-i", texts, *task]))
        assert found["metrics"] == {"r@5": 1.0}
        assert max(found["per_query"]["places"][0]) <= 5

    def test_a_sound_that_cannot_be_read_counts_as_not_found(
        self, texts: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "broken.wav").write_bytes(b"no sound")
        rows = [
            {"id": "q", "path": "broken.wav", "target": "t1.wav"},
            {"id": "t0", "text": WORDS[0], "target": "t0.wav"},
        ]
        done = run(["eval", "--queries", lines(tmp_path / "q.jsonl", rows), "-i", texts])
        assert done.returncode == 3 and "broken.wav" in done.stderr
        found = json.loads(done.stdout)
        assert found["metrics"]["r@1"] == 0.5 and found["counts"]["queries_not_encoded"] == 1

    def test_vectors_of_another_encoder_are_refused(self, texts: Path, tmp_path: Path) -> None:
        dim = VectorIndex.open(texts).dim
        write(str(tmp_path / "q.jsonl"), [{"id": "q", "target": "t1"}], unit(1, dim), encoder="x:1")
        assert "embed both with" in error(
            run(["eval", "--queries", tmp_path / "q.jsonl", "-i", texts])
        )

    def test_what_an_index_lacks(self, texts: Path, tmp_path: Path) -> None:
        build_index(tmp_path / "n.oea", [Batch([{"id": "a"}], unit(1, 8))], dim=8, encoder=None)
        assert "name no encoder" in error(run(["eval", "-i", tmp_path / "n.oea"]))
        assert "no such index" in error(run(["eval", "-i", tmp_path / "gone.oea"]))
        rows = lines(tmp_path / "q.jsonl", [{"id": "q", "text": "x", "target": "no.wav"}])
        said = error(run(["eval", "--queries", rows, "-i", texts]))
        assert said.startswith(f"{rows}:1: target 'no.wav' of query 'q' is not in {texts}")


class TestWrongInputs:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("", "the run is empty"),
            ("\n \n", "the run is empty"),
            ("q1 Q0 a 1 0.9 x\nq1 Q0 b\n", "run:2: expected `query Q0 document"),
            (
                "q1 Q0 a 1 0.9 x\n\nq1 Q0 b 2 nan x\n",
                "run:3: score must be a finite number; got 'nan'",
            ),
            ("q1 Q0 a 1 high x\n", "run:1: score must be a finite number; got 'high'"),
            ("q1 Q0 a 1 0.9 x\nq1 Q0 a 2 0.8 x\n", "'a' is listed twice for query 'q1'"),
            ("z Q0 a 1 0.9 x\n", "holds none of the 3 judged queries, such as 'q1'; its queries"),
            (
                '{"query_id": "q1", "id": "a", "score": 1}\n{"id": 1}\n',
                "run:2: no 'query_id'; a hit of `oea search` has 'query_id', 'id' and 'score'",
            ),
            (
                '{"query_id": "q1", "id": "a", "score": "x"}\n',
                "run:1: 'score' must be a number; got 'x'",
            ),
            ('{"query_id": "q1",\n', "run:1: not JSON"),
        ],
    )
    def test_runs(self, ranking: Path, content: str, says: str) -> None:
        (ranking / "run").write_text(content)
        assert says in error(run(["eval", "--run", "run", "--qrels", "qrels.txt"]))

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ('{"id": "q1", "target": "a"}\n{"id": "q2", "t\n', "q.jsonl:2: not JSON"),
            ('{"id": "q1", "target": "a"}\n' * 2, "q.jsonl:2: query id 'q1' was used at q.jsonl:1"),
            ('{"id": "q1", "text": "x"}\n', "no query has a relevant clip, such as q.jsonl:1"),
            ('{"id": "q1", "target": {"a": "x"}}\n', "q.jsonl:1: 'target' grades a clip 'x'"),
            (
                '{"id": "q1", "target": [["a"]]}\n',
                "q.jsonl:1: 'target' must be text or a number; got ['a']",
            ),
            ('{"id": "q1", "target": "a", "hard_negative": []}\n', "q.jsonl:1: 'hard_negative'"),
        ],
    )
    def test_queries(self, ranking: Path, content: str, says: str) -> None:
        (ranking / "q.jsonl").write_text(content)
        assert says in error(run(["eval", "--run", "run.trec", "--queries", "q.jsonl"]))

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("", "no query has a relevant clip"),
            ("q1 0 a 1\nq2 0\n", "qrels:2: expected `query 0 document grade`; got 'q2 0'"),
            ("q1 0 a yes\n", "grade 'yes' of 'a' is not a number"),
            ("q1 0 a 1\nq1 0 a 0\n", "'a' is judged twice for query 'q1'"),
            ("q1 0 a 0\n", "no query has a relevant clip"),
        ],
    )
    def test_qrels(self, ranking: Path, content: str, says: str) -> None:
        (ranking / "qrels").write_text(content)
        assert says in error(run(["eval", "--run", "run.trec", "--qrels", "qrels"]))

    @pytest.mark.parametrize(
        ("extra", "says"),
        [
            (["-M", "hsnr@10"], "hsnr@10: no such metric; did you mean hnsr@10?"),
            (["-M", "r@1", "--fail-under", "r@5=0.3"], "r@5 is not computed; add -M r@5"),
            (["--fail-under", "hnsr@10=0.3"], "hnsr@10 is not computed"),
            (["--fail-under", "r@5=30"], "is a fraction from 0 to 1; did you mean r@5=0.3?"),
            (["--fail-under", "r@5"], "must be METRIC=NUMBER"),
            (["--fail-under", "r@5=nan"], "must be METRIC=NUMBER"),
            (["--max-drop", "r@5=0.1"], "give --baseline FILE"),
            (["--corpus", "c.npy"], "--corpus and --run cannot be combined"),
            (["-o", "x.pdf"], "name it X.json"),
            (["--queries", "-", "--qrels", "-"], "stdin can be read once"),
        ],
    )
    def test_usage(self, ranking: Path, extra: list[str], says: str) -> None:
        assert says in error(run([*SCORED, *extra]), code=2)

    def test_a_metric_that_applies_to_nothing(self, ranking: Path) -> None:
        assert "no query has a hard negative" in error(run([*SCORED, "-M", "hnsr@10"]))

    @pytest.mark.parametrize(("bad", "says"), [(np.nan, "NaN"), (0, "all zeros")])
    @pytest.mark.parametrize("where", ["c.npy", "q.npy"])
    def test_vectors_without_direction(
        self, ranking: Path, where: str, bad: float, says: str
    ) -> None:
        for name in ("c.npy", "q.npy"):
            vectors = unit(5)
            if name == where:
                vectors[3] = bad
            np.save(name, vectors)
        said = error(run(["eval", "--queries", "q.npy", "--corpus", "c.npy"]))
        assert f"{where}: the vector of '3'" in said and says in said

    def test_vectors_that_do_not_match(self, ranking: Path) -> None:
        np.save("c.npy", unit(5, 16))
        np.save("q.npy", unit(5, 8))
        files = ["eval", "--queries", "q.npy", "--corpus", "c.npy"]
        assert "vectors of 8 dimensions, c.npy has 16" in error(run(files))
        write("a.jsonl", [{"id": "0"}], unit(1), encoder="one:aa")
        write("b.jsonl", [{"id": "0"}], unit(1), encoder="two:bb")
        said = error(run(["eval", "--queries", "a.jsonl", "--corpus", "b.jsonl"]))
        assert "made by one:aa, b.jsonl by two:bb" in said
        assert "needs --queries" in error(run(["eval", "--corpus", "c.npy"]), code=2)
        assert "holds no vectors" in error(
            run(["eval", "--queries", "qrels.txt", "--corpus", "c.npy"])
        )


def test_list_metrics() -> None:
    done = run(["eval", "--list-metrics"])
    assert done.returncode == 0
    assert done.stdout.startswith("r@K ") and "hnsr[@K]" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.slow
def test_search_pipes_into_eval(texts: Path, tmp_path: Path) -> None:
    rows = [{"id": f"q{n}", "text": word, "target": f"t{n}.wav"} for n, word in enumerate(WORDS)]
    lines(tmp_path / "q.jsonl", rows)
    oea = f"{sys.executable} -m oea_cli"
    for form in ("jsonl", "trec"):
        command = (
            f"{oea} search --queries q.jsonl -i {texts} -f {form} |"
            f" {oea} eval --run - --queries q.jsonl -M r@1 | head -5"
        )
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 and '"r@1": 1.0' in done.stdout, done.stderr
