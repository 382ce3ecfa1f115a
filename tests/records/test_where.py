"""The language of `--where`: what it says, what it refuses, and SQLite as its judge."""

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from oea_cli.errors import UsageError
from oea_cli.records.rows import Record
from oea_cli.records.where.evaluation import Condition


class Table:
    """Records in two pieces, as an index of two parts has them: typed where polars can."""

    def __init__(self, records: list[Record], typed: bool = False) -> None:
        self.records, self.typed = records, typed
        self.num_rows = len(records)
        self.names = sorted({key for record in records for key in record})

    def pieces(self, name: str) -> Iterator[pl.Series | list[Any]]:
        half = self.num_rows // 2
        for part in (self.records[:half], self.records[half:]):
            values = [record.get(name) for record in part]
            yield pl.Series(values) if self.typed else values


RECORDS: list[Record] = [
    {"id": "a", "duration": 3.5, "kind": "dog", "tags": ["dog", "cat"], "ok": True, "my column": 1},
    {"id": "b", "duration": 12, "kind": "cat", "tags": [], "ok": False, "start": 2, "end": 1},
    {"id": "é", "duration": None, "kind": "it's", "tags": ["bird", None], "start": 5, "end": 5},
    {"id": "d_e", "kind": "Dog", "a.b": 7, "mixed": [1, "two"]},
    {"id": "f", "meta": {"genre": "rock", "events": [{"label": "x"}, {"label": "y"}]}, "mixed": 1},
    {"id": "g", "duration": 2**53 + 1, "mixed": "one", "meta": {"genre": None}},
]


