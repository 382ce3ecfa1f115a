"""The paper's evaluation as a user runs it: small datasets in the published layouts, `mini`.

Run: pytest tests/test_paper_run.py
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile
from safetensors.numpy import load_file, save_file

from oea_cli.encoder.names.places import encoder_folder
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment

Row = dict[str, Any]
CLIPS = 6
TYPES = ("question", "imperative", "paraphrase", "tagging")
RECIPE = """
name: small
output: results
uiq: UIQ
datasets:
  - {name: audiocaps, records: audiocaps/test.csv, clips: 6}
  - {name: clotho, records: clotho/clotho_captions_evaluation.csv}
  - {name: mecat, records: mecat/00A.jsonl, captions_per_clip: 3}
encoders: [{name: mini, paper: oea-qwen3b}]
tasks:
  - {name: captions, kind: text-to-audio, metrics: [R@1, r@5, r@10], tables: [2]}
  - {name: own, kind: text-to-text, metrics: [r@1, r@5, r@10], tables: [3]}
  - name: queries
    kind: uiq
    types: [question, imperative, paraphrase, tagging]
    metrics: [r@1, r@5, r@10]
    tables: [4, 12, 13, 14, 15]
  - name: exclusions
    kind: uiq
    types: [negative]
    metrics: [r@5, r@10, delta-rank, hnsr, hnsr@10, tfr, tfr@10]
    tables: [4, 17]
  - {name: cost, kind: speed, datasets: [clotho], metrics: [audio ms, text ms, peak gb,
     trainable m], tables: [16]}
"""


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AudioCaps, Clotho and MECAT as they lie on disk, UIQ's fifteen files, and the recipe."""
    folder = tmp_path_factory.mktemp("paper")
    done = run(["demo", folder / "demo", "--scenes", str(CLIPS), "-q"])
    assert done.returncode == 0, done.stderr
    sounds = sorted((folder / "demo/audio").iterdir())[:CLIPS]
    texts = [[f"sound {n} {word}" for word in "abcde"] for n in range(CLIPS)]
    names = {
        "audiocaps": [f"abcdefgh{n}XY_{n}0" for n in range(CLIPS)],
        "clotho": [f"Sound {n}.wav" for n in range(CLIPS)],
        "mecat": [f"mecatABCD{n}z_2_54_12_54" for n in range(CLIPS)],
    }
    for dataset, files in names.items():
        audio = folder / dataset / ("evaluation" if dataset == "clotho" else "audio")
        audio.mkdir(parents=True)
        for sound, name in zip(sounds, files, strict=True):
            samples, rate = soundfile.read(sound)
            soundfile.write(audio / f"{name.removesuffix('.wav')}.wav", samples, rate)
    _captions(folder, names, texts)
    for dataset, files in names.items():
        _uiq(folder / "UIQ" / dataset, dataset, files, texts)
    (folder / "paper.yaml").write_text(RECIPE)
    return folder


def _captions(folder: Path, names: dict[str, list[str]], texts: list[list[str]]) -> None:
    rows = [
        f"{n},{name.rpartition('_')[0]},{name.rpartition('_')[2]},{text}"
        for n, name in enumerate(names["audiocaps"])
        for text in texts[n]
    ]
    header = "audiocap_id,youtube_id,start_time,caption"
    (folder / "audiocaps/test.csv").write_text("\n".join([header, *rows]) + "\n")
    header = "file_name," + ",".join(f"caption_{n}" for n in range(1, 6))
    rows = [",".join([name, *texts[n]]) for n, name in enumerate(names["clotho"])]
    (folder / "clotho/clotho_captions_evaluation.csv").write_text("\n".join([header, *rows]) + "\n")
    clips = [
        json.dumps({name: {"short": texts[n][:3], "long": texts[n][3:], "sound": ["x"]}})
        for n, name in enumerate(names["mecat"])
    ]
    (folder / "mecat/00A.jsonl").write_text("\n".join(clips) + "\n")


def _uiq(folder: Path, dataset: str, names: list[str], texts: list[list[str]]) -> None:
    folder.mkdir(parents=True)
    for type in TYPES:
        rows = [_row(dataset, type, n, names, texts) for n in range(CLIPS)]
        _write(folder / f"{dataset}_{type}_queries.jsonl", rows)
    rows = []
    for n in range(3):
        row = _row(dataset, "negative", n, names, texts)
        row["negative_query"] = row.pop("generated_query")
        row["audio_id"] = row["audio_id"].removesuffix(".wav")
        row["negative_captions"] = texts[n + 1]
        rows.append(row)
    _write(folder / f"{dataset}_negative_queries.jsonl", rows)


