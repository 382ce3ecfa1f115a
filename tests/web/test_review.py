"""`oea review` without its page: items, sounds, the log, progress, summaries, wrong usage.

Run: pytest tests/test_review.py
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oea_cli.clips.verdicts import Value, VerdictEntry, VerdictLog, majority, read_verdicts
from oea_cli.errors import OeaError
from oea_cli.web.review.clip_sounds import ClipSounds
from oea_cli.web.review.items import Item, read_items
from oea_cli.web.review.progress import ReviewProgress
from oea_cli.web.sounds import Sound
from tests.commands.in_process import run
from tests.conftest import clean_environment
from tests.web.review_server import lines_of

Tone = Callable[..., Path]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pair(number: int) -> dict[str, Any]:
    return {
        "target": f"{number}.wav",
        "hard_negative": f"n{number}.wav",
        "acoustic_score": 1 - number / 100,
        "captions": [f"caption {number}"],
        "hard_negative_captions": ["other"],
    }


def items_of(path: Path, sounds: ClipSounds | None = None) -> list[Item]:
    return read_items([str(path)], sounds or ClipSounds())


# --- items and their sounds ---


def test_pairs(tmp_path: Path, tone: Tone) -> None:
    tone(tmp_path / "1.wav")
    first, second = items_of(write(tmp_path / "p.jsonl", [pair(1), pair(2), pair(1)]))
    assert first.subject == {"target": "1.wav", "hard_negative": "n1.wav"}
    target, negative = first.sides
    assert (target.role, target.captions) == ("Target", ("caption 1",))
    assert target.found.sound == Sound((tmp_path / "1.wav").as_posix())
    assert negative.found.sound is None and "--clips" in negative.found.problem
    assert second.subject["target"] == "2.wav"


def test_queries_of_the_release_and_ours(tmp_path: Path) -> None:
    rows = [
        {"audio_id": "a.wav", "dataset": "clotho", "query_type": "question",
         "generated_query": "is it rain?", "original_captions": ["rain"]},
        {"audio_id": "a.wav", "dataset": "clotho", "negative_query": "rain, no wind",
         "negative_captions": ["wind"], "original_captions": ["rain"], "hard_negative": "b"},
        {"id": "q1", "text": "rain", "target": {"c": 2, "d": 1}, "type": "keyphrase"},
        {"text": "rain", "target": ["c"]},
        {"audio_id": "a", "negative_query": "rain, no wind", "negative_captions": ["wind"]},
    ]  # fmt: skip
    question, negative, ours, bare, released = items_of(write(tmp_path / "q.jsonl", rows))
    assert question.subject == {
        "audio_id": "a.wav", "dataset": "clotho", "query_type": "question", "text": "is it rain?",
    }  # fmt: skip
    assert [side.role for side in question.sides] == ["Clip"]
    assert question.sides[0].captions == ("rain",)
    assert negative.query_type == "negative"
    assert [(s.role, s.id, s.captions) for s in negative.sides] == [
        ("Target", "a.wav", ("rain",)),
        ("Hard negative", "b", ("wind",)),
    ]
    assert ours.subject == {"id": "q1", "query_type": "keyphrase", "text": "rain"}
    assert released.sides[1].captions == ("wind",) and released.sides[1].found.sound is None
    assert ours.sides[0].id == "c" and bare.subject == {"target": "c", "text": "rain"}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"target": "a"}, "x.jsonl:2: neither a pair"),
        ({"text": "rain"}, "x.jsonl:2: no 'target' and no 'audio_id'"),
        (
            {"target": ["a"], "hard_negative": "b"},
            r"x.jsonl:2: 'target' must be text .*; got \['a'\]",
        ),
        (
            {"target": "a", "hard_negative": True},
            "x.jsonl:2: 'hard_negative' must be text or a number; got True",
        ),
        ({"text": "rain", "target": "a"}, "both pairs and queries"),
    ],
)
def test_rows_that_cannot_be_judged(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(OeaError, match=says):
        items_of(write(tmp_path / "x.jsonl", [pair(1), row]))


def test_where_sounds_are_found(
    tmp_path: Path, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("own", "record", "indexed", "long"):
        tone(tmp_path / f"{name}.wav")
    row = {"target": "t", "hard_negative": "N", "target_path": "own.wav"}
    windows = {"target": "long#t=0,2.5", "hard_negative": "i"}
    rows = [row, windows, {"target": "long.wav#t=1,2", "hard_negative": "gone"}]
    records = [
        {"id": "n.wav", "path": str(tmp_path / "record.wav"), "captions": "one"},
        {"id": "long", "path": str(tmp_path / "long.wav")},
        {"id": "gone", "path": "not/there.wav"},
    ]

    def indexed(ids: Any) -> dict[str, Any]:
        assert {"t", "N", "i"} <= set(ids)
        return {"i": {"path": str(tmp_path / "indexed.wav"), "start": 1.0, "end": 2.0}}

    sounds = ClipSounds(records, indexed)
    first, second, third = items_of(write(tmp_path / "p.jsonl", rows), sounds)

    def found(item: Item) -> list[tuple[Any, ...]]:
        sounds = [side.found.sound for side in item.sides]
        return [(Path(s.path).name, s.start, s.end) for s in sounds if s]

    assert found(first) == [("own.wav", None, None), ("record.wav", None, None)]
    assert first.sides[1].captions == ("one",)
    assert found(second) == [("long.wav", 0.0, 2.5), ("indexed.wav", 1.0, 2.0)]
    assert found(third) == [("long.wav", 1.0, 2.0)]
    assert third.sides[1].found.problem.startswith("missing: not/there.wav (no such file in ")
    assert third.sides[1].found.problem.endswith("; --clips says where the sounds are now)")


def test_names_that_are_no_utf8_are_told(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"target,hard_negative\na,b\xff\n")
    with pytest.raises(OeaError, match=r"p\.csv:2: 'hard_negative' is not UTF-8"):
        items_of(tmp_path / "p.csv")


# --- the log ---

SUBJECT = {"target": "a", "hard_negative": "b"}


def verdict(value: str | None = "valid", who: str = "Ada") -> VerdictEntry:
    return VerdictEntry(SUBJECT, "verdict", value, who)


def test_a_line_per_verdict_and_the_last_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    log = VerdictLog(path)
    for value, who in [("valid", "Ada"), ("same", "Ben"), ("same", "Ada"), (None, "Ben")]:
        log.append(verdict(value, who))
    rows = lines_of(path)
    assert list(rows[0]) == ["target", "hard_negative", "verdict", "annotator", "time"]
    assert [row["verdict"] for row in rows] == ["valid", "same", "same", None]
    assert rows[0]["time"].endswith("Z")
    assert [(e.annotator, e.value) for e in read_verdicts([str(path)])] == [("Ada", "same")]
    log.close()


@pytest.mark.parametrize(
    "torn", ['{"target": "a", "hard_neg', '{"target": "ü'.encode()[:-1].decode("latin1")]
)
def test_a_line_that_a_crash_cut_off_is_no_verdict(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "v.jsonl"
    whole = '{"target": "a", "hard_negative": "b", "verdict": "same", "annotator": "Ada"}\n'
    path.write_bytes((whole + torn).encode("latin1"))
    assert len(read_verdicts([str(path)])) == 1
    log = VerdictLog(path)
    assert [entry.value for entry in log.entries] == ["same"]
    log.append(verdict("valid"))
    log.close()
    assert [row["verdict"] for row in lines_of(path)] == ["same", "valid"]


def test_a_whole_line_without_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text('{"target": "a", "hard_negative": "b", "verdict": "same", "annotator": "Ada"}')
    log = VerdictLog(path)
    log.append(verdict("valid", "Ben"))
    log.close()
    assert [row["verdict"] for row in lines_of(path)] == ["same", "valid"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"target": "a", "hard_negative": "b"}\n',
        b'{"target": "a", "hard_negative": "b"}',
        b"some notes\nof mine",
        b"[1, 2]",
        b'{"verdict": "perhaps", "annotator": "Ada", "target": "a", "hard_negative": "b"}\n',
        b'{"rating": 6, "annotator": "Ada", "id": "q"}\n',
        b'{"verdict": "same", "annotator": "Ada"}\n',
    ],
)
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.jsonl"
    path.write_bytes(content)
    with pytest.raises(OeaError, match=r"v\.jsonl:1: "):
        VerdictLog(path)
    assert path.read_bytes() == content


def test_a_sound_is_no_log_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    path.write_bytes(b"RIFF\x00\x00")
    with pytest.raises(OeaError, match=r"v\.jsonl: expected lines or records; got audio"):
        VerdictLog(path)
    assert path.read_bytes() == b"RIFF\x00\x00"


def test_what_cannot_be_stored_is_told_and_leaves_no_half_line(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from oea_cli.errors import OeaError\n"
        "from oea_cli.clips.verdicts import VerdictEntry, VerdictLog\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "log = VerdictLog(Path(sys.argv[1]))\n"
        "pair = {'target': 'a' * 70, 'hard_negative': 'b'}\n"
        "entry = VerdictEntry(pair, 'verdict', 'same', 'Ada')\n"
        "try:\n    [log.append(entry) for _ in range(9)]\nexcept OeaError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True, text=True, env=clean_environment(), check=True,
    )  # fmt: skip
    assert "v.jsonl: not stored: " in done.stdout
    assert path.read_bytes().endswith(b"}\n") and 0 < len(lines_of(path)) < 3


def test_two_programs_may_write_at_once(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from oea_cli.clips.verdicts import VerdictEntry, VerdictLog\n"
        "for n in range(40):\n"
        "    log = VerdictLog(Path('v.jsonl'))\n"
        "    pair = {'target': str(n), 'hard_negative': 'x' * 5000}\n"
        "    log.append(VerdictEntry(pair, 'verdict', 'same', sys.argv[1]))\n    log.close()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, who], cwd=tmp_path, env=clean_environment())
        for who in ("Ada", "Ben")
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    assert len(read_verdicts([str(tmp_path / "v.jsonl")])) == 80


# --- progress ---


def test_orders_hide_the_scores_and_stay(tmp_path: Path) -> None:
    items = items_of(write(tmp_path / "p.jsonl", [pair(n) for n in range(30)]))
    log = VerdictLog(tmp_path / "v.jsonl")

    def names(items: list[Item], who: str, seed: int = 0) -> list[str]:
        return [item.subject["target"] for item in ReviewProgress(items, log, seed).order(who)]

    ada = names(items, "Ada")
    assert ada == names(items, "Ada") and sorted(ada) == sorted(names(items, "Ben"))
    orders = {tuple(names(items, who, seed)) for who in ("Ada", "Ben") for seed in (0, 1)}
    assert len(orders) == 4 and tuple(item.subject["target"] for item in items) not in orders
    fewer = names(items[:20], "Ada")
    assert fewer == [name for name in ada if name in fewer], "more items do not stir the others"
    log.close()


def test_going_on_and_undoing_over_a_restart(tmp_path: Path) -> None:
    items = items_of(write(tmp_path / "p.jsonl", [pair(n) for n in range(3)]))

    def again() -> tuple[ReviewProgress, VerdictLog]:
        log = VerdictLog(tmp_path / "v.jsonl")
        return ReviewProgress(items, log), log

    progress, log = again()
    first, second, _ = progress.order("Ada")
    assert progress.next_open("Ada") == 0 and not progress.can_undo("Ada")
    progress.judge("Ada", first, "valid")
    progress.judge("Ada", second, "same")
    progress.judge("Ada", first, "unsure")
    log.close()
    progress, log = again()
    assert progress.next_open("Ada") == 2 and progress.num_done("Ada") == 2
    assert progress.next_open("Ben") == 0 and not progress.can_undo("Ben")
    assert progress.undo("Ada") == 0 and progress.value("Ada", first) == "valid"
    log.close()
    progress, log = again()
    assert progress.value("Ada", first) == "valid"
    assert progress.undo("Ada") == 1 and progress.undo("Ada") == 0 and progress.undo("Ada") is None
    assert progress.num_done("Ada") == 0
    log.close()
    assert [row["verdict"] for row in lines_of(tmp_path / "v.jsonl")] == [
        "valid", "same", "unsure", "valid", None, None,
    ]  # fmt: skip
    assert read_verdicts([str(tmp_path / "v.jsonl")]) == []


ACTIONS = st.lists(st.sampled_from(["valid", "same", "unsure", None]), max_size=12)


@settings(max_examples=25)
@given(ACTIONS, st.randoms(use_true_random=False))
def test_a_restart_changes_nothing(actions: list[str | None], random: Random) -> None:
    """None undoes; whatever was done, the log tells it all."""
    items = [Item({"target": name, "hard_negative": "h"}, ()) for name in "abc"]
    with TemporaryDirectory() as folder:
        log = VerdictLog(Path(folder) / "v.jsonl")
        progress = ReviewProgress(items, log)
        stack: list[tuple[Item, Value]] = []
        for action in actions:
            if action is None:
                progress.undo("Ada")
                if stack:
                    item, before = stack.pop()
                    assert progress.value("Ada", item) == before
                continue
            item = random.choice(items)
            stack.append((item, progress.value("Ada", item)))
            progress.judge("Ada", item, action)
        log.close()
        counted = read_verdicts([log.path.as_posix()])
        assert len(counted) == progress.num_done("Ada")
        log = VerdictLog(log.path)
        again = ReviewProgress(items, log)
        assert [again.value("Ada", item) for item in items] == [
            progress.value("Ada", item) for item in items
        ]
        while stack:
            item, before = stack.pop()
            assert again.undo("Ada") == again.order("Ada").index(item)
            assert again.value("Ada", item) == before
        assert not again.can_undo("Ada") and again.num_done("Ada") == 0
        log.close()


# --- the verb ---


def rating(who: str, clip: str, type: str, value: int, dataset: str = "clotho") -> dict[str, Any]:
    row = {"audio_id": clip, "dataset": dataset, "query_type": type, "text": f"{type} of {clip}"}
    return {**row, "rating": value, "annotator": who, "time": "2026-01-01T00:00:00Z"}


def test_summary_of_ratings_is_table_1(tmp_path: Path) -> None:
    rows = [
        rating("Ada", "x", "negative", 2),
        rating("Ben", "x", "negative", 4),
        rating("Ada", "y", "tagging", 5, "mecat"),
        rating("Ben", "y", "tagging", 4, "mecat"),
        rating("Ada", "x", "question", 1),
        rating("Ada", "x", "question", 3),
    ]
    path = write(tmp_path / "r.jsonl", rows)
    done = run(["review", "--summary", path])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["ratings"]
    assert found["queries"] == 3 and found["by_annotator"] == {"Ada": 3, "Ben": 2}
    by_type = {row["type"]: row for row in found["types"]}
    assert list(by_type) == ["question", "keyphrase", "negative", "overall"]
    assert (by_type["negative"]["mean"], by_type["negative"]["sd"]) == (3.0, 1.414214)
    assert by_type["question"]["mean"] == 3.0 and by_type["question"]["sd"] is None
    assert by_type["keyphrase"]["datasets"]["mecat"]["mean"] == 4.5
    assert by_type["keyphrase"]["datasets"]["clotho"]["ratings"] == 0
    assert by_type["overall"]["mean"] == 3.6
    assert found["alpha"]["level"] == "ordinal"
    table = run(["review", "--summary", path, "-f", "table"]).stdout
    assert "3 queries rated by 2 annotators, 2 of them by two or more" in table
    assert "negative         2  3.00 ± 1.41  3.00 ± 1.41\n" in table, table


def test_summary_of_verdicts(tmp_path: Path) -> None:
    said = {"Ada": "vvsu", "Ben": "vss", "Cy": "vvs"}
    words = {"v": "valid", "s": "same", "u": "unsure"}
    for who, letters in said.items():
        rows = [
            {"target": str(n), "hard_negative": "h", "verdict": words[letter], "annotator": who}
            for n, letter in enumerate(letters)
        ]
        write(tmp_path / f"{who}.jsonl", rows)
    files = sorted(tmp_path.glob("*.jsonl"))
    found = json.loads(run(["review", "--summary", *files]).stdout)["verdicts"]
    assert found["counts"] == {"valid": 5, "same": 4, "unsure": 1}
    assert found["by_annotator"]["Ada"] == {"valid": 2, "same": 1, "unsure": 1}
    assert found["majority"] == {"valid": 2, "same": 1, "unsure": 1, "tie": 0}
    # Units vvv, vsv, sss: D_o = 4 / 2 / 9, D_e = 2 * 5 * 4 / (9 * 8).
    assert found["alpha"]["value"] == pytest.approx(1 - (2 / 9) / (40 / 72), abs=1e-6)
    table = run(["review", "--summary", *files, "-f", "table"]).stdout
    assert "Krippendorff's alpha 0.600 (nominal)" in table
    assert "By majority: valid 2, same 1, unsure 1, tie 0" in table


def test_majority() -> None:
    assert majority(["a", "b", "a"]) == "a" and majority(["a", "b"]) is None


def test_summary_reads_a_pipe_and_says_what_is_wrong(tmp_path: Path) -> None:
    line = '{"target":"a","hard_negative":"b","verdict":"same","annotator":"Ada"}\n'
    assert '"same": 1' in run(["review", "--summary", "-"], input=line).stdout
    empty = run(["review", "--summary", "-"], input="")
    assert empty.returncode == 1 and "no verdicts" in empty.stderr
    assert run(["review", "--summary", "-", "--allow-empty"], input="").returncode == 0
    wrong = run(["review", "--summary", "-"], input=line + '{"target": "a"}\n')
    assert wrong.returncode == 1 and "stdin:2: no verdict and no rating" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["p.jsonl"], 2, "the verdicts need a file; give -o verdicts.jsonl"),
        (["p.jsonl", "-o", "p.jsonl"], 2, "verdicts need a file of their own"),
        (["p.jsonl", "-o", "./p.jsonl"], 2, "verdicts need a file of their own"),
        (["p.jsonl", "-o", "v", "-f", "json"], 2, "-f goes with --summary only"),
        (["p.jsonl", "-o", "v", "--annotator", " "], 2, "a name must have 1 to 80 characters"),
        (["p.jsonl", "-o", "/dev/null"], 1, "/dev/null: is not a file that can be added to"),
        (["p.jsonl", "-o", "no/v.jsonl"], 1, "no/v.jsonl: there is no folder no"),
        (["p.jsonl", "-o", "v", "--clips", "gone"], 1, "gone: no such file or folder"),
        (["p.jsonl", "-o", "v", "-i", "gone.oea"], 1, "gone.oea"),
        (["gone.jsonl", "-o", "v"], 1, "gone.jsonl: no such file or folder"),
        (["e.jsonl", "-o", "v"], 1, "nothing to review"),
        (["--summary", "p.jsonl", "-o", "v"], 2, "-o: not with --summary"),
        (["--summary", "p.jsonl"], 1, "p.jsonl:1: no verdict and no rating"),
    ],
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    write(tmp_path / "p.jsonl", [pair(1)])
    write(tmp_path / "e.jsonl", [])
    done = run(["review", "--no-browser", *arguments], cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.jsonl", "p.jsonl"]


def test_nothing_to_review_may_be_allowed(tmp_path: Path) -> None:
    write(tmp_path / "e.jsonl", [])
    assert run(["review", "e.jsonl", "-o", "v", "--allow-empty"], cwd=tmp_path).returncode == 0


def test_without_the_extra(tmp_path: Path) -> None:
    write(tmp_path / "p.jsonl", [pair(1)])
    # An installation without Starlette: nothing of that name is found any more.
    code = (
        "import sys, importlib.util\nsys.modules['starlette'] = None\n"
        "from oea_cli.main import app\napp(['review', 'p.jsonl', '-o', 'v'], prog_name='oea')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env=clean_environment(), cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.strip().endswith("pip install 'oea[web]'")
    assert not (tmp_path / "v").exists()


@pytest.mark.skipif(os.name != "posix", reason="ports under 1024 are free to all there")
def test_a_port_that_is_taken(tmp_path: Path) -> None:
    import socket

    write(tmp_path / "p.jsonl", [pair(1)])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(["review", "p.jsonl", "-o", "v", "--no-browser", "--port", port], cwd=tmp_path)
    assert done.returncode == 1 and f"port {port}: Address already in use" in done.stderr
