"""`oea mine-negatives` as a user runs it: inputs in every form, outputs, failures."""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment
from tests.mining.mining_clips import text_vectors
from tests.vectors.batches import unit, write

Run = Callable[..., Completed]
CAPTIONS = [
    ["a dog", "dog bell"], ["the cat"], ["rain door"], ["wind"], ["train saw"], ["sea owl"],
    ["bell"], ["a door shuts"], ["the owl"], ["saw wind"], ["dog cat"], ["rain sea"],
]  # fmt: skip


def rows_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def records() -> list[dict]:
    return [
        {"id": f"s/{n}.wav", "path": f"s/{n}.wav", "captions": said}
        for n, said in enumerate(CAPTIONS)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips in every form, and their captions' vectors, which need no model."""
    place = tmp_path_factory.mktemp("mining")
    vectors = unit(len(CAPTIONS), seed=3)
    for name in ("v.jsonl", "m.npy", "v.parquet", "shards/"):
        write(f"{place}/{name}", records(), vectors)
    np.save(place / "bare.npy", vectors)
    (place / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in records()))
    texts = [text for said in CAPTIONS for text in said]
    write(f"{place}/captions.jsonl", [{"id": t, "text": t} for t in texts], text_vectors(texts))
    assert run(["index", "v.parquet", "-o", "x.oea"], cwd=place).returncode == 0
    return place


def mine(folder: Path, *args: str | Path, input: bytes = b"") -> Completed:
    words = ["mine-negatives", *args, "--caption-vectors", "captions.jsonl"]
    return run(words, cwd=folder, input=input)


class TestInputs:
    def test_every_form_gives_the_same_bytes(self, folder: Path) -> None:
        expected = mine(folder, "v.parquet")
        assert expected.returncode == 0 and len(rows_of(expected.stdout)) == 12
        for form in ("v.jsonl", "m.npy", "shards", "x.oea"):
            assert mine(folder, form).stdout == expected.stdout, form
        piped = mine(folder, input=(folder / "v.jsonl").read_bytes())
        assert piped.stdout == expected.stdout
        apart = mine(folder, "clips.jsonl", "--vectors", "m.npy").stdout
        unnamed = mine(folder, "clips.jsonl", "--vectors", "bare.npy").stdout
        stamp = re.compile(r'"mined_by":"[^;]*')
        assert stamp.sub("", apart) == stamp.sub("", unnamed) == stamp.sub("", expected.stdout)

    def test_sounds_that_have_moved_are_named_once(self, folder: Path) -> None:
        rows = records()
        vectors = unit(len(rows), seed=3)
        vectors[1] = vectors[0] + 0.2 * vectors[1]
        write(f"{folder}/near.jsonl", rows, vectors / np.linalg.norm(vectors, axis=1)[:, None])
        first, *rest = mine(folder, "near.jsonl").stderr.splitlines()
        assert first.startswith(
            f"oea mine-negatives: 2 sounds were not compared: no such file in {folder}, where it "
            "was looked for (s/0.wav, s/1.wav); run it where "
        )
        assert not any("not compared" in line for line in rest)
        assert mine(folder, "near.jsonl", "-q").stderr == ""
        assert "not compared" not in mine(folder, "near.jsonl", "--no-compare-sounds").stderr

    def test_a_pipe_of_programs(self, oea: Run, folder: Path) -> None:
        sent = (folder / "v.jsonl").read_bytes()
        done = oea(
            ["mine-negatives", "--caption-vectors", "captions.jsonl"], cwd=folder, input=sent
        )
        assert done.returncode == 0 and done.stdout == mine(folder, "v.jsonl").stdout

    def test_windows_of_a_clip_are_one_clip(self, folder: Path) -> None:
        vectors = unit(len(CAPTIONS) + 1, seed=3)
        rows = records()
        windows = [{**rows[0], "id": f"s/0.wav#t={a},{a + 5}", "start": a} for a in (0, 5)]
        write(f"{folder}/w.jsonl", [*windows, *rows[1:]], vectors)
        done = mine(folder, "w.jsonl", "-n", "3", "--keep-ratio", "9")
        found = rows_of(done.stdout)
        assert not [row for row in found if "#t=" in row["target"] + row["hard_negative"]]
        mean = vectors[:2].sum(axis=0) / np.linalg.norm(vectors[:2].sum(axis=0))
        of_first = next(row for row in found if row["target"] == "s/0.wav")
        other = int(re.findall(r"\d+", of_first["hard_negative"])[0])
        assert of_first["acoustic_score"] == pytest.approx(
            float(mean @ vectors[other + 1]), abs=1e-5
        )

    def test_clips_without_captions_are_left_out(self, folder: Path) -> None:
        rows = records()
        del rows[4]["captions"]
        write(f"{folder}/some.jsonl", rows, unit(len(rows), seed=3))
        done = mine(folder, "some.jsonl")
        assert "11 clips" in done.stderr and "1 clips without captions" in done.stderr
        assert "s/4.wav" not in done.stdout


