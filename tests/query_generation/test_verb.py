"""`oea gen-queries` as a filter: what it reads, what it writes, what it says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oea_cli.clips.queries import read_queries
from tests.commands.in_process import run
from tests.conftest import Completed

CLIPS = [
    {"id": "a.wav", "captions": ["a dog barks as rain falls", "rain and a barking dog"]},
    {"id": "b.wav", "captions": ["a dog barks as thunder rumbles", "thunder and a dog"]},
]
PAIR = {"target": "a.wav", "hard_negative": "b.wav", "acoustic_score": 0.9, "text_score": 0.5,
        "captions": CLIPS[0]["captions"],
        "hard_negative_captions": CLIPS[1]["captions"]}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines("clips.jsonl", CLIPS, tmp_path)
    lines("pairs.jsonl", [PAIR], tmp_path)
    return tmp_path


def lines(name: str, rows: list[Any], folder: Path) -> Path:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / name


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_have_the_releases_keys_and_the_hard_negative(folder: Path) -> None:
    done = run(["gen-queries", "clips.jsonl", "--hard-negatives", "pairs.jsonl"], cwd=folder)
    assert done.returncode == 0, done.stderr
    made = rows(done.stdout)
    assert [row["query_type"] for row in made] == [
        "question", "imperative", "tagging", "paraphrase", "negative",
        "question", "imperative", "tagging", "paraphrase",
    ]  # fmt: skip
    positive, negative = made[0], made[4]
    assert list(positive) == ["audio_id", "dataset", "dataset_slug", "query_type",
                              "generated_query", "original_captions", "metadata", "source_model",
                              "regen_model"]  # fmt: skip
    assert list(negative) == ["audio_id", "dataset", "dataset_slug", "query_type",
                              "negative_query", "original_captions", "negative_captions",
                              "hard_negative", "metadata", "source_model",
                              "regen_model"]  # fmt: skip
    assert negative["hard_negative"] == "b.wav" and negative["audio_id"] == "a.wav"
    assert negative["metadata"] == {"acoustic_score": 0.9, "text_score": 0.5}
    assert positive["dataset"] == "clips" and positive["source_model"] == "rules"
    assert "thunder" in negative["negative_query"]
    assert len({row.get("generated_query") or row["negative_query"] for row in made}) == 9
    assert not list(folder.glob("*answers*")), "rules ask nobody"


def test_a_pipe_of_programs(oea: Callable[..., Completed], folder: Path) -> None:
    sent = (folder / "clips.jsonl").read_bytes()
    done = oea(["gen-queries", "-"], input=sent)
    assert done.returncode == 0 and len(rows(done.stdout)) == 8, done.stderr
    assert done.stdout == run(["gen-queries", "-"], input=sent).stdout


def test_eval_reads_the_rows_as_they_are(folder: Path) -> None:
    out = folder / "uiq.jsonl"
    run(["gen-queries", folder / "clips.jsonl", "--hard-negatives", folder / "pairs.jsonl",
         "-o", out])  # fmt: skip
    queries = read_queries([str(out)], lambda: {row["id"]: row["captions"] for row in CLIPS})
    assert len(queries) == 9
    negative = next(query for query in queries if query.type == "negative")
    assert negative.targets == {"a.wav": 1.0} and negative.hard_negative == "b.wav"


def test_the_same_seed_makes_the_same_bytes(folder: Path) -> None:
    def made(*options: str) -> str:
        return run(["gen-queries", *options, "clips.jsonl"], cwd=folder).stdout

    assert made() == made() == made("--seed", "0")
    assert len({made("--seed", str(seed)) for seed in range(6)}) > 1


def test_types_are_chosen_and_known_by_both_names(folder: Path) -> None:
    for name in ("keyphrase", "tagging"):
        done = run(["gen-queries", "clips.jsonl", "-t", name], cwd=folder)
        assert {row["query_type"] for row in rows(done.stdout)} == {"tagging"}
    done = run(["gen-queries", "clips.jsonl", "-t", "quiz"], cwd=folder)
    assert done.returncode == 2 and "no query type 'quiz'" in done.stderr
    done = run(["gen-queries", "clips.jsonl", "-t", "negative"], cwd=folder)
    assert done.returncode == 2 and "--hard-negatives" in done.stderr
    done = run(["gen-queries", "clips.jsonl"], cwd=folder)
    assert (
        done.returncode == 0
        and "no negative queries, because there are no --hard-negatives" in done.stderr
    )


def test_pairs_alone_are_enough_and_stdin_is_read(folder: Path) -> None:
    text = (folder / "pairs.jsonl").read_text()
    done = run(["gen-queries", "-t", "negative", "-t", "question"], input=text)
    assert done.returncode == 0, done.stderr
    assert [row["query_type"] for row in rows(done.stdout)] == ["question", "negative"]
    assert rows(done.stdout)[0]["dataset"] == "stdin"
    done = run(["gen-queries", "-", "--hard-negatives", "-"], input=text)
    assert done.returncode == 2 and "stdin can be read only once" in done.stderr


def test_pairs_without_captions_take_those_of_the_clips(folder: Path) -> None:
    lines("ids.jsonl", [{"target": "a.wav", "hard_negative": "b.wav"}], folder)
    done = run(["gen-queries", "clips.jsonl", "--hard-negatives", "ids.jsonl", "-t", "negative"],
               cwd=folder)  # fmt: skip
    assert rows(done.stdout)[0]["negative_captions"] == CLIPS[1]["captions"]


def test_pairs_that_people_refused_are_left_out(folder: Path) -> None:
    judged = [{**PAIR, "verdict": "same sound"},
              {**PAIR, "target": "b.wav", "hard_negative": "a.wav",
               "captions": CLIPS[1]["captions"], "hard_negative_captions": CLIPS[0]["captions"],
               "verdict": "valid hard negative"}]  # fmt: skip
    lines("judged.jsonl", judged, folder)
    done = run(["gen-queries", "clips.jsonl", "--hard-negatives", "judged.jsonl", "-t", "negative"],
               cwd=folder)  # fmt: skip
    assert [row["audio_id"] for row in rows(done.stdout)] == ["b.wav"]


def test_a_file_without_pairs_is_an_error(folder: Path) -> None:
    (folder / "none.jsonl").write_text("")
    done = run(["gen-queries", "clips.jsonl", "--hard-negatives", "none.jsonl"], cwd=folder)
    assert done.returncode == 1 and done.stdout == ""
    assert "none.jsonl: no hard-negative pairs in it" in done.stderr


@pytest.mark.parametrize(
    ("row", "what"),
    [({"target": "a.wav", "hard_negative": "a.wav"}, "is its own hard negative"),
     ({"target": "a.wav", "hard_negative": ["b"]}, "'hard_negative' must be text or a number; got"),
     ({"target": "a.wav", "hard_negative": "b", "captions": 7}, "must be a list of texts")],
)  # fmt: skip
def test_a_bad_pair_is_named(folder: Path, row: dict[str, object], what: str) -> None:
    lines("bad.jsonl", [PAIR, row], folder)
    done = run(["gen-queries", "clips.jsonl", "--hard-negatives", "bad.jsonl"], cwd=folder)
    assert done.returncode == 1 and done.stdout == ""
    assert "bad.jsonl:2: " in done.stderr and what in done.stderr


def test_rows_without_captions_and_repeated_ids_are_named(folder: Path) -> None:
    lines("some.jsonl", [CLIPS[0], {"id": "c.wav"}, {"path": "d.wav"}, CLIPS[0]], folder)
    done = run(["gen-queries", "some.jsonl", "-t", "question"], cwd=folder)
    assert done.returncode == 3 and len(rows(done.stdout)) == 1
    assert "some.jsonl:2: no 'captions'" in done.stderr
    assert "some.jsonl:4: id 'a.wav' was used at some.jsonl:1 already" in done.stderr
    assert "3 of 4 rows failed, 1 done" in done.stderr


def test_what_cannot_be_written_is_set_aside_with_its_reason(folder: Path) -> None:
    lines("odd.jsonl", [CLIPS[0], {"id": "x", "captions": ["It is raining. He left."]}], folder)
    command = ["gen-queries", "odd.jsonl", "-t", "question"]
    named = run(command, cwd=folder)
    assert named.returncode == 3 and "question/x: grammar: no caption" in named.stderr
    aside = run([*command, "--rejects", "rejects.jsonl"], cwd=folder)
    assert aside.returncode == 0 and aside.stdout == named.stdout
    (row,) = rows((folder / "rejects.jsonl").read_text())
    assert row["audio_id"] == "x" and "grammar" in row["reasons"][0]


def test_equal_captions_get_different_queries(folder: Path) -> None:
    twins = [{"id": str(n), "captions": ["birds are chirping in a park"]} for n in range(3)]
    lines("twins.jsonl", twins, folder)
    done = run(["gen-queries", "twins.jsonl", "-t", "imperative"], cwd=folder)
    assert len({row["generated_query"] for row in rows(done.stdout)}) == 3


def test_published_layouts_are_read(folder: Path) -> None:
    (folder / "clotho_captions_x.csv").write_text(
        "file_name,caption_1,caption_2\nSanta Motor.wav,a motor hums loudly,a loud motor\n"
    )
    done = run(["gen-queries", "clotho_captions_x.csv", "-t", "imperative"], cwd=folder)
    (row,) = rows(done.stdout)
    assert row["audio_id"] == "Santa Motor.wav" and row["dataset"] == "clotho_captions_x"
    done = run(["gen-queries", "clotho_captions_x.csv", "-t", "imperative", "--dataset", "clotho"],
               cwd=folder)  # fmt: skip
    assert rows(done.stdout)[0]["dataset"] == "clotho"


def test_check_finds_what_is_wrong(folder: Path) -> None:
    made = run(["gen-queries", "clips.jsonl", "--hard-negatives", "pairs.jsonl"], cwd=folder).stdout
    good = rows(made)
    bad = [*good, {**good[0], "generated_query": "Where is the seal?"}, good[1], {"audio_id": "x"}]
    lines("bad.jsonl", bad, folder)
    fine = run(["gen-queries", "--check", "-", "-f", "json"], input=made)
    assert fine.returncode == 0, fine.stderr
    counts = json.loads(fine.stdout)
    assert counts["question"]["rows"] == counts["question"]["pass"] == 2
    assert counts["negative"] == {"rows": 1, "pass": 1, "rules": {
        "plain": 1, "file-name": 1, "exclusion": 1, "names-target": 1, "excludes": 1,
        "spares-target": 1, "repeated": 1}}  # fmt: skip
    done = run(["gen-queries", "--check", "bad.jsonl", "--rejects", "why.jsonl"], cwd=folder)
    assert done.returncode == 3
    assert (
        "2 of 11 queries break a rule" in done.stderr
        and "bad.jsonl:12: no 'generated" in done.stderr
    )
    assert "question              3        2   66.7" in done.stdout
    seal, twice = rows((folder / "why.jsonl").read_text())
    assert (
        seal["where"] == "bad.jsonl:10"
        and "new-words: the captions do not say 'seal'" in seal["reasons"]
    )
    assert twice["reasons"] == [
        "repeated: the same words as the query of bad.jsonl:2; say it differently"
    ]
    done = run(["gen-queries", "--check", "bad.jsonl", "--llm", "rules"], cwd=folder)
    assert done.returncode == 2


def test_check_of_nothing_is_a_failure(folder: Path) -> None:
    (folder / "empty.jsonl").write_text("")
    assert run(["gen-queries", "--check", "empty.jsonl"], cwd=folder).returncode == 1
    assert (
        run(["gen-queries", "--check", "empty.jsonl", "--allow-empty"], cwd=folder).returncode == 0
    )


def test_dry_run_of_rules_asks_nobody(folder: Path) -> None:
    done = run(["gen-queries", "clips.jsonl", "--dry-run"], cwd=folder)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == ["queries", "8"]
    assert done.stdout.splitlines()[1].split() == ["calls", "0"]


@pytest.mark.parametrize("more", [[], ["--rejects", "rejects.jsonl"]])
def test_nothing_accepted_is_a_failure_and_leaves_no_older_output(
    folder: Path, more: list[str]
) -> None:
    command = ["gen-queries", "c.jsonl", "-t", "question", "-o", "uiq.jsonl"]
    lines("c.jsonl", CLIPS, folder)
    assert run(command, cwd=folder).returncode == 0
    older = (folder / "uiq.jsonl").read_text()
    lines("c.jsonl", [{"id": "x", "captions": ["It is raining. He left."]}], folder)
    for _ in range(2):
        done = run([*command, *more], cwd=folder)
        assert done.returncode == 1 and "none of 1 queries was accepted" in done.stderr
        assert not (folder / "uiq.jsonl").exists()
        assert "the uiq.jsonl of an earlier run is now uiq.jsonl.before" in done.stderr
        assert (folder / "uiq.jsonl.before").read_text() == older
