"""UIQ's files as released: hard negatives by their captions, names by any spelling, tables."""

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest

from oea_cli.clips.captions import captions_by_clip
from oea_cli.clips.names import ClipNames
from oea_cli.clips.query_types import TYPE_OF, TYPES
from oea_cli.clips.uiq import is_uiq_row, resolve_uiq
from oea_cli.errors import OeaError
from oea_cli.metrics.uiq_summary import average_uiq
from oea_cli.records.tables import read_table
from tests.reading import strictly

Row = dict[str, Any]


def positive(
    audio_id: str, captions: list[str], dataset: str = "clotho", type: str = "question"
) -> Row:
    return {
        "audio_id": audio_id,
        "dataset": dataset,
        "query_type": type,
        "generated_query": f"Can you find {captions[0]}?",
        "original_captions": captions,
        "metadata": {},
    }


def negative(
    audio_id: str, captions: list[str], excluded: list[str], dataset: str = "clotho"
) -> Row:
    return {
        "audio_id": audio_id,
        "dataset": dataset,
        "query_type": "negative",
        "negative_query": f"{captions[0]}, without {excluded[0]}",
        "original_captions": captions,
        "negative_captions": excluded,
        "metadata": {},
    }


def placed(*rows: Row) -> list[tuple[str, Row]]:
    return [(f"uiq.jsonl:{number}", row) for number, row in enumerate(rows, 1)]


def refused(*rows: Row, captions: dict[str, list[str]] | None = None) -> str:
    with pytest.raises(OeaError) as caught:
        resolve_uiq(placed(*rows), captions)
    return str(caught.value)


DOG = ["A dog barks.", "Barking of a dog"]
RAIN = ["Rain falls.", "It pours"]
BELL = ["A bell rings.", "Ringing"]


class TestRows:
    def test_what_is_a_row_of_uiq(self) -> None:
        assert is_uiq_row(positive("a.wav", DOG))
        assert is_uiq_row(negative("a", DOG, RAIN))
        assert not is_uiq_row({"id": "q", "text": "rain", "target": "a.wav"})

    def test_a_positive_row(self) -> None:
        assert resolve_uiq(placed(positive("a.wav", DOG))) == [
            {
                "id": "clotho/question/a.wav",
                "text": "Can you find A dog barks.?",
                "target": "a.wav",
                "type": "question",
                "dataset": "clotho",
            }
        ]

    def test_a_negative_row_among_positive_ones(self) -> None:
        rows = placed(positive("a.wav", DOG), negative("a", DOG, RAIN), positive("b.wav", RAIN))
        query = resolve_uiq(rows)[1]
        assert query["id"] == "clotho/negative/a"
        assert query["target"] == "a.wav"
        assert query["hard_negative"] == "b.wav"
        assert query["text"] == "A dog barks., without Rain falls."

    def test_several_rows_of_one_target_are_numbered(self) -> None:
        clips = [positive("a", DOG), positive("b", RAIN), positive("c", BELL)]
        queries = resolve_uiq(placed(*clips, negative("a", DOG, RAIN), negative("a", DOG, BELL)))
        assert [query["id"] for query in queries[3:]] == [
            "clotho/negative/a",
            "clotho/negative/a#2",
        ]
        assert [query["hard_negative"] for query in queries[3:]] == ["b", "c"]

    def test_all_four_positive_types_of_a_clip(self) -> None:
        types = ["question", "imperative", "paraphrase", "tagging"]
        queries = resolve_uiq(placed(*(positive("a", DOG, type=type) for type in types)))
        assert [query["id"] for query in queries] == [f"clotho/{type}/a" for type in types]

    def test_a_hard_negative_that_is_named_already(self) -> None:
        row = {**negative("a", DOG, RAIN), "hard_negative": "b"}
        del row["negative_captions"]
        assert resolve_uiq(placed(positive("b.wav", RAIN), row))[1]["hard_negative"] == "b.wav"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"audio_id": 7}, "'audio_id' is 7; it must be text"),
            ({"dataset": ""}, "'dataset' is ''; it must be text"),
            ({"query_type": None}, "'query_type' is None; it must be text"),
            ({"generated_query": " "}, "'generated_query' is ' '; it must be text"),
            ({"original_captions": "rain"}, "'original_captions' is 'rain'; it must be a list"),
        ],
    )
    def test_a_row_that_is_none(self, change: Row, message: str) -> None:
        assert refused({**positive("a", DOG), **change}).startswith(f"uiq.jsonl:1: {message}")

    def test_a_row_of_another_kind(self) -> None:
        assert "no row of UIQ" in refused({"id": "a", "text": "rain"})

    def test_a_file_given_twice(self) -> None:
        said = refused(positive("a", DOG), positive("a", DOG))
        assert said == (
            "uiq.jsonl:2: repeats the question query of uiq.jsonl:1 for 'a'; give every row once"
        )
        row = negative("a", DOG, RAIN)
        assert "repeats the negative query" in refused(row, row, positive("b", RAIN))