def _row(dataset: str, type: str, n: int, names: list[str], texts: list[list[str]]) -> Row:
    return {
        "audio_id": names[n],
        "dataset": dataset,
        "query_type": type,
        "generated_query": f"{type} a dog barking {n}",
        "original_captions": texts[n],
        "metadata": {},
    }


def _write(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def paper(folder: Path, output: Path, *arguments: str) -> Completed:
    return run(["eval", folder / "paper.yaml", "-o", output, "-f", "json", *arguments])


def test_all_tables_and_nothing_twice(collection: Path, tmp_path: Path) -> None:
    done = paper(collection, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {row["table"] for row in rows} == {2, 3, 4, 12, 13, 14, 15, 16, 17}
    assert {row["encoder"] for row in rows} == {"OEA-Qwen3B"}
    table_2 = {(r["dataset"], r["metric"]): r for r in rows if r["table"] == 2}
    assert table_2["clotho", "r@10"]["ours"] == 100  # of six clips
    first = [table_2[name, "r@1"]["ours"] for name in ("audiocaps", "clotho", "mecat")]
    assert table_2["mean", "r@1"]["ours"] == pytest.approx(sum(first) / 3)
    for row in rows:
        if row["paper"] is not None:
            assert row["difference"] == pytest.approx(row["ours"] - row["paper"])
    # By the same verb on the same index, asked directly.
    index = tmp_path / "out/mini/clotho/clips.oea"
    direct = run(["eval", "-i", index, "-M", "r@1", "-f", "json"])
    assert table_2["clotho", "r@1"]["ours"] == 100 * json.loads(direct.stdout)["metrics"]["r@1"]
    files = sorted((collection / "UIQ/mecat").iterdir())
    queries = [word for path in files for word in ("--queries", str(path))]
    index = tmp_path / "out/mini/mecat/clips.oea"
    direct = run(["eval", *queries, "-i", index, "-M", "hnsr", "-M", "tfr", "-f", "json"])
    found = json.loads((tmp_path / "out/mini/mecat/results.json").read_text())
    for metric, value in json.loads(direct.stdout)["metrics"].items():
        if metric == "hnsr":
            assert found["figures"]["exclusions"]["negative hnsr"] == value
    # Again: nothing is left to be run, the tables are the same.
    again = paper(collection, tmp_path / "out")
    assert (again.returncode, again.stderr, again.stdout) == (0, "", done.stdout)
    # Other settings of one task: the indexes are used again.
    other = paper(collection, tmp_path / "out", "--set", "tasks.captions.captions=one")
    assert other.returncode == 0 and "embedding" not in other.stderr
    table = run(["eval", collection / "paper.yaml", "-o", tmp_path / "out"]).stdout
    assert "Table 2: " in table and "OEA-Qwen3B" in table


def test_costs_beside_the_papers(collection: Path, tmp_path: Path) -> None:
    chosen = [
        "--set",
        "tasks=[{name: cost, kind: speed, datasets: [clotho], tables: [16], "
        "metrics: [audio ms, text ms, peak gb, trainable m]}]",
    ]
    done = paper(collection, tmp_path / "out", *chosen)
    assert done.returncode == 0, done.stderr
    rows = {row["metric"]: row for row in json.loads(done.stdout)["rows"]}
    assert [rows[name]["paper"] for name in rows] == [539.3, 2.6, 11.6, 16.2]
    assert rows["trainable m"]["ours"] == pytest.approx(2.838464)  # all of mini
    model = sum(path.stat().st_size for path in encoder_folder("mini").glob("*.safetensors")) / 1e9
    assert model < rows["peak gb"]["ours"] < 8
    assert rows["audio ms"]["ours"] > rows["text ms"]["ours"] / 100 > 0
    found = json.loads((tmp_path / "out/mini/clotho/results.json").read_text())
    assert found["device"] == "cpu" and found["versions"]["onnxruntime"]
    words = ["eval", collection / "paper.yaml", "-o", tmp_path / "out", *chosen]
    for form in ("table", "markdown"):
        text = " ".join(run([*words, "-f", form]).stdout.split())
        assert "on a CPU the memory of the whole process" in text


def test_an_encoder_trained_anew_under_its_name_is_noticed(
    collection: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(encoder_folder("mini"), folder)
    (folder / "onnx.json").unlink()  # its ONNX form would refuse the other heads
    chosen = [
        "--set",
        f"encoders=[{{name: mine, model: '{folder}'}}]",
        "--set",
        "tasks=[{name: c, kind: text-to-audio, metrics: [r@1, r@5, r@10], tables: [2]}]",
    ]
    result = tmp_path / "out/mine/clotho/results.json"

    def stamp() -> Any:
        return json.loads(result.read_text())["encoder"]

    first = paper(collection, tmp_path / "out", *chosen)
    assert first.returncode == 0 and first.stderr.count("embedding") == 3, first.stderr
    before = stamp()
    # What is written beside an encoder while it is trained is no part of it.
    (folder / "log.jsonl").write_text("{}")
    (folder / "checkpoint").mkdir()
    assert paper(collection, tmp_path / "out", *chosen).stderr == ""
    heads = load_file(folder / "heads.safetensors")
    name = next(name for name in heads if name.startswith("text_head.linear"))
    save_file({**heads, name: -heads[name]}, folder / "heads.safetensors")
    again = paper(collection, tmp_path / "out", *chosen)
    assert again.returncode == 0 and again.stderr.count("embedding") == 3, again.stderr
    assert stamp() != before and again.stdout != first.stdout


def test_what_cannot_run_is_named_and_the_rest_runs(collection: Path, tmp_path: Path) -> None:
    encoders = "encoders=[{name: oea-qwen7b}, {name: mini}]"
    broken = tmp_path / "broken.csv"
    broken.write_text("file_name,caption_1\nnone.wav,rain\n")
    chosen = ["--set", encoders, "--set", f"datasets.clotho.records={broken}"]
    done = paper(collection, tmp_path / "out", *chosen)
    assert done.returncode == 3, done.stderr
    assert "oea eval: oea-qwen7b: skipped: JudeJiwoo/OEA-Qwen7B-AC" in done.stderr
    assert "oea eval: mini/clotho: " in done.stderr
    assert not (tmp_path / "out/mini/clotho/results.json").exists()
    assert {row["dataset"] for row in json.loads(done.stdout)["rows"]} == {"audiocaps", "mecat"}


@pytest.mark.slow
def test_a_killed_run_goes_on(collection: Path, tmp_path: Path) -> None:
    words = ["eval", str(collection / "paper.yaml"), "-o", str(tmp_path / "out"), "-f", "json"]
    command = [sys.executable, "-m", "oea_cli", *words]
    first = tmp_path / "out/mini/audiocaps/results.json"
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment()
    ) as process:
        while not first.exists() and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    kept = first.stat().st_mtime_ns
    done = run(words)
    assert done.returncode == 0, done.stderr
    assert first.stat().st_mtime_ns == kept and "mini/audiocaps" not in done.stderr
    assert {row["dataset"] for row in json.loads(done.stdout)["rows"]} >= {"clotho", "mecat"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "uiq=gone"], "question_queries.jsonl in it"),
        (["--set", "sed=1"], "--set sed=1: unknown key; did you mean seed?"),
        (["-M", "r@1"], "a recipe says what is measured; leave the other options out"),
        (["--task", "text-to-text"], "leave the other options out"),
        (["--max-drop", "r@1=0"], "leave the other options out"),
        (["--report", "page.html"], "leave the other options out"),
        (["-m", "mini"], "leave the other options out"),
        (["--channel", "left"], "leave the other options out"),
        (["-f", "junit"], "with a recipe, -f must be table, json or markdown"),
        (["-o", "second"], "with a recipe, -o must be one folder for the results"),
    ],
)
def test_mistakes(collection: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = paper(collection, tmp_path / "out", *arguments)
    assert done.returncode == 2 and done.stdout == "" and message in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_seed_of_the_command_line_wins(collection: Path, tmp_path: Path) -> None:
    """A flag over its variable, and that over the recipe; `--set` rewrites the recipe itself."""
    task = (
        "{name: c, kind: text-to-audio, metrics: [r@1, r@5, r@10], tables: [2], datasets: [clotho]}"
    )
    words = ["eval", collection / "paper.yaml", "-o", tmp_path, "--set", f"tasks=[{task}]"]
    found = []
    for more, variables in (
        (["--set", "seed=3"], {}),
        ([], {"OEA_SEED": "3", "OEA_MODEL": "gone"}),
        (["--seed", "4"], {"OEA_SEED": "3"}),
        (["--set", "seed=3"], {"OEA_SEED": "4"}),
    ):
        done = run([*words, *more], env=variables)
        assert done.returncode == 0, done.stderr
        found.append(json.loads((tmp_path / "mini/clotho/results.json").read_text())["settings"])
    assert found[0] == found[1] == found[3] != found[2]


def test_set_without_a_recipe() -> None:
    done = run(["eval", "--set", "seed=1"])
    assert done.returncode == 2 and "name the recipe" in done.stderr