class TestRows:
    def test_a_pair_for_evaluation(self, folder: Path) -> None:
        row = rows_of(mine(folder, "v.parquet").stdout)[0]
        assert list(row) == [
            "target", "hard_negative", "acoustic_score", "text_score", "captions",
            "hard_negative_captions", "path", "hard_negative_path", "mined_by",
        ]  # fmt: skip
        assert row["captions"] == CAPTIONS[0] and row["path"] == "s/0.wav"
        assert row["text_score"] < 0.7
        assert re.fullmatch(
            r"mini:0123456789ab; top 20; acoustic >= [-\d.]+; mini:0123456789ab; text < 0.7",
            row["mined_by"],
        )

    def test_rows_for_training(self, folder: Path) -> None:
        done = mine(folder, "v.parquet", "--for", "train", "-n", "4", "--range-min", "1")
        rows = rows_of(done.stdout)
        assert len(rows) == 12
        pairs = mine(folder, "v.parquet", "-n", "11", "--keep-ratio", "99").stdout
        for row in rows:
            near = [p["hard_negative"] for p in rows_of(pairs) if p["target"] == row["id"]]
            assert row["negatives"] == near[1:5]
            assert row["acoustic_scores"] == sorted(row["acoustic_scores"], reverse=True)
            assert len(row["text_scores"]) == 4 and max(row["text_scores"]) < 0.7
        assert "(none)" in done.stderr, "no acoustic threshold unless one is given"

    def test_random_sampling_is_a_matter_of_the_seed(self, folder: Path) -> None:
        words = ["--for", "train", "-n", "2", "--range-max", "9", "--sampling-strategy", "random"]
        first, again, other = (
            mine(folder, "v.parquet", *words, "--seed", seed).stdout for seed in "778"
        )
        assert first == again != other

    def test_stats_beside_the_output_and_where_asked(self, folder: Path, tmp_path: Path) -> None:
        out, stats = tmp_path / "pairs.jsonl", tmp_path / "s.json"
        assert mine(folder, "v.parquet", "-o", out).stdout == ""
        told = mine(folder, "v.parquet", "--stats", stats)
        assert out.read_text() == told.stdout
        content = stats.read_text()
        assert (tmp_path / "pairs.stats.json").read_text() == content
        found = json.loads(content)
        assert list(found["stages"]) == [
            "acoustic neighbours", "other captions, another sound", "acoustic threshold",
            "text similarity", "chosen",
        ]  # fmt: skip
        assert found["stages"]["acoustic neighbours"] == 12 * 11
        for stage, count in found["stages"].items():
            assert re.search(rf"^ +{count:,}  {stage}", told.stderr, re.MULTILINE)

    def test_verdicts_filter_and_annotate(self, folder: Path, tmp_path: Path) -> None:
        candidates = rows_of(mine(folder, "v.parquet", "--pairs", "5", "--all").stdout)
        chosen = {key: candidates[0][key] for key in ("target", "hard_negative")}
        votes = [("ann", "valid"), ("bob", "valid"), ("eve", "same")]
        file = tmp_path / "verdicts.jsonl"
        lines = [
            {**chosen, "verdict": choice, "annotator": who, "time": 1} for who, choice in votes
        ]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = mine(folder, "v.parquet", "--pairs", "5", "--verdicts", file)
        rows = rows_of(done.stdout)
        ends = [{row["target"], row["hard_negative"]} for row in rows]
        assert rows and all(end == set(chosen.values()) for end in ends)
        assert rows[0]["verdict"] == "valid" and rows[0]["annotators"] == ["ann", "bob", "eve"]