class TestHardNegatives:
    def test_the_same_list_beats_an_evened_one(self) -> None:
        loud = [caption.upper() for caption in RAIN]
        rows = [positive("b", RAIN), positive("c", loud), negative("a", DOG, loud)]
        assert resolve_uiq(placed(*rows))[2]["hard_negative"] == "c"

    def test_case_white_space_and_repetitions_are_evened_out(self) -> None:
        written = ["rain  falls.", "It pours", " RAIN falls."]
        rows = [positive("b", RAIN), negative("a", DOG, written)]
        assert resolve_uiq(placed(*rows))[1]["hard_negative"] == "b"

    def test_the_order_counts(self) -> None:
        said = refused(positive("b", RAIN), negative("a", DOG, RAIN[::-1]))
        assert said == (
            "uiq.jsonl:2: no clip has its 2 negative_captions; give the positive queries of clotho "
            "along with it, or records with the clips' captions"
        )

    def test_several_clips_with_the_same_captions_are_named_not_guessed(self) -> None:
        said = refused(positive("b", RAIN), positive("c", RAIN), negative("a", DOG, RAIN))
        assert said == "uiq.jsonl:3: its 2 negative_captions are those of 2 clips: b, c"

    def test_its_own_target_is_no_hard_negative(self) -> None:
        assert "is its own target, 'a'" in refused(positive("a", DOG), negative("a", DOG, DOG))

    def test_without_captions_there_is_nothing_to_go_by(self) -> None:
        assert "no 'negative_captions'" in refused({**negative("a", DOG, RAIN), **no_captions()})

    def test_all_rows_are_reported_together(self) -> None:
        rows = [negative(f"a{number}", DOG, RAIN) for number in range(8)]
        said = refused(positive("x", BELL), *rows, {"id": "z"}).splitlines()
        assert said[0] == "9 of 10 UIQ rows make no query"
        assert [line.split(": ")[0] for line in said[1:6]] == [
            f"  uiq.jsonl:{number}" for number in range(2, 7)
        ]
        assert said[6:] == ["  and 4 more"]

    def test_another_datasets_clips_do_not_count(self) -> None:
        rows = [positive("b", RAIN, dataset="audiocaps"), negative("a", DOG, RAIN)]
        assert "no clip has its 2 negative_captions" in refused(*rows)

    def test_mecat_lists_twelve_of_seventeen(self) -> None:
        every = [f"caption {number}" for number in range(17)]
        others = [f"other {number}" for number in range(17)]
        shared = [*every[:11], *others[11:]]
        some = [caption.capitalize() for caption in every[:3] + every[5:14]] + ["None"]
        clips = [positive(n, c, "mecat") for n, c in [("b", every), ("c", others), ("d", shared)]]
        rows = [*clips, negative("c", others, some, "mecat")]
        assert resolve_uiq(placed(*rows))[3]["hard_negative"] == "b"
        ambiguous = negative("c", others, every[:11], "mecat")
        assert refused(*clips, ambiguous).endswith("are those of 2 clips: b, d")
        elsewhere = [{**row, "dataset": "clotho"} for row in rows]
        assert "no clip has its 13" in refused(*elsewhere)

    def test_of_mecat_every_caption_must_be_the_clips(self) -> None:
        """Each caption is that of two clips, and both together of one."""
        clips = {"b": ["one", "two", "three"], "c": ["one", "four"], "d": ["two", "five"]}
        rows = [positive(name, captions, "mecat") for name, captions in clips.items()]
        asked = negative("c", clips["c"], ["one", "two"], "mecat")
        assert resolve_uiq(placed(*rows, asked))[3]["hard_negative"] == "b"


def no_captions() -> Row:
    return {"negative_captions": []}