def found(condition: str, records: list[Record] = RECORDS) -> str:
    """The ids of the records that fulfil a condition, one after the other."""
    rows = Condition.parse(condition).rows(Table(records))
    return " ".join(records[row]["id"] for row in np.flatnonzero(rows))


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("duration < 5", "a"),
        ("5 > duration", "a"),
        ("duration <> 12 and duration == 3.5", "a"),
        ("duration = 9007199254740993", "g"),
        ("duration = 9007199254740992", ""),
        ("duration = 1" + "0" * 400, ""),
        ("duration > -.5e1", "a b g"),
        ("NOT duration < 5", "b g"),
        ("duration IS NULL", "é d_e f"),
        ("duration IS NOT NULL AND NOT (tags IS NULL)", "a b"),
        ("duration BETWEEN 3.5 AND 12", "a b"),
        ("duration NOT BETWEEN 3.5 AND 12", "g"),
        ("duration BETWEEN NULL AND 4", ""),
        ("duration NOT BETWEEN NULL AND 4", "b g"),
        ("duration IN (3.5, 12.0)", "a b"),
        ("duration IN (3.5, NULL)", "a"),
        ("duration NOT IN (3.5, NULL)", ""),
        ("duration = NULL OR NOT duration = NULL", ""),
        ("kind = 'it''s'", "é"),
        ("kind LIKE 'd%'", "a"),
        ("kind ILIKE '_OG'", "a d_e"),
        ("kind NOT LIKE '%a%'", "a é d_e"),
        (r"id LIKE '_\_%' ESCAPE '\'", "d_e"),
        ("id = 'e\u0301' OR id LIKE 'e\u0301'", "é"),
        ("tags = 'dog'", "a"),
        ("tags != 'dog'", "a é"),
        ("NOT tags = 'dog'", "b"),
        ("tags NOT IN ('dog')", "b"),
        ("tags IS NULL", "d_e f g"),
        ("ok", "a"),
        ("not OK or false", None),
        ("NOT ok OR false", "b"),
        ("start < end", ""),
        ("start >= end", "b é"),
        ('"my column" = 1', "a"),
        ("a.b = 7", "d_e"),
        ('"a.b" = 7', "d_e"),
        ("meta.genre = 'rock'", "f"),
        ("meta.events.label = 'y'", "f"),
        ("mixed = 1", "d_e f"),
        ("mixed = 'two'", "d_e"),
        ("mixed != 1", "d_e g"),
        ("mixed > 0", "d_e f"),
        ("NOT mixed > 0", ""),
        ("1 = 1 AND 'a' < 'b'", "a b é d_e f g"),
        ("kind = 'cat' OR kind = 'dog' AND ok", "a b"),
        ("(kind = 'cat' OR kind = 'dog') AND ok", "a"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_a_condition_finds(condition: str, ids: str | None) -> None:
    if ids is None:
        with pytest.raises(UsageError, match="did you mean 'ok'"):
            found(condition)
    else:
        assert found(condition) == ids


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", "--where, character 1: a column or a value must stand here, not the end; write a"),
        ("duration <", "character 11: a column or a value must stand here, not the end"),
        ("duration < 5 < 6", "character 14: '<' cannot stand here; join conditions with AND or OR"),
        ("(ok", "character 1: the parenthesis that opens here is not closed; add a )"),
        ("ok)", "character 3: the parenthesis that closes here was not opened; add a ("),
        ("duration + 1 = 2", "character 10: '+' cannot stand here; conditions compare values"),
        ("lower(kind) = 'dog'", "character 1: 'lower' would be a function; there is none"),
        ("kind = 'x", "character 8: the text that begins here does not end; close it with '"),
        ('kind = "x', 'character 8: the name that begins here does not end; close it with "'),
        ("kind = 'a'; DROP", "character 11: '; DROP' cannot be read"),
        ("\x1b[31m", r"character 1: '\x1b[31m' cannot be read"),
        ("10kHz = 1", "character 1: '10kHz = 1' cannot be read"),
        ("id = '\udcff'", "character 7: not UTF-8"),
        ("kind IN ()", "character 10: a column or a value must stand here, not ')'"),
        ("kind IN (dog)", "character 10: IN takes values, not the name of a column ('dog'); text"),
        ("kind LIKE 5", "character 11: a pattern such as '%dog%' must stand here, not '5'"),
        (f"kind LIKE '{'x_' * 20_000}'", "--where: the pattern 'x_x_x_x_"),
        ("kind LIKE 'a' ESCAPE 'xy'", "character 22: \"'xy'\" is not one character"),
        ("kind NOT 5", "character 10: '5' cannot stand after NOT; IN, LIKE or BETWEEN do"),
        ("duration BETWEEN 1 AND 'a'", "character 18: BETWEEN takes two values of a kind"),
        ("duration > -'a'", "character 12: '-' must stand before a number"),
        ("'a' = 5", "character 5: 'a' and 5 cannot be compared; give two of a kind"),
        ("1", "character 1: '1' is no condition; name a column and compare it with a value"),
        ("kind IS 5", "character 9: NULL must stand here, not '5'"),
        (
            "durration = 1",
            "--where: no record has 'durration'; did you mean 'duration'? The columns",
        ),
        (
            "kind = dog",
            "no record has 'dog'; text stands in single quotes. The columns are 'a.b', ",
        ),
        ("meta.gener = 'x'", "no record has 'meta.gener'; did you mean 'meta.genre'? The columns"),
        ("duration.x = 1", "no record has 'duration.x'; text stands in single quotes. The columns"),
        (
            "kind = 5",
            "--where: 'kind' holds text, but 5 is a number; compare it with text in single",
        ),
        (
            "duration IN (1, 'a')",
            "'duration' holds numbers, but 'a' is text; compare it with a number",
        ),
        ("duration LIKE '1%'", "'duration' holds numbers, but '1%' is text"),
        ("ok = 1", "'ok' holds true and false, but 1 is a number; compare it with TRUE or FALSE"),
        ("meta = 'x'", "'meta' holds objects, but 'x' is text; name a key in them, as in meta.KEY"),
        ("duration", "'duration' holds numbers and is no condition by itself; compare it with a"),
        (
            "kind < duration",
            "'kind' holds text and 'duration' numbers; two columns must be of a kind",
        ),
        ("tags = kind", "'tags' holds lists; compare it with a value, not a column"),
    ],
)
def test_what_a_condition_is_refused_for(condition: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        found(condition)
    assert message in str(refused.value)
    assert str(refused.value).startswith("--where")
    assert str(refused.value).isprintable()


NEVER_ENDING = {
    "3,000 alike": " AND ".join(["duration < 99"] * 3000),
    "3,000 others": " AND ".join(f"duration < {number + 99}" for number in range(3000)),
    "3,000 equal": " OR ".join(f"id = 'c{number}'" for number in range(3000)) + " OR id = 'a'",
    "100,000 in a list": "id IN ('a', " + ", ".join(f"'c{n}'" for n in range(100_000)) + ")",
    "10,000 deep": "(" * 10_000 + "duration < 5" + ")" * 10_000,
    "10,001 times not": "NOT " * 10_001 + "(duration > 5)",
    "3,000 in turns": "(ok AND (kind = 'dog' OR " * 1500 + "ok" + "))" * 1500,
    "a long pattern": f"id LIKE 'a%' OR id LIKE '{'x' * 100_000}%'",
}


@pytest.mark.parametrize("condition", NEVER_ENDING.values(), ids=NEVER_ENDING)
def test_long_and_deep_conditions_are_answered_at_once(condition: str) -> None:
    began = time.process_time()
    assert found(condition).split()[0] == "a"
    assert time.process_time() - began < 10


def test_a_million_rows_in_less_than_a_second() -> None:
    count = 1_000_000
    numbers = pl.Series(np.arange(count) % 300 / 7)
    kinds = pl.Series(["dog", "cat"] * (count // 2))

    class Million:
        num_rows = count
        names = ("duration", "kind")

        def pieces(self, name: str) -> list[pl.Series]:
            return [numbers if name == "duration" else kinds]

    condition = Condition.parse("duration < 5 AND NOT kind IN ('cat', 'bird') OR kind LIKE 'x%'")
    began = time.process_time()
    rows = condition.rows(Million())
    assert time.process_time() - began < 1
    expected = (numbers.to_numpy() < 5) & (np.arange(count) % 2 == 0)
    assert (rows == expected).all()


# --- SQLite as the judge


def sqlite_rows(condition: str, connection: sqlite3.Connection) -> list[int]:
    query = f"SELECT rowid FROM clips WHERE {condition} ORDER BY rowid"
    return [row - 1 for (row,) in connection.execute(query)]


def random_records(draws: random.Random, count: int) -> list[Record]:
    values: dict[str, list[Any]] = {
        "n": [-2, 0, 1, 2, 3, 10**15, None],
        "x": [-1.5, 0.0, 0.5, 2.0, 1e300, None],
        "s": ["", "a", "b", "ab", "a%b", "it's", "A", "ä", "日本", "a\nb", None],
        "t": ["a", "b", "B", "_", "\\", None],
    }
    return [{key: draws.choice(own) for key, own in values.items()} for _ in range(count)]


NUMBERS = ["-2", "0", "1", "2.0", "0.5", "1e3", "-1.5", "3", ".5", "NULL"]
TEXTS = ["''", "'a'", "'b'", "'ab'", "'it''s'", "'A'", "'ä'", "'日本'", "'_'", "'a\nb'", "NULL"]
PATTERNS = [
    "'a%'",
    "'%b'",
    "'_'",
    "'%'",
    "'a_b'",
    "'a!%b'",
    "'%!_%'",
    "''",
    "'%''%'",
    "'ä'",
    "'__'",
]
SIGNS = ["=", "==", "!=", "<>", "<", "<=", ">", ">="]


def random_predicate(draws: random.Random) -> str:
    columns, values = draws.choice([(["n", "x", '"x"'], NUMBERS), (["s", "t"], TEXTS)])
    column = draws.choice(columns)
    some = [draws.choice(values) for _ in range(4)]
    negation = draws.choice(["", "NOT ", "not "])
    forms = [
        f"{column} {draws.choice(SIGNS)} {some[0]}",
        f"{some[0]}{draws.choice(SIGNS)}{column}",
        f"{column} {draws.choice(SIGNS)} {draws.choice(columns)}",
        f"{column} {negation}IN ({', '.join(some[: draws.randint(1, 4)])})",
        f"{column} {negation}BETWEEN {some[0]} AND {some[1]}",
        f"{column} IS {negation}NULL",
        f"{column} {negation}IN ({some[0]})",
        draws.choice(["1 = 1", "2 < 1", "NULL = 1", "true", "FALSE", "null", "'a' >= 'b'"]),
    ]
    if values is TEXTS:
        pattern = draws.choice(PATTERNS)
        forms += [f"{column} {negation}LIKE {pattern}", f"{column} LIKE {pattern} ESCAPE '!'"]
    return draws.choice(forms)


def random_condition(draws: random.Random, depth: int) -> str:
    if depth == 0 or draws.random() < 0.2:
        return random_predicate(draws)
    parts = [random_condition(draws, depth - 1) for _ in range(draws.randint(1, 3))]
    inside = draws.choice([" AND ", " OR ", "\tand\n", " or "]).join(parts)
    return draws.choice([f"({inside})", f"NOT ({inside})", inside, f"not {inside}"])


def judged(seed: int, count: int) -> None:
    draws = random.Random(seed)
    records = random_records(draws, 60)
    tables = [Table(records), Table(records, typed=True)]
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    connection.execute("CREATE TABLE clips (n, x, s, t)")
    connection.executemany("INSERT INTO clips VALUES (:n, :x, :s, :t)", records)
    for number in range(count):
        condition = random_condition(draws, draws.randint(0, 4))
        rows = Condition.parse(condition).rows(tables[number % 2])
        assert np.flatnonzero(rows).tolist() == sqlite_rows(condition, connection), condition


def test_sqlite_finds_the_same() -> None:
    judged(seed=1, count=500)


@pytest.mark.slow
def test_sqlite_finds_the_same_20_000_times() -> None:
    judged(seed=2, count=20_000)


PIECES = (
    "AND OR NOT IN LIKE ILIKE ESCAPE BETWEEN IS NULL TRUE ( ) , . - + = != < >= '' 'a' \"n\" n s x "
    "meta 5 1e9 1e999 .5 ' \" ; * \x00 ä é select from \\ % _ $ @ [ ] 9999999999999999999999"
)


def broken(seed: int, count: int) -> int:
    """How many of so many random strings of tokens are conditions; the others must be refused."""
    draws = random.Random(seed)
    table = Table([*random_records(draws, 3), {"meta": {"x": [1, "a", None]}}])
    pieces, understood = PIECES.split(), 0
    for _ in range(count):
        joint = draws.choice([" ", "", " "])
        condition = joint.join(draws.choice(pieces) for _ in range(draws.randint(1, 9)))
        try:
            rows = Condition.parse(condition).rows(table)
        except UsageError as error:
            assert str(error).startswith("--where") and str(error).isprintable(), condition
        else:
            assert rows.shape == (4,) and rows.dtype == bool, condition
            understood += 1
    return understood


def test_any_string_is_a_condition_or_refused_in_one_line() -> None:
    assert broken(seed=3, count=3000) > 10


@pytest.mark.slow
def test_any_of_100_000_strings_is_a_condition_or_refused_in_one_line() -> None:
    assert broken(seed=4, count=100_000) > 100


def test_the_numbers_of_json_are_compared_exactly() -> None:
    records = [
        {"id": str(number), "n": number} for number in (2**63 - 1, 2**63, 2**64 - 1, -(2**63))
    ]
    for record in json.loads(json.dumps(records)):
        assert found(f"n = {record['id']}", records) == record["id"]
        assert len(found(f"n IN ({record['id']})", records).split()) == 1
    assert found(f"n > {2**63}", records) == str(2**64 - 1)


def test_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a function of any engine nor a name of a file means anything."""
    monkeypatch.chdir(tmp_path)
    Path("s.csv").write_text("secret\na\n")
    for condition in (
        "id IN (SELECT secret FROM read_csv('s.csv'))",
        "id = read_csv('s.csv')",
        "EXISTS (SELECT 1)",
        "id IN 's.csv'",
        "id = (SELECT 'a')",
        "id = 'a' UNION SELECT 1",
        "CASE WHEN ok THEN ok END",
        "id::text = 'a'",
    ):
        with pytest.raises(UsageError):
            found(condition)