class TestJudgments:
    def test_queries_that_eval_can_ask(self, folder: Path, tmp_path: Path) -> None:
        queries, pairs = tmp_path / "q.jsonl", mine(folder, "x.oea", "-n", "2").stdout
        assert mine(folder, "x.oea", "-n", "2", "--qrels", queries).stdout == pairs
        rows = rows_of(queries.read_text())
        of_first = [row for row in rows if row["target"] == "s/0.wav"]
        assert [row["id"] for row in of_first] == [
            "s/0.wav#1", "s/0.wav#2", "s/0.wav#1/2", "s/0.wav#2/2",
        ]  # fmt: skip
        assert {row["text"] for row in of_first} == set(CAPTIONS[0])
        write(str(tmp_path / "vectors.npy"), [{**row, "text": None} for row in rows],
              np.stack([unit(12, seed=3)[int(row["target"][2:-4])] for row in rows]))  # fmt: skip
        done = run(["eval", "--queries", tmp_path / "vectors.npy", "--corpus", "v.parquet",
                    "-M", "hnsr", "-M", "r@1"], cwd=folder)  # fmt: skip
        assert done.returncode == 0, done.stderr
        metrics = json.loads(done.stdout)["metrics"]
        assert metrics["hnsr"] == metrics["r@1"] == 1.0

    def test_qrels_of_trec(self, folder: Path, tmp_path: Path) -> None:
        qrels = tmp_path / "qrels.txt"
        pairs = rows_of(mine(folder, "x.oea", "--qrels", qrels).stdout)
        lines = [line.split() for line in qrels.read_text().splitlines()]
        assert all(len(line) == 4 for line in lines)
        relevant = {(query, clip) for query, _, clip, grade in lines if grade == "1"}
        assert {clip for _, clip in relevant} == {pair["target"] for pair in pairs}
        judged = {clip for _, _, clip, grade in lines if grade == "0"}
        assert judged == {pair["hard_negative"] for pair in pairs}
        run_file = "".join(f"{query} Q0 {clip} 1 0.5 x\n" for query, clip in sorted(relevant))
        (tmp_path / "run.trec").write_text(run_file)
        done = run(["eval", "--run", tmp_path / "run.trec", "--qrels", qrels, "-M", "r@1"])
        assert json.loads(done.stdout)["metrics"]["r@1"] == 1.0


