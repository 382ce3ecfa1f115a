"""Every verb with an encoder that runs out of memory: the same results as with enough of it.

The encoder is a package of its own, found by its entry point: counts of letters, energies of
frequency bands. `narrow:N` has room for N inputs at a time and raises MemoryError above.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.in_process import run
from tests.encoder.test_plug_ins import offer
from tests.evaluation.captioned import write_rows, write_sound

PLENTY, LITTLE = "narrow:1000", "narrow:1"
COUNT = 24  # more than the lanes can take one by one
NARROW = """
import numpy as np

from oea_cli.encoder.others.plain import PlainEncoder

REFUSED = []


class Narrow(PlainEncoder):
    sample_rate, max_seconds = 8000, 1.0

    def __init__(self, name, room):
        super().__init__(name, "f1", 26)
        self.room = room

    def text_vectors(self, texts):
        self.check(texts)
        letters = [[text.count(chr(97 + n)) + 0.1 for n in range(26)] for text in texts]
        return np.array(letters)

    def audio_vectors(self, waveforms):
        self.check(waveforms)
        spectra = [np.abs(np.fft.rfft(waveform, 2 * 26 * 100)) for waveform in waveforms]
        return np.stack([row[:-1].reshape(26, 100).mean(1) + 0.1 for row in spectra])

    def check(self, inputs):
        if len(inputs) > self.room:
            REFUSED.append(len(inputs))
            raise MemoryError


def load(name, placement):
    return Narrow(str(name), int(name.place))
"""
Compare = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Clips with captions, queries of both kinds, and an index, with the package on the path."""
    place = tmp_path_factory.mktemp("memory")
    offer(place, "narrow-memory", "narrow", "narrow", NARROW)
    words = [
        " ".join(chr(97 + (i * j + j) % 26) * (1 + i % 3) for j in range(9)) for i in range(99)
    ]
    clips = []
    for i in range(COUNT):
        write_sound(place / f"{i}.wav", i, 0.5 + i % 3 / 8, 8000)
        clips.append({"path": f"{i}.wav", "captions": words[2 * i : 2 * i + 2]})
    write_rows(place / "clips.jsonl", clips)
    write_sound(place / "long.wav", 3, 30.0, 8000)
    (place / "texts.txt").write_text("\n".join(words[:COUNT]) + "\n")
    asked = [{"id": f"q{i}", "text": words[i], "target": f"{i}.wav"} for i in range(COUNT)]
    write_rows(place / "texts.jsonl", asked)
    heard = [
        {"id": f"q{i}", "path": f"{i}.wav", "target": f"{(i + 1) % COUNT}.wav"}
        for i in range(COUNT)
    ]
    write_rows(place / "sounds.jsonl", [*heard, {"path": "long.wav", "target": "3.wav"}])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        assert run(["embed", "clips.jsonl", "-m", PLENTY, "-o", "v.npy"], cwd=place).returncode == 0
        assert run(["index", "v.npy", "-o", "x.oea"], cwd=place).returncode == 0
        yield place
    sys.modules.pop("narrow", None)


@pytest.fixture
def compare(folder: Path) -> Compare:
    """Run a verb twice, with room and without; its output, which has to be the same."""

    def both(*words: str) -> str:
        refused = sys.modules["narrow"].REFUSED
        with_room = run([*words, "-m", PLENTY], cwd=folder)
        assert with_room.returncode == 0, with_room.stderr
        before = len(refused)
        without = run(
            [LITTLE if word == PLENTY else word for word in words] + ["-m", LITTLE], cwd=folder
        )
        assert without.returncode == 0, without.stderr
        assert len(refused) > before, "memory never ended"
        assert without.stdout.replace(f"{LITTLE}:", f"{PLENTY}:") == with_room.stdout
        return with_room.stdout

    return both


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_embed(compare: Compare) -> None:
    assert len(rows_of(compare("embed", "clips.jsonl", "long.wav"))) == COUNT + 30
    assert len(rows_of(compare("embed", "--text", "texts.txt"))) == COUNT


def test_search_by_a_text_without_others(compare: Compare) -> None:
    unwanted = [word for n in range(COUNT) for word in ("--not", f"{chr(97 + n)} sound")]
    assert len(rows_of(compare("search", "a dog", *unwanted, "-i", "x.oea"))) == 10


def test_search_by_a_long_sound(compare: Compare) -> None:
    hits = rows_of(compare("search", "--audio", "long.wav", "-i", "x.oea"))
    assert hits[0]["id"] == "3.wav" and hits[0]["query_id"] == "long.wav"


@pytest.mark.parametrize("queries", ["texts.txt", "texts.jsonl", "sounds.jsonl"])
def test_search_by_many_queries(compare: Compare, queries: str) -> None:
    hits = rows_of(compare("search", "--queries", queries, "-i", "x.oea", "-k", "3"))
    assert len(hits) == 3 * (COUNT + (queries == "sounds.jsonl"))


@pytest.mark.parametrize(
    "words",
    [
        ["--queries", "texts.jsonl"],
        ["--queries", "sounds.jsonl"],
        [],
        ["--task", "audio-to-text"],
        ["--task", "text-to-text"],
        ["--task", "audio-to-audio", "--queries", "sounds.jsonl"],
    ],
    ids=" ".join,
)
def test_eval(compare: Compare, words: list[str]) -> None:
    results = json.loads(compare("eval", "-i", "x.oea", "-M", "mrr", "-f", "json", *words))
    assert results["counts"]["queries"] >= COUNT
    assert results["counts"].get("queries_not_encoded", 0) == 0


def test_mine_negatives(compare: Compare) -> None:
    words = ["mine-negatives", "clips.jsonl", "--text-model", PLENTY, "--keep-ratio", "10"]
    pairs = rows_of(compare(*words, "--max-text-similarity", "1.1", "-n", "2"))
    assert len(pairs) > COUNT and "narrow" in pairs[0]["mined_by"]


def test_what_does_not_fit_alone_is_named(folder: Path) -> None:
    alone = run(["search", "a dog", "-i", "x.oea", "-m", "narrow:0"], cwd=folder)
    assert alone.returncode == 1
    assert alone.stderr == "oea search: 'a dog' does not fit into memory, even alone\n"
    sound = run(["search", "--audio", "long.wav", "-i", "x.oea", "-m", "narrow:0"], cwd=folder)
    assert sound.returncode == 1
    notice, failure = sound.stderr.splitlines()
    assert notice.startswith("oea search: out of memory: a batch of 30 did not fit")
    assert failure == "oea search: long.wav: does not fit into memory, even alone"
    evaluated = ["eval", "-i", "x.oea", "-m", "narrow:0", "--queries", "texts.jsonl", "-M", "mrr"]
    done = run([*evaluated, "-f", "json"], cwd=folder)
    assert done.returncode == 1 and f"all {COUNT} inputs failed" in done.stderr
