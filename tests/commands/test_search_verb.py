"""`oea search` as a user runs it: every kind of query, every format, every refusal.

Texts and sounds are encoded by a tiny encoder with random weights, through the production path.
Run: pytest tests/test_search_verb.py
"""

import json
import os
import pty
import stat
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oea_cli.encoder.protocol import Encoder
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer
from oea_cli.vectors.index.building import build_index
from oea_cli.vectors.index.index import VectorIndex
from tests.commands.in_process import run
from tests.commands.test_embed_verb import popen
from tests.conftest import Completed, clean_environment

Hits = list[dict[str, Any]]
WORDS = ["a dog barks", "rain falls", "rain falls on a dog", "a user", "helpful system", "a query"]


@pytest.fixture(scope="session")
def texts(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of six texts, as if they were clips."""
    folder = tmp_path_factory.mktemp("texts") / "texts.oea"
    records = [
        {"id": f"t{n}", "path": f"sounds/{word}.wav", "captions": [word, "more"], "n": n}
        for n, word in enumerate(WORDS)
    ]
    batch = Batch(records, encoder.encode_text(WORDS))
    build_index(folder, [batch], dim=encoder.dim, encoder=encoder.encoder_id)
    return folder


def unit(count: int, dim: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """An index of fifty random vectors that name no encoder."""
    records = [
        {"id": f"c{n}", "path": f"a b/{n}.wav", "duration": n, "kind": "dog" if n % 2 else "cat"}
        for n in range(50)
    ]
    build_index(tmp_path / "plain.oea", [Batch(records, unit(50, 8))], dim=8, encoder=None)
    return tmp_path / "plain.oea"


def hits(done: Completed) -> Hits:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- the kinds of query


def test_text(texts: Path) -> None:
    found = hits(run(["search", "rain falls", "-i", texts, "-k", "3"]))
    assert [hit["rank"] for hit in found] == [1, 2, 3]
    assert found[0] == {
        "query_id": "rain falls", "rank": 1, "id": "t1", "score": 1.0,
        "path": "sounds/rain falls.wav", "captions": ["rain falls", "more"], "n": 1,
    }  # fmt: skip
    assert found[1]["score"] >= found[2]["score"]


def test_audio(encoder: Encoder, tone: Callable[..., Path], tmp_path: Path) -> None:
    from oea_cli.audio.windows import read_audio

    paths = [tone(tmp_path / f"{hz}.wav", hz) for hz in (200, 400, 800)]
    sounds = [read_audio(path, encoder.sample_rate) for path in paths]
    batch = Batch([{"id": path.name} for path in paths], encoder.encode_audio(sounds))
    build_index(tmp_path / "x.oea", [batch], dim=encoder.dim, encoder=encoder.encoder_id)
    found = hits(run(["search", "--audio", paths[1], "-i", tmp_path / "x.oea"]))
    assert found[0]["id"] == "400.wav" and found[0]["score"] == pytest.approx(1, abs=1e-5)
    assert found[0]["query_id"] == str(paths[1])
    missing = run(["search", "--audio", tmp_path / "no.wav", "-i", tmp_path / "x.oea"])
    assert missing.returncode == 1 and "no.wav" in missing.stderr
    assert len(missing.stderr.splitlines()) == 1


def test_like_leaves_the_clip_itself_out(plain: Path) -> None:
    found = hits(run(["search", "--like", "c7", "-i", plain, "-k", "50"]))
    assert len(found) == 49 and "c7" not in {hit["id"] for hit in found}
    cosines = unit(50, 8) @ unit(50, 8)[7]
    assert found[0]["id"] == f"c{np.argsort(-cosines)[1]}"
    lost = run(["search", "--like", "c77", "-i", plain])
    assert lost.returncode == 1 and "no record with id 'c77'; did you mean c7" in lost.stderr


@pytest.mark.parametrize("name", ["q.npy", "q.jsonl", "q.parquet", "q/"])
def test_queries_as_vectors(plain: Path, tmp_path: Path, name: str) -> None:
    with open_writer(f"{tmp_path}/{name}", encoder="clap:ff") as writer:
        writer.write(Batch([{"id": "q0"}, {"id": "q1"}], unit(50, 8)[[3, 9]]))
    found = hits(run(["search", "--queries", f"{tmp_path}/{name}", "-i", plain, "-k", "2"]))
    assert [(hit["query_id"], hit["rank"]) for hit in found] == [
        ("q0", 1), ("q0", 2), ("q1", 1), ("q1", 2),
    ]  # fmt: skip
    assert [found[0]["id"], found[2]["id"]] == ["c3", "c9"]


@pytest.mark.parametrize("name", ["bare.npy", "lines"])
def test_query_vectors_from_a_pipe(
    oea: Callable[..., Completed], plain: Path, tmp_path: Path, name: str
) -> None:
    vectors = unit(50, 8)[[3, 9]]
    if name == "bare.npy":
        np.save(tmp_path / name, vectors)
        content = (tmp_path / name).read_bytes()
    else:
        rows = [{"id": str(n), "embedding": v.tolist()} for n, v in enumerate(vectors)]
        content = "\n\n".join(map(json.dumps, rows)).encode()
    found = hits(oea(["search", "--queries", "-", "-i", plain, "-k", "1"], input=content))
    assert [(hit["query_id"], hit["id"]) for hit in found] == [("0", "c3"), ("1", "c9")]


def test_queries_as_records_texts_and_sounds(
    texts: Path, tone: Callable[..., Path], tmp_path: Path
) -> None:
    tone(tmp_path / "a.wav")
    (tmp_path / "q.jsonl").write_text(
        '{"id": "one", "text": "a user"}\n'
        '{"id": "two", "path": "a.wav"}\n'
        '{"id": "three", "text": "rain falls"}\n'
    )
    found = hits(run(["search", "--queries", tmp_path / "q.jsonl", "-i", texts, "-k", "1"]))
    assert [hit["query_id"] for hit in found] == ["one", "two", "three"]
    assert [found[0]["id"], found[2]["id"]] == ["t3", "t1"]


def test_queries_as_lines(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("a user\n\nrain falls\n")
    from_file = run(["search", "--queries", tmp_path / "q.txt", "-i", texts, "-k", "1"])
    assert [hit["id"] for hit in hits(from_file)] == ["t3", "t1"]
    from_pipe = run(
        ["search", "--queries", "-", "-i", texts, "-k", "1"], input="a user\n\nrain falls\n"
    )
    assert from_pipe.stdout == from_file.stdout


# --- conditions


def test_where_and_min_score(plain: Path) -> None:
    condition = "duration < 10 AND kind = 'cat'"
    found = hits(run(["search", "--like", "c20", "-i", plain, "--where", condition]))
    assert sorted(hit["id"] for hit in found) == ["c0", "c2", "c4", "c6", "c8"]
    least = found[2]["score"]
    some = run(["search", "--like", "c20", "-i", plain, "--where", condition, "--min-score", least])
    assert len(hits(some)) == 3
    none = run(["search", "--like", "c20", "-i", plain, "--where", "duration > 99"])
    assert (none.returncode, none.stdout, none.stderr) == (0, "", "oea search: no hits\n")


def test_not_pushes_down_what_resembles_it(texts: Path) -> None:
    before = hits(run(["search", "rain falls", "-i", texts]))
    after = hits(run(["search", "rain falls", "--not", "a user", "-i", texts]))
    assert {hit["id"] for hit in before} == {hit["id"] for hit in after}
    drop = {
        hit["id"]: hit["score"] - next(h["score"] for h in after if h["id"] == hit["id"])
        for hit in before
    }
    assert drop["t3"] == max(drop.values()) > 0
    assert min(drop.values()) >= 0, "nothing gains from an exclusion"
    twice = hits(run(["search", "rain falls", "--not", "a user", "--not", "a query", "-i", texts]))
    lowered = next(hit["score"] for hit in twice if hit["id"] == "t5")
    assert lowered < next(hit["score"] for hit in after if hit["id"] == "t5")


# --- formats


def test_a_least_score_that_is_no_number(plain: Path) -> None:
    done = run(["search", "--like", "c1", "-i", plain, "--min-score", "nan"])
    assert done.returncode == 2 and "must be a finite number; got nan" in done.stderr


def test_json_is_one_list(plain: Path) -> None:
    lines = hits(run(["search", "--like", "c1", "-i", plain, "-k", "3"]))
    whole = run(["search", "--like", "c1", "-i", plain, "-k", "3", "-f", "json"])
    assert json.loads(whole.stdout) == lines
    none = run(["search", "--like", "c1", "-i", plain, "--min-score", "2", "-q", "-f", "json"])
    assert json.loads(none.stdout) == [] and none.stderr == ""


def test_trec_run(tmp_path: Path) -> None:
    records = [{"id": "two words.wav"}, {"id": "100%\tü.wav"}]
    build_index(tmp_path / "x.oea", [Batch(records, unit(2, 4))], dim=4, encoder=None)
    np.save(tmp_path / "q.npy", unit(2, 4))
    done = run(["search", "--queries", tmp_path / "q.npy", "-i", tmp_path / "x.oea", "-f", "trec"])
    rows = [line.split(" ") for line in done.stdout.splitlines()]
    assert [row[:4] + row[5:] for row in rows[::2]] == [
        ["0", "Q0", "two%20words.wav", "1", "oea"],
        ["1", "Q0", "100%25%09ü.wav", "1", "oea"],
    ]
    assert float(rows[0][4]) == 1


def test_paths(plain: Path) -> None:
    lines = run(["search", "--like", "c1", "-i", plain, "-k", "2", "-f", "paths"]).stdout
    ended_by_nul = run(["search", "--like", "c1", "-i", plain, "-k", "2", "-0"]).stdout
    assert ended_by_nul == lines.replace("\n", "\0") and lines.count("\n") == 2
    assert lines.startswith("a b/")


def on_a_terminal(arguments: list[str | Path]) -> bytes:
    """What a verb writes to a stdout that is a terminal."""
    terminal, ours = pty.openpty()
    tty.setraw(ours)  # line ends as they were written
    with popen(arguments, stdout=ours) as process:
        os.close(ours)
        shown = b""
        with suppress(OSError):  # the terminal's end, as Linux tells it
            while chunk := os.read(terminal, 4096):
                shown += chunk
    os.close(terminal)
    assert process.returncode == 0
    return shown


def test_paths_command_no_terminal(tmp_path: Path) -> None:
    names = ["a.wav", "\x1b[2Jb.wav", "\x07bell.wav", "größe 1.wav"]
    records = [{"id": str(number), "path": name} for number, name in enumerate(names)]
    build_index(tmp_path / "x.oea", [Batch(records, unit(4, 4))], dim=4, encoder=None)
    arguments: list[str | Path] = ["search", "--like", "0", "-i", tmp_path / "x.oea", "-f", "paths"]
    with popen(arguments, stdout=subprocess.PIPE) as process:
        piped = process.communicate(timeout=60)[0]
    raw = [name.encode() for name in names[1:]]
    assert sorted(piped.splitlines()) == sorted(raw)
    shown = [b"\\x07bell.wav", b"\\x1b[2Jb.wav", "größe 1.wav".encode()]
    assert sorted(on_a_terminal(arguments).splitlines()) == sorted(shown)


def test_a_file_of_several_hits_is_one_path(tmp_path: Path) -> None:
    records = [
        {"id": f"long.wav#t={n},{n + 1}", "path": "long.wav", "start": n, "end": n + 1}
        for n in range(3)
    ]
    build_index(tmp_path / "x.oea", [Batch(records, unit(3, 4))], dim=4, encoder=None)
    np.save(tmp_path / "q.npy", unit(1, 4))
    arguments = ["search", "--queries", tmp_path / "q.npy", "-i", tmp_path / "x.oea"]
    assert run([*arguments, "-f", "paths"]).stdout == "long.wav\n"
    table = run([*arguments, "-f", "table"]).stdout
    assert "0–1" in table and "2–3" not in table
    assert "2–3" in run([*arguments, "-f", "table", "--windows"]).stdout


def test_table_fits_the_terminal_and_obeys_no_control_characters(tmp_path: Path) -> None:
    records = [
        {"id": "a", "path": "x" * 300, "captions": ["\x1b[31mred [bold]rain[/bold]", "b", "c"]}
    ]
    build_index(tmp_path / "x.oea", [Batch(records, unit(1, 4))], dim=4, encoder=None)
    np.save(tmp_path / "q.npy", unit(1, 4))
    table = run(
        ["search", "--queries", tmp_path / "q.npy", "-i", tmp_path / "x.oea", "-f", "table"],
        env={"COLUMNS": "60"},
    ).stdout
    assert all(len(line) <= 60 for line in table.splitlines())
    assert "\x1b" not in table and "[bold]" in table.replace("\n", "") and "(+2)" in table
    assert "██████████ 1.000" in table


def test_closed_pipe_is_no_error(plain: Path) -> None:
    np.save(plain.parent / "q.npy", unit(3000, 8))
    command = (
        f'"{sys.executable}" -m oea_cli search --queries q.npy -i plain.oea -k 50 '
        "| head -1; exit ${PIPESTATUS[0]}"
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=plain.parent, env=clean_environment(), capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["rank"] == 1


# --- refusals


def test_another_encoder_is_refused(texts: Path, encoder: Encoder, tmp_path: Path) -> None:
    with open_writer(str(tmp_path / "q.npy"), encoder="clap:ff") as writer:
        writer.write(Batch([{"id": "q"}], unit(1, encoder.dim)))
    done = run(["search", "--queries", tmp_path / "q.npy", "-i", texts])
    assert done.returncode == 1 and done.stdout == ""
    assert encoder.encoder_id in done.stderr and "clap:ff" in done.stderr


def test_an_encoder_that_has_changed_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    encoder_id = f"{encoder.name}:000000000000"
    batch = Batch([{"id": "a"}], unit(1, encoder.dim))
    build_index(tmp_path / "x.oea", [batch], dim=encoder.dim, encoder=encoder_id)
    done = run(["search", "rain", "-i", tmp_path / "x.oea"])
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert encoder_id in done.stderr and encoder.encoder_id in done.stderr


def test_texts_need_an_encoder(plain: Path) -> None:
    for arguments in (["rain"], ["--like", "c1", "--not", "rain"]):
        done = run(["search", *arguments, "-i", plain])
        assert done.returncode == 1 and "its vectors name no encoder" in done.stderr


def test_queries_of_another_dimension(plain: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "q.npy", unit(1, 5))
    done = run(["search", "--queries", tmp_path / "q.npy", "-i", plain])
    assert done.returncode == 1
    assert "holds 8-dimensional vectors, the query has 5" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to look for"),
        (["rain", "--like", "c1"], "TEXT and --like do not go together"),
        (["--like", "c1", "-0", "-f", "json"], "-0 ends paths"),
        (["--queries", "q.npy", "--play"], "--play plays the hits of one query"),
        (["--like", "c1", "-k", "0"], "--top-k must be a whole number of 1 or more; got '0'"),
    ],
)
def test_wrong_usage(plain: Path, arguments: list[str], words: str) -> None:
    done = run(["search", *arguments, "-i", plain])
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""


def test_no_queries(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    done = run(["search", "--queries", tmp_path / "none.jsonl", "-i", plain])
    assert done.returncode == 1 and "none.jsonl: no queries in it" in done.stderr
    allowed = run(["search", "--queries", tmp_path / "none.jsonl", "-i", plain, "--allow-empty"])
    assert allowed.returncode == 0
    missing = run(["search", "--queries", tmp_path / "no-such.jsonl", "-i", plain])
    assert missing.returncode == 1 and "no-such.jsonl" in missing.stderr


def test_queries_without_words_or_sounds(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("id,query\n1,rain\n")
    done = run(["search", "--queries", "q.csv", "-i", texts], cwd=tmp_path)
    needed = "no 'path' and no 'text'; every record needs one (it has 'id', 'query')"
    assert (done.returncode, done.stdout) == (1, "") and f"q.csv:2: {needed}" in done.stderr


def test_one_bad_query(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text(
        '{"id": "one", "text": "a user"}\n{"id": "bad"}\n{"id": "gone", "path": "gone.wav"}\n'
        '{"id": "three", "text": "rain falls"}\n'
    )
    arguments = ["search", "--queries", tmp_path / "q.jsonl", "-i", texts, "-k", "1"]
    done = run([*arguments, "--errors", tmp_path / "errors.jsonl"])
    assert done.returncode == 3
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [hit["query_id"] for hit in found] == ["one", "three"]
    assert "q.jsonl:2: no 'path' and no 'text'" in done.stderr and "gone.wav" in done.stderr
    errors = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    assert [error["id"] for error in errors] == ["bad", "gone"]
    strict = run([*arguments, "--on-error", "fail"])
    assert strict.returncode == 1 and strict.stdout == ""


# --- playing


@pytest.fixture
def players(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Put a program of a player's name on the PATH that writes its arguments to a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    before = os.environ["PATH"]

    def install(name: str) -> Path:
        log = tmp_path / "played.txt"
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return log

    os.environ["PATH"] = str(folder)
    yield install
    os.environ["PATH"] = before


def playable(folder: Path, tone: Callable[..., Path]) -> Path:
    path = tone(folder / "-odd name.wav", seconds=2)
    records = [
        {"id": "whole", "path": str(path)},
        {"id": "part", "path": str(path), "start": 0.5, "end": 1.25},
    ]
    build_index(folder / "x.oea", [Batch(records, unit(2, 4))], dim=4, encoder=None)
    return folder / "x.oea"


@pytest.mark.parametrize(
    ("player", "whole", "part"),
    [
        ("ffplay", "-ss 0.000 -i {}", "-ss 0.500 -t 0.750 -i {}"),
        ("play", "-q {} trim 0.000", "-q {} trim 0.500 0.750"),
    ],
)
def test_play(
    players: Callable[[str], Path], tone: Callable[..., Path], tmp_path: Path,
    player: str, whole: str, part: str,
) -> None:  # fmt: skip
    index = playable(tmp_path, tone)
    log = players(player)
    assert run(["search", "--like", "part", "-i", index, "--play"]).returncode == 0
    done = run(["search", "--like", "whole", "-i", index, "--play"])
    assert done.returncode == 0 and "playing 1 of 1" in done.stderr
    assert json.loads(done.stdout)["id"] == "part"
    path = str(tmp_path / "-odd name.wav")
    first, second = log.read_text().splitlines()
    assert first.endswith(whole.format(path)) and second.endswith(part.format(path))


def test_afplay_gets_the_window_cut_out(
    players: Callable[[str], Path], tone: Callable[..., Path], tmp_path: Path
) -> None:
    index = playable(tmp_path, tone)
    log = players("afplay")
    assert run(["search", "--like", "whole", "-i", index, "--play"]).returncode == 0
    assert log.read_text().strip().endswith("part.wav")


def test_play_without_a_player_says_which_there_are(
    players: Callable[[str], Path], plain: Path
) -> None:
    done = run(["search", "--like", "c1", "-i", plain, "-k", "1", "--play"])
    assert done.returncode == 1 and json.loads(done.stdout)["rank"] == 1, "the hits come first"
    assert "ffplay (FFmpeg), play (SoX), afplay (macOS)" in done.stderr


def test_play_names_files_that_are_gone(players: Callable[[str], Path], plain: Path) -> None:
    players("play")
    done = run(["search", "--like", "c1", "-i", plain, "-k", "1", "--play"])
    assert done.returncode == 1 and ".wav: no such file" in done.stderr
    assert json.loads(done.stdout)["rank"] == 1, "the hits come first"


# --- what is loaded


def test_searching_by_vectors_imports_no_torch(plain: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "q.npy", unit(2, 8))
    code = (
        "import sys\nfrom oea_cli.main import app\n"
        f"for how in (['--like', 'c1'], ['--queries', {str(tmp_path / 'q.npy')!r}]):\n"
        f"    try:\n        app(['search', *how, '-i', {str(plain)!r}])\n"
        "    except SystemExit as done:\n        assert not done.code\n"
        "    assert not {'torch', 'transformers', 'soundfile'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env=clean_environment(), check=True)


def test_the_index_is_a_snapshot_while_it_is_rebuilt(plain: Path) -> None:
    before = VectorIndex.open(plain)
    records = [{"id": "new"}]
    build_index(plain, [Batch(records, unit(1, 8))], dim=8, encoder=None)
    rows, _ = before.search(unit(1, 8), 50)
    assert {record["id"] for record in before.records(rows[0])} == {f"c{n}" for n in range(50)}