class TestTargetsAndCaptionSources:
    def test_the_captions_may_come_from_the_collection_whose_ids_win(self) -> None:
        collection = {"evaluation/A.wav": DOG, "evaluation/b.wav": RAIN}
        rows = placed(negative("a", DOG, RAIN), positive("b.wav", RAIN))
        first, second = resolve_uiq(rows, collection)
        assert first["target"] == "evaluation/A.wav"
        assert first["hard_negative"] == second["target"] == "evaluation/b.wav"
        assert first["id"] == "clotho/negative/a"

    def test_a_clip_known_to_both_is_one_candidate(self) -> None:
        rows = placed(positive("b.wav", RAIN), negative("a", DOG, RAIN))
        assert resolve_uiq(rows, {"B": RAIN})[1]["hard_negative"] == "B"

    def test_a_target_of_another_name_is_found_by_its_captions(self) -> None:
        rows = [
            positive("Dog: a.wav", DOG),
            positive("b", RAIN),
            negative("Dog_a", DOG, RAIN),
        ]
        assert resolve_uiq(placed(*rows))[2]["target"] == "Dog: a.wav"
        renamed = resolve_uiq(placed(*rows), {"dog &amp; a.wav": DOG, "b.wav": RAIN})
        assert {query["target"] for query in renamed} == {"dog &amp; a.wav", "b.wav"}

    def test_a_single_caption_is_no_name(self) -> None:
        one = ["a dog barks"]
        rows = placed(positive("x", one), {**positive("y", one), "query_type": "imperative"})
        assert [query["target"] for query in resolve_uiq(rows)] == ["x", "y"]
        assert resolve_uiq(placed(positive("x", one)), {"z": one})[0]["target"] == "x"

    def test_an_unknown_target_keeps_its_name(self) -> None:
        assert resolve_uiq(placed(positive("x", DOG)), {"b": RAIN})[0]["target"] == "x"

    def test_a_target_that_could_be_two_is_named(self) -> None:
        both = {"one/a.wav": DOG, "two/a.wav": RAIN}
        said = refused(positive("a", BELL), captions=both)
        assert said == "uiq.jsonl:1: its target 'a' means 2 clips: one/a.wav, two/a.wav"
        assert resolve_uiq(placed(positive("a", RAIN)), both)[0]["target"] == "two/a.wav"
        assert "its original_captions are those of 2 clips: p, q" in refused(
            positive("a", BELL), captions={"p": BELL, "q": BELL}
        )

    def test_captions_of_records(self) -> None:
        records: list[Row] = [
            {"id": "long.wav#t=0,10", "path": "long.wav", "captions": ["hum"], "start": 0},
            {"id": "long.wav#t=8,18.5", "path": "long.wav", "captions": ["hum"], "start": 8},
            {"id": "m", "captions": ["s", "l"], "sound": ["x"], "speech": ["y"], "domain": "000"},
            {"id": "bare.wav", "path": "bare.wav"},
        ]
        assert captions_by_clip(records) == {"long.wav": ["hum"], "m": ["s", "l", "x", "y"]}


class TestNames:
    @pytest.mark.parametrize(
        ("wanted", "available", "found"),
        [
            ("a.wav", ["A.wav", "a", "a.wav"], "a.wav"),
            ("a", ["A.wav", "a.flac"], "a.flac"),
            ("FR.CTC.08.x.001", ["FR.CTC.08.x.wav", "FR.CTC.08.x.001.wav"], "FR.CTC.08.x.001.wav"),
            ("Santa Motor.wav", ["santa motor.WAV"], "santa motor.WAV"),
            ("STRASSE", ["straße.wav"], "straße.wav"),
            ("caf\u00e9", ["cafe\u0301.wav"], "cafe\u0301.wav"),
            ("a", ["test/a.wav", "test/b.wav"], "test/a.wav"),
        ],
    )
    def test_spellings(self, wanted: str, available: list[str], found: str) -> None:
        assert ClipNames(available).find(wanted) == found

    @pytest.mark.parametrize(
        ("wanted", "available"), [("a", ["b.wav"]), ("one/a.wav", ["two/a.wav"]), ("a", [])]
    )
    def test_what_is_not_there_is_not_found(self, wanted: str, available: list[str]) -> None:
        assert ClipNames(available).find(wanted) is None

    @pytest.mark.parametrize(
        ("wanted", "says"),
        [("a", "'a' means 2 clips: a.wav, a.flac"), ("c", "'c' means 2 clips: x/c, y/c")],
    )
    def test_several_candidates_are_an_error(self, wanted: str, says: str) -> None:
        names = ClipNames(["a.wav", "a.flac", "B.wav", "b.WAV.wav", "x/c", "y/c"])
        with pytest.raises(OeaError, match=says):
            names.find(wanted)


