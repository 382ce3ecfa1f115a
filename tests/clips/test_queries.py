"""A query as a file holds it, and the pairs and verdicts beside it: each is read in one way."""

from pathlib import Path
from typing import Any

import pytest

from oea_cli.clips.pairs import HardNegativePair, is_pair, pair_from
from oea_cli.clips.queries import Query, query_from
from oea_cli.clips.uiq import UiqRow, is_uiq_row, uiq_row_from
from oea_cli.clips.verdicts import is_valid, majority
from oea_cli.errors import OeaError
from oea_cli.records.fields import RowError


class TestQuery:
    def test_a_query_in_words(self) -> None:
        row = {"id": "q1", "text": "rain", "target": {"a": 2, "b": 0}, "hard_negative": "c", "x": 1}
        query = query_from("q.jsonl:4", row)
        assert (query.id, query.text, query.path, query.targets) == ("q1", "rain", None, {"a": 2.0})
        assert query.has_content and query.is_named
        assert query.as_record()["text"] == "rain" and query.as_record()["id"] == "q1"

    def test_a_query_by_a_sound_is_found_beside_its_file(self, tmp_path: Path) -> None:
        (tmp_path / "hum.wav").touch()
        row = {"audio": "hum.wav", "start": "1.5", "target": "a"}
        query = query_from(f"{tmp_path}/q.jsonl:4", row)
        assert query.id == "4" and not query.is_named
        assert query.path == f"{tmp_path}/hum.wav"
        assert query.as_record() == {
            "id": "4", "path": f"{tmp_path}/hum.wav", "start": 1.5, "target": "a",
        }  # fmt: skip

    def test_a_query_with_a_text_and_a_sound_asks_by_its_text(self) -> None:
        row = {"id": "q1", "text": "rain", "path": "hum.wav"}
        assert query_from("q.jsonl:1", row).as_record() == {"id": "q1", "text": "rain"}

    def test_a_query_that_asks_nothing(self) -> None:
        query = query_from("q.jsonl:1", {"id": "a.wav", "target": "b"})
        assert not query.has_content and query.text is None and query.path is None
        with pytest.raises(OeaError, match=r"^q.jsonl:1: no 'path' and no 'text'"):
            query.as_record()

    def test_a_query_of_qrels_has_an_id_alone(self) -> None:
        assert not Query("q", "qrels.txt", {"a": 1.0}).has_content


class TestPair:
    def test_a_pair_is_written_as_it_is_read(self) -> None:
        pair = HardNegativePair(
            "a", "b", "pairs.jsonl:1", ("rain",), ("wind",), 0.75, 0.25, "valid", ("Ada",)
        )
        row = pair.as_row({"path": "a.wav"})
        assert list(row) == [
            "target", "hard_negative", "acoustic_score", "text_score", "captions",
            "hard_negative_captions", "path", "verdict", "annotators",
        ]  # fmt: skip
        assert is_pair(row) and pair_from("pairs.jsonl:1", row) == pair

    def test_a_bare_pair(self) -> None:
        pair = pair_from(
            "p:1", {"target": "a", "hard_negative": 7, "captions": "rain", "verdict": ""}
        )
        assert pair == HardNegativePair("a", "7", "p:1", ("rain",))
        assert not pair.is_refused and pair.scores == {}
        assert "verdict" not in pair.as_row()

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"target": None}, "no 'target'; a pair has the ids of two clips"),
            ({"hard_negative": True}, "'hard_negative' must be text or a number; got True"),
            ({"hard_negative": "a"}, "'a' is its own hard negative"),
            ({"captions": [1]}, "'captions' must be a list of texts; got [1]"),
        ],
    )
    def test_what_is_no_pair(self, change: dict[str, Any], problem: str) -> None:
        with pytest.raises(OeaError) as caught:
            pair_from("p.csv:2", {"target": "a", "hard_negative": "b", **change})
        assert str(caught.value) == f"p.csv:2: {problem}"

    @pytest.mark.parametrize(
        ("verdict", "refused"),
        [("valid", False), (" Valid hard negative", False), ("yes", False), (None, False),
         ("same", True), ("unsure", True), ("same sound", True)],
    )  # fmt: skip
    def test_what_people_refused(self, verdict: str | None, refused: bool) -> None:
        row = {"target": "a", "hard_negative": "b", "verdict": verdict}
        assert pair_from("p:1", row).is_refused == refused
        assert verdict is None or is_valid(verdict) != refused


def test_majority() -> None:
    assert majority(["same", "valid", "same"]) == "same"
    assert majority(["same", "valid"]) is None and majority([3]) == 3


class TestUiqRow:
    def test_a_row_is_written_as_it_is_read(self) -> None:
        row = UiqRow("u:1", "clotho", "negative", "a", "rain, no wind", ("rain",), ("wind",), "b")
        written = row.as_row({"acoustic_score": 0.5}, "rules")
        assert is_uiq_row(written) and written["negative_query"] == "rain, no wind"
        assert written["source_model"] == written["regen_model"] == "rules"
        assert uiq_row_from("u:1", written) == row

    def test_a_row_to_be_checked_need_not_say_whose_it_is(self) -> None:
        row = {"generated_query": "Is it rain?", "query_type": "question"}
        found = uiq_row_from("u:1", row, is_named=False)
        assert (found.audio_id, found.dataset, found.captions) == ("", "", ())
        with pytest.raises(RowError, match="no row of UIQ"):
            uiq_row_from("u:1", row)
