"""The jobs that are killed: a verb, what it finds, and what it must leave."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.conftest import REPOSITORY
from tests.evaluation.captioned import write_clips
from tests.kills import contents
from tests.kills.contents import Read

ANIMALS = ("dog", "horse", "cow", "duck", "goat", "pig", "owl", "frog", "cat", "rooster")
SMOKE = REPOSITORY / "recipes" / "smoke.yaml"


@dataclass(frozen=True)
class Job:
    """`oea WORDS` in a folder that holds copies of `given`; `read` tells what is there afterwards.

    With `goes_on`, what is there after a stop may be any part of the whole; `one_by_one`, any of
    the whole's files. `kept` only ever grow, line by line.
    """

    name: str
    words: tuple[str, ...]
    read: Read
    given: tuple[str, ...] = ()
    goes_on: bool = False
    one_by_one: bool = False
    kept: tuple[str, ...] = ()


def prepare(place: Path) -> None:
    """Everything that jobs are given, made once."""
    from oea_cli.vectors.batch import Batch
    from oea_cli.vectors.files.formats import open_writer

    texts = [{"id": f"t{n:03}", "text": f"a dog barks {n} times as rain falls"} for n in range(400)]
    _lines(place / "texts.jsonl", texts)
    clips = [
        {"id": noun, "captions": [f"a {noun} makes a loud call near a wooden barn"]}
        for noun in ANIMALS
    ]
    _lines(place / "clips.jsonl", clips)
    rng = np.random.default_rng(1)
    for name, first, rows in (
        ("old", 0, 4000),
        ("new", 3000, 4000),
        ("more", 4000, 4000),
        ("few", 0, 300),
    ):
        records = [
            {"id": f"c{n}", "captions": [f"sound {n % 60} of {n % 7}"], "n": n}
            for n in range(first, first + rows)
        ]
        vectors = rng.standard_normal((rows, 64), dtype=np.float32)
        with open_writer(str(place / f"{name}.npy"), encoder="m:0123456789ab") as writer:
            writer.write(Batch(records, vectors))
    queries = [
        {"id": f"q{n}", "target": f"c{n}", "embedding": rng.standard_normal(64).tolist()}
        for n in range(60)
    ]
    _lines(place / "queries.jsonl", queries)
    write_clips(place / "sounds", 40, seconds=(0.4, 0.8))


def _lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def jobs(encoder: Path, llm: str) -> list[Job]:
    """All jobs; `encoder` is a folder with a tiny one, `llm` a server's address."""
    embed = ("embed", "--text", "texts.jsonl", "-m", str(encoder), "-b", "4", "-o")
    vectors, index = contents.vectors, contents.index
    old = ("old.oea",)
    report = ("r.json", "r.md", "r.html")
    return [
        Job("embed -o X.jsonl", (*embed, "v.jsonl"), vectors("v.jsonl")),
        Job("embed -o X.npy", (*embed, "v.npy"), vectors("v.npy")),
        Job("embed -o X.parquet", (*embed, "v.parquet"), vectors("v.parquet")),
        Job("embed -o DIR/", (*embed, "v/"), vectors("v"), goes_on=True),
        Job("index", ("index", "new.npy", "-o", "new.oea"), index("new.oea")),
        Job("index, over another", ("index", "few.npy", "-o", "old.oea"), index("old.oea"), old),
        Job("index --append", ("index", "--append", "more.npy", "-o", "old.oea"),
            index("old.oea"), old),
        Job("index --replace", ("index", "--replace", "new.npy", "-o", "old.oea"),
            index("old.oea"), old),
        Job("index --delete", ("index", "--delete", "c7", "-o", "old.oea"), index("old.oea"), old),
        Job("index --compact", ("index", "--compact", "--storage", "f16", "-o", "old.oea"),
            index("old.oea"), old),
        Job("eval -o --report",
            ("eval", "--queries", "queries.jsonl", "--corpus", "few.npy", "-M", "r@10",
             *(word for name in report[:2] for word in ("-o", name)), "--report", report[2]),
            contents.files(*report), one_by_one=True),
        Job("mine-negatives",
            ("mine-negatives", "few.npy", "--text-model", str(encoder), "-o", "pairs.jsonl",
             "--max-text-similarity", "2"),
            contents.lines("pairs.jsonl")),
        Job("gen-queries", ("gen-queries", "clips.jsonl", "-o", "uiq.jsonl"),
            contents.lines("uiq.jsonl")),
        Job("gen-queries --llm",
            ("gen-queries", "clips.jsonl", "-t", "imperative", "--llm", llm, "--llm-model", "m",
             "-o", "uiq.jsonl"),
            contents.lines("uiq.jsonl"), kept=("uiq.jsonl.answers.jsonl",)),
        Job("demo", ("demo", "d", "--scenes", "30"), contents.tree("d", "clips.jsonl")),
        Job("train", ("train", str(SMOKE), "-o", "run", "-j", "0", "--set", "folders.clips=sounds"),
            contents.weights("run"), goes_on=True),
        Job("models export", ("models", "export", str(encoder), "-o", "enc"),
            contents.weights("enc")),
    ]  # fmt: skip


def give(job: Job, place: Path, folder: Path) -> None:
    """A fresh folder with all that the job finds."""
    for path in place.iterdir():
        if path.is_file():
            (folder / path.name).hardlink_to(path)
    (folder / "sounds").symlink_to(place / "sounds")
    for name in job.given:
        shutil.copytree(place / name, folder / name)