class TestAverage:
    def test_every_query_of_a_cell_weighs_the_same_and_every_dataset_too(self) -> None:
        scores = [("a", "question", 1.0), ("a", "question", 0.0), ("b", "question", 1.0)]
        scores += [(d, t, 0.0) for d in "ab" for t in ("imperative", "keyphrase", "paraphrase")]
        scores += [("a", "negative", 0.0), ("b", "negative", 0.5), ("a", "rhyme", 1.0)]
        assert average_uiq(scores, TYPE_OF) == pytest.approx((0.75 + 0 + 0 + 0 + 0.25) / 5)

    def test_the_papers_average_of_oea_nemo3b(self) -> None:
        # Tables 12 to 15, R@5 on AudioCaps, Clotho, MECAT; Table 17 prints only the mean 39.64.
        figures = {
            "question": (72.00, 43.54, 24.41),
            "imperative": (75.08, 43.25, 24.41),
            "paraphrase": (77.85, 44.50, 25.24),
            "keyphrase": (73.44, 45.45, 27.71),
            "negative": (39.64, 39.64, 39.64),
        }
        scores = [
            (dataset, type, value)
            for type, values in figures.items()
            for dataset, value in zip(("audiocaps", "clotho", "mecat"), values, strict=True)
        ]
        assert average_uiq(scores, TYPE_OF) == pytest.approx(46.39, abs=0.005)

    def test_it_needs_all_of_its_cells(self) -> None:
        assert average_uiq([("a", "question", 1.0), ("b", "negative", 1.0)], TYPE_OF) is None
        whole = [(d, t, 1.0) for d in "ab" for t in TYPES]
        assert average_uiq(whole, TYPE_OF) == 1.0
        assert average_uiq(whole[:-1], TYPE_OF) is None
        assert average_uiq([], TYPE_OF) is None


class TestAsReleased:
    """The release's own rows, where they are present."""

    def test_audiocaps_hard_negatives(self, shared_data: Path) -> None:
        rows = read_table(shared_data / "uiq/audiocaps/audiocaps_test_negative_queries.jsonl")
        clips = captions_by_clip(strictly(str(shared_data / "captions/audiocaps/test_2.0.csv")))
        queries = resolve_uiq(rows, clips)
        with (shared_data / "uiq/hard_negative_pairs_audiocaps.csv").open() as stream:
            expected = [
                (row["audio_id"], row["negative_query"], row["hard_negative_id"])
                for row in csv.DictReader(stream)
            ]
        found = [(query["target"], query["text"], query["hard_negative"]) for query in queries]
        assert found == expected
        assert len(found) == 12

    def test_without_the_captions_every_row_is_named(self, shared_data: Path) -> None:
        rows = read_table(shared_data / "uiq/audiocaps/audiocaps_test_negative_queries.jsonl")
        with pytest.raises(OeaError, match=r"^12 of 12 UIQ rows .*\n .*jsonl:1: no clip"):
            resolve_uiq(rows)

    def test_all_files_in_one_mix(self, shared_data: Path) -> None:
        files = sorted((shared_data / "uiq").rglob("*.jsonl"))
        rows = [row for file in files for row in read_table(file)]
        assert all(is_uiq_row(row) for _, row in rows)
        clips = captions_by_clip(strictly(str(shared_data / "captions/audiocaps/test_2.0.csv")))
        queries = resolve_uiq(rows, clips)
        assert len({query["id"] for query in queries}) == len(queries) == len(rows) == 126
        assert {query["target"] for query in queries if query["dataset"] == "audiocaps"} <= set(
            clips
        )
        assert {query["type"] for query in queries} == {
            "question",
            "imperative",
            "paraphrase",
            "tagging",
            "negative",
        }

    def test_mecat_by_twelve_captions(self, shared_data: Path, tmp_path: Path) -> None:
        """MECAT's own captions, in rows as the release forms them: every clip is found again."""
        table = shared_data / "captions/mecat/000.jsonl"
        clips = captions_by_clip(strictly(str(table)))
        rows = []
        for line in table.read_bytes().splitlines():
            ((clip, fields),) = orjson.loads(line).items()
            twelve = [
                text for name in ("short", "long", "sound", "environment") for text in fields[name]
            ]
            rows.append(negative("elsewhere", ["x", "y"], twelve, "mecat"))
            rows[-1]["negative_query"] += clip
        queries = resolve_uiq(placed(*rows), clips)
        assert [query["hard_negative"] for query in queries] == list(clips)