class TestExplain:
    def test_a_pair_that_is_kept(self, folder: Path) -> None:
        row = rows_of(mine(folder, "x.oea").stdout)[0]
        done = mine(folder, "x.oea", "--explain", row["target"], row["hard_negative"])
        lines = dict(re.split(r"  +", line, maxsplit=1) for line in done.stdout.splitlines()[:-1])
        assert lines["target"] == "s/0.wav: a dog | dog bell"
        assert lines["same recording"] == "no" and lines["captions say the same"] == "no"
        assert (
            lines["acoustic similarity"] == f"{row['acoustic_score']:g}, rank 1, of 20 that count"
        )
        assert lines["same sound"].startswith("no (the files were not compared")
        assert lines["acoustic threshold"].endswith("(keeps 3 x the wanted pairs): reached")
        assert lines["text similarity"] == f"{row['text_score']:g}, below 0.7 is kept"
        assert done.stdout.splitlines()[-1] == "kept"

    @pytest.mark.parametrize(
        ("pair", "args", "says"),
        [
            (("s/0.wav", "s/0"), (), "dropped: it is the clip itself"),
            (("s/2.wav", "s/11.wav"), ("--max-text-similarity", "0.3"), "dropped: text similarity"),
        ],
    )
    def test_a_pair_that_is_dropped(
        self, folder: Path, pair: tuple[str, str], args: tuple[str, ...], says: str
    ) -> None:
        done = mine(folder, "x.oea", "--keep-ratio", "99", *args, "--explain", *pair)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].startswith(says)

    def test_a_pair_that_is_too_far_apart(self, folder: Path) -> None:
        near = rows_of(mine(folder, "x.oea", "-n", "11", "--keep-ratio", "99").stdout)
        last = [row["hard_negative"] for row in near if row["target"] == "s/0.wav"][-1]
        done = mine(folder, "x.oea", "-k", "1", "--explain", "s/0.wav", last)
        lines = done.stdout.splitlines()
        assert lines[-1] == "dropped: not among the target's acoustic neighbours (--top-k)"
        assert re.search(r"rank \d+, of 1 that count", done.stdout)
        assert int(re.findall(r"rank (\d+)", done.stdout)[0]) > 1

    def test_a_shared_recording_is_named(self, folder: Path) -> None:
        rows = records()
        rows[3]["freesound_id"] = rows[5]["freesound_id"] = 4711
        write(f"{folder}/fs.jsonl", rows, unit(len(rows), seed=3))
        done = mine(folder, "fs.jsonl", "--explain", "3.wav", "5.wav")
        assert "yes (freesound id 4711)" in done.stdout
        assert done.stdout.splitlines()[-1] == "dropped: both are parts of one recording"


