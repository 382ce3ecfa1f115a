"""Targets: text that people write and other programs export: tables, lists, runs, judgments."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import orjson

from oea_cli.clips.clip import read_clips
from oea_cli.clips.leaks import load_blacklist
from oea_cli.clips.pairs import read_pairs
from oea_cli.clips.queries import read_queries
from oea_cli.clips.verdicts import VerdictLog, read_verdicts
from oea_cli.errors import Failure
from oea_cli.evaluation.inputs.qrels import read_qrels
from oea_cli.evaluation.inputs.run_outcomes import run_outcomes
from oea_cli.evaluation.inputs.runs import read_run
from oea_cli.query_generation.models.answers import AnswerFile
from oea_cli.records.inputs import read_records
from oea_cli.records.json_lines import json_line
from oea_cli.vectors.files.formats import read_embeddings
from tests.fuzz.mutations import any_of, damaged_bytes, damaged_lines, lying_json
from tests.fuzz.target import Mutation, Target

WORDS = "rain", "Über den Dächern", "чайка", "雨", "café", "a\u0301", "“so”", "\U0001f327"
ENCODINGS = "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "latin-1", "cp1251"
ENCODINGS += "shift_jis", "gb18030", "utf-7", "cp037"
LINE_ENDS = "\r", "\r\n", "\n\r", "\u2028", "\x0b", "\x0c", "\x1c", "\0", "\n\n", " \n", ""
MARKS = ('"', "'", ",", ";", "\t", "\r", "\0", "[", "]", "{", "}", "\\", "\ufeff", "\ud800", " ")
CELLS = ("", "nan", "None", "['a', 'b']", "['a' 'b']", '["a"', "[" * 300, "{'a': 1}", "9" * 5000)
CELLS += ("1e999", "-0", "\x1b[31m", "../..", ".", "/", "x" * 300, "=1+1", "#N/A")
VALUES = (
    "null",
    "[]",
    "{}",
    "0",
    "1e3",
    "1e25",
    "-1",
    "true",
    '""',
    '"\\u0000"',
    "9" * 40,
    "[[1]]",
)
VALUES += ('{"a": 1}', '["a", null]', '{"bytes": "x"}', "[" * 200 + "]" * 200, "1.5", '["a", "b"]')


def other_encoding(random: Random, whole: bytes) -> bytes:
    """The text with other letters, in another encoding."""
    text = whole.decode()
    word = random.choice(WORDS)
    letters = [place for place, letter in enumerate(text) if letter.isalpha()]
    for place in sorted(random.sample(letters, min(3, len(letters))), reverse=True):
        text = text[:place] + word + text[place:]
    return text.encode(random.choice(ENCODINGS), "replace")


def other_line_ends(random: Random, whole: bytes) -> bytes:
    """The text with all line ends, or some, of another kind."""
    end = random.choice(LINE_ENDS)
    if random.random() < 0.5:
        return whole.replace(b"\n", end.encode())
    lines = whole.decode().split("\n")
    return "".join(line + random.choice([end, "\n"]) for line in lines).encode()


def stray_marks(random: Random, whole: bytes) -> bytes:
    """The text with marks that mean something put anywhere."""
    text = whole.decode()
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(text))
        text = text[:place] + random.choice(MARKS) * random.choice([1, 1, 2, 7]) + text[place:]
    return text.encode("utf-8", "surrogatepass")


def other_cells(random: Random, whole: bytes) -> bytes:
    """A table with other cells, of its header too, and with columns gone, moved or doubled."""
    rows = [line.split(",") for line in whole.decode().rstrip("\n").split("\n")]
    for _ in range(random.randint(1, 4)):
        row = random.choice([rows[0], random.choice(rows)])
        place = random.randrange(len(row)) if row else 0
        match random.randrange(4):
            case 0:
                row[place : place + 1] = [random.choice(CELLS)]
            case 1:
                row.insert(place, random.choice(row) if row else "x")
            case 2:
                del row[place : place + 1]
            case _:
                random.shuffle(row)
    return "\n".join(",".join(row) for row in rows).encode()


def other_values(random: Random, whole: bytes) -> bytes:
    """JSON lines with other values, and with keys gone or under another name."""
    lines = whole.decode().rstrip("\n").split("\n")
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(lines))
        try:
            row = json.loads(lines[place])
        except json.JSONDecodeError:
            continue
        _change(random, row)
        text = json.dumps(row)
        lines[place] = text.replace('"@@"', random.choice(VALUES))
    return ("\n".join(lines) + "\n").encode()


def _change(random: Random, row: object) -> None:
    """Put a mark in place of a value, at any depth, or take a key away."""
    while isinstance(row, dict) and row:
        key = random.choice(list(row))
        inner = row[key]
        if isinstance(inner, dict | list) and inner and random.random() < 0.6:
            row = inner if isinstance(inner, dict) else {0: inner}
            if isinstance(inner, list):
                inner[random.randrange(len(inner))] = "@@"
                return
            continue
        match random.randrange(4):
            case 0:
                del row[key]
            case 1:
                row[random.choice(["id", "_id", "", "text", "path", "start", "captions"])] = "@@"
            case _:
                row[key] = "@@"
        return


LINES = any_of(damaged_lines, other_encoding, other_line_ends, stray_marks, damaged_bytes)
TABLE = any_of(
    other_cells, other_cells, other_encoding, other_line_ends, stray_marks, damaged_lines
)
JSON_LINES = any_of(other_values, other_values, other_values, LINES)


def _ignored(_: Failure) -> None:
    """A row that cannot be used, which a verb would name."""


def _records(name: str, *, text: bool = False) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        for record in read_records([str(folder / name)], report=_ignored, text=text):
            json_line(record)

    return read


def _listed(folder: Path) -> None:
    for record in read_records([], report=_ignored, files_from=str(folder / "x")):
        json_line(record)


def _run(folder: Path) -> None:
    queries = read_qrels({"q1": {"a.wav": 1}, "q é": {"b.wav": 2}})
    run_outcomes(read_run(str(folder / "x")), queries)


def _queries(folder: Path) -> None:
    for query in read_queries([str(path) for path in folder.glob("x*")]):
        orjson.dumps([query.id, dict(query.targets), query.text, query.path, query.about])


def _clips(folder: Path) -> None:
    clips, pairs = read_clips([str(path) for path in folder.glob("x*")], report=_ignored)
    for clip in clips:
        orjson.dumps([clip.id, clip.captions, clip.seconds])
    orjson.dumps([pair.as_row() for pair in pairs])


def _answers(folder: Path) -> None:
    AnswerFile(folder / "x").find("k")


def _log(folder: Path) -> None:
    VerdictLog(folder / "x").close()


def _vectors(folder: Path) -> None:
    for batch in read_embeddings(folder / "x.jsonl"):
        list(batch.ids)


def _target(
    name: str,
    file: str,
    content: str,
    read: Callable[[Path], object],
    mutate: Mutation = LINES,
    weight: float = 1.0,
) -> Target:
    def make(folder: Path) -> list[str]:
        (folder / file).write_text(content)
        return [file]

    return Target(f"text-{name}", make, read, mutate, weight)


ROWS = [
    {"id": "a.wav", "path": "a.wav", "captions": ["rain", "wind"], "start": 0.5, "end": 2},
    {"id": 7, "text": "a dog barks", "tags": {"a": [1, 2.5]}},
    {"_id": "c", "audio": {"path": "c.wav", "bytes": None}, "caption": "sea", "duration": 3},
]
QUERIES = [
    {"id": "q1", "text": "rain", "target": ["a.wav", "b.wav"], "hard_negative": "c.wav"},
    {"id": 2, "path": "x.wav", "target": {"a.wav": 2, "b.wav": 0}, "type": "question"},
]
UIQ = [
    {
        "audio_id": f"clip{n}", "dataset": "clotho", "query_type": kind, key: f"find {kind} {n}",
        "original_captions": [f"rain {n}", "wind"], "negative_captions": ["rain 1", "wind"],
    }
    for n, (kind, key) in enumerate(
        [("question", "generated_query"), ("question", "generated_query"),
         ("negative", "negative_query")]
    )
]  # fmt: skip
PAIRS = [
    {"target": "a", "hard_negative": "b", "captions": ["rain"], "verdict": "valid"},
    {"target": "b", "hard_negative": "c", "acoustic_score": 0.5, "annotators": ["x"]},
]
VERDICTS = [
    {"target": "a", "hard_negative": "b", "verdict": "same", "annotator": "x", "time": "t"},
    {"id": "q", "text": "rain", "rating": 3, "annotator": "x", "time": "t"},
]
ANSWER = {"key": "k", "text": "rain", "tokens_in": 1, "tokens_out": 2}
VECTORS = [{"id": f"c{n}", "embedding": [1.0, n / 3, 0.5], "encoder": "t:0123"} for n in range(4)]
MECAT = [{f"c{n}": {"short": ["rain"], "long": ["it rains"], "speech": ["None"]}} for n in range(3)]
CLOTHO = "file_name,caption_1,caption_2\na.wav,rain,wind\nb.wav,sea,fire\n"
METADATA = "file_name,keywords,sound_id,start_end_samples\na.wav,x;y,7,[0; 9]\nb.wav,z,8,[1; 2]\n"
AUDIOCAPS = "audiocap_id,youtube_id,start_time,caption\n1,abc,30,rain\n2,abc,30,wind\n3,d,0,sea\n"
WAVCAPS = {"data": [{"id": "1", "caption": "rain", "audio": "w", "duration": 2.5, "title": "t"}]}
BEIR = [{"_id": "d1", "title": "t", "text": "rain"}, {"_id": "d2", "title": "", "text": "sea"}]
RUN = "q1 Q0 a.wav 1 0.9 x\nq1 Q0 b.wav 2 0.8 x\nq%20é Q0 b.wav 1 0.7 x\n"
HITS = [{"query_id": "q1", "rank": 1, "id": "a.wav", "score": 0.5}]


def _lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _qrels(folder: Path) -> None:
    for path in folder.glob("x*"):
        for query in read_qrels(str(path)):
            orjson.dumps([query.id, dict(query.targets)])


def _verdicts(folder: Path) -> None:
    read_verdicts([str(folder / "x.jsonl")])


def _pairs(folder: Path) -> None:
    orjson.dumps([pair.as_row() for pair in read_pairs(str(folder / "x.jsonl"))])


def _blacklist(folder: Path) -> None:
    load_blacklist(folder / "x.json")


JSON = any_of(lying_json, other_encoding, stray_marks, damaged_bytes)
TARGETS = [
    _target("jsonl", "x.jsonl", _lines(ROWS), _records("x.jsonl"), JSON_LINES, 2),
    _target("jsonl-texts", "x.jsonl", _lines(ROWS), _records("x.jsonl", text=True), JSON_LINES),
    _target(
        "csv",
        "x.csv",
        "id,path,captions,start\na,a.wav,['x'],0.5\nb,b.wav,rain,\nc,c.wav,,1\n",
        _records("x.csv"),
        TABLE,
        2,
    ),
    _target("lines", "x.txt", "rain\na dog\nwind\n", _records("x.txt", text=True)),
    _target("list", "x", "a.wav\nb.wav\n", _listed),
    _target("run", "x", RUN, _run, weight=2),
    _target("run-jsonl", "x", _lines(HITS * 1), _run, JSON_LINES),
    _target("qrels", "x", "q1 0 a.wav 1\nq2 0 b.wav 2\nq2 0 c 0\n", _qrels, weight=2),
    _target("qrels-beir", "x.tsv", "query-id\tcorpus-id\tscore\nq\ta\t1\nr\tb\t2\n", _qrels),
    _target("qrels-csv", "x.csv", "query-id,corpus-id,score\nq,a,1\nr,b,2\n", _qrels, TABLE),
    _target("queries", "x.jsonl", _lines(QUERIES), _queries, JSON_LINES),
    _target(
        "queries-csv", "x.csv", "id,text,target\nq,rain,['a'  'b']\nr,sea,c\n", _queries, TABLE
    ),
    _target("uiq", "x.jsonl", _lines(UIQ), _queries, JSON_LINES),
    _target("pairs", "x.jsonl", _lines(PAIRS), _pairs, JSON_LINES),
    _target("clips", "x.jsonl", _lines([*PAIRS, *ROWS]), _clips, JSON_LINES),
    _target("verdicts", "x.jsonl", _lines(VERDICTS), _verdicts, JSON_LINES),
    _target("log", "x", _lines(VERDICTS), _log, JSON_LINES),
    _target("answers", "x", _lines([ANSWER]), _answers, JSON_LINES),
    _target(
        "blacklist", "x.json", '{"AudioSet":["Yabc.wav"],"FreeSound":["12",3]}', _blacklist, JSON
    ),
    _target("vectors", "x.jsonl", _lines(VECTORS), _vectors, JSON_LINES),
    _target("clotho", "x.csv", CLOTHO, _records("x.csv"), TABLE),
    _target("clotho-metadata", "x.csv", METADATA, _records("x.csv"), TABLE),
    _target("audiocaps", "x.csv", AUDIOCAPS, _records("x.csv"), TABLE),
    _target("wavcaps", "x.json", json.dumps(WAVCAPS), _records("x.json"), JSON),
    _target("mecat", "x.jsonl", _lines(MECAT), _records("x.jsonl", text=True), JSON_LINES),
    _target("beir", "x.jsonl", _lines(BEIR), _records("x.jsonl", text=True), JSON_LINES),
]