class TestFailures:
    @pytest.mark.parametrize(
        ("args", "code", "says"),
        [
            (["no-such.npy"], 1, "no-such.npy: no such file or folder"),
            (["v.jsonl", "--vectors", "-", "--verdicts", "-"], 2, "stdin can be read once"),
            (["x.oea", "v.jsonl"], 2, "x.oea: an index must be the only input"),
            (["bare.npy"], 1, "bare.npy: no clip has captions"),
            (["clips.jsonl", "--vectors", "few.npy"], 1, "few.npy: 5 vectors without ids, but 12"),
            (["x.oea", "--for", "train", "--qrels", "q.txt"], 2, "--qrels are judgments"),
            (["x.oea", "-n", "30"], 2, "-n 30: only 20 neighbours remain"),
            (["x.oea", "-o", "no/where/p.jsonl"], 1, "there is no folder no/where"),
            (["x.oea", "--explain", "s/0.wav", "zebra"], 1, "--explain: no clip 'zebra' among"),
            (["x.oea", "--verdicts", "clips.jsonl"], 1, "clips.jsonl:1: no verdict and no rating"),
            (["x.oea", "--min-acoustic-similarity", "1"], 1, "left after the stage 'acoustic"),
            (["zero.jsonl"], 1, "zero.jsonl: the vector of 's/7.wav' is all zeros"),
            (["nan.npy"], 1, "nan.npy: the vector of '7' holds NaN or infinity"),
            (["twice.jsonl"], 1, "twice.jsonl: id 's/1.wav' occurs twice"),
        ],
    )
    def test_one_line(self, folder: Path, args: list[str], code: int, says: str) -> None:
        vectors = unit(12, seed=3)
        np.save(folder / "few.npy", vectors[:5])
        vectors[7] = np.nan
        np.save(folder / "nan.npy", vectors)
        rows = [{**row, "embedding": [1.0, 0.0]} for row in records()]
        twice = [*rows[:2], rows[1]]
        (folder / "twice.jsonl").write_text("".join(json.dumps(row) + "\n" for row in twice))
        rows[7]["embedding"] = [0.0, 0.0]
        (folder / "zero.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        done = mine(folder, *args)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("oea mine-negatives: ") and says in last
        assert "Traceback" not in done.stderr

    def test_a_text_encoder_that_is_not_there(self, oea: Run, folder: Path) -> None:
        done = oea(["mine-negatives", "x.oea", "--text-model", "no-such"], cwd=folder)
        assert done.returncode == 1 and done.stdout == ""
        (line,) = done.stderr.strip().splitlines()
        assert "no-such" in line

    def test_a_caption_without_a_vector(self, folder: Path) -> None:
        rows = records()
        rows[2]["captions"] = ["a zebra"]
        write(f"{folder}/z.jsonl", rows, unit(len(rows), seed=3))
        done = mine(folder, "z.jsonl")
        assert "captions.jsonl: no vector for the caption 'a zebra'" in done.stderr

    def test_nothing_left_may_be_allowed(self, folder: Path) -> None:
        done = mine(folder, "x.oea", "--min-acoustic-similarity", "1", "--allow-empty")
        assert (done.returncode, done.stdout) == (0, "")

    def test_sounds_without_captions_are_not_even_decoded(self, folder: Path) -> None:
        (folder / "silent").mkdir(exist_ok=True)
        (folder / "silent" / "a.wav").write_bytes(b"no sound at all")
        done = mine(folder, "silent")
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert "silent: no clip has captions" in line

    def test_records_without_sounds_are_named(self, folder: Path, tmp_path: Path) -> None:
        lines = [{"id": "t", "text": "rain", "captions": ["rain"]}]
        (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = mine(folder, tmp_path / "t.jsonl")
        assert done.returncode == 1
        assert "t: no 'path'; mining needs a sound" in done.stderr
        assert done.stderr.endswith("the one input failed\n")


def esc10_clips(data: Path, place: Path) -> dict[str, dict]:
    """ESC-10 with a caption of the class and one of the Freesound title, by id."""
    phrases = ("the sound of a {}", "{} in the background", "a recording of {}")
    with (data / "esc10" / "esc10_meta.csv").open() as file:
        clips = {}
        for number, row in enumerate(csv.DictReader(file)):
            title = re.sub(r"\.\w{2,4}$|[\W_\d]+", " ", row["freesound_title"]).strip()
            said = phrases[number % 3].format(row["category"].replace("_", " "))
            clip = {"id": row["path"], "path": str(data / "esc10" / row["path"])}
            clips[row["path"]] = {**row, **clip, "captions": [said, *([title] if title else [])]}
    lines = (
        json.dumps({key: clip[key] for key in ("id", "path", "captions")}) + "\n"
        for clip in clips.values()
    )
    (place / "clips.jsonl").write_text("".join(lines))
    return clips


@pytest.mark.slow
def test_esc10_pairs_are_of_two_classes_and_two_recordings(
    oea: Run, shared_data: Path, tmp_path: Path
) -> None:
    clips = esc10_clips(shared_data, tmp_path)
    words = [
        "mine-negatives",
        "clips.jsonl",
        "-k",
        "100",
        "--keep-ratio",
        "30",
        "-o",
        "pairs.jsonl",
    ]
    done = oea(words, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stderr
    pairs = rows_of((tmp_path / "pairs.jsonl").read_text())
    assert len(pairs) > 100, done.stderr
    ends = [(clips[pair["target"]], clips[pair["hard_negative"]]) for pair in pairs]
    same_class = sum(one["category"] == other["category"] for one, other in ends)
    assert same_class <= 0.02 * len(pairs)
    assert not [one for one, other in ends if one["src_file"] == other["src_file"]]


@pytest.mark.slow
def test_demo_sounds_through_a_pipe(oea: Run, tmp_path: Path) -> None:
    """Embedded and mined with the built-in encoder, the sounds compared by their content."""
    assert oea(["demo", "sounds", "--scenes", "24", "-q"], cwd=tmp_path).returncode == 0
    program = "{0} -m oea_cli embed sounds/clips.jsonl | {0} -m oea_cli mine-negatives --pairs 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", program.format(sys.executable)],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pairs = rows_of(done.stdout)
    assert 0 < len(pairs) <= 10
    direct = oea(["mine-negatives", "sounds/clips.jsonl", "--pairs", "10"], cwd=tmp_path)
    assert direct.stdout == done.stdout
