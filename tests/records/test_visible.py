"""Text that cannot command a terminal, a page or a CI log; keys that are not shown."""

import pytest

from oea_cli.records.ids import trec_id
from oea_cli.records.secrets import redacted
from oea_cli.records.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("a\x07\r\nb\tc", r"a\x07\r\nb\tc"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202egpj.wav\u2066", r"a\u202egpj.wav\u2066"),
        ("a\n::error::x ##[error]y", r"a\n::error::x #\x23[error]y"),
        ("caf\udce9.wav", r"caf\xe9.wav"),
        ("café 雨 👩‍👧 می‌خواهم ## [x]", "café 雨 👩‍👧 می‌خواهم ## [x]"),
    ],
)
def test_what_commands_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown and len(visible(text).splitlines()) == 1


def test_a_trec_id_is_one_word_of_utf_8() -> None:
    written = trec_id("a b\x1b[1m\u202e\x85caf\udce9 100%")
    assert written == "a%20b%1B[1m%E2%80%AE%C2%85caf%E9%20100%25"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:pw@host/v1 said", "http://***@host/v1 said"),
        ("s3://KEYID:pw/x@bucket", "s3://KEYID:pw/x@bucket"),
        ("https://h/a.wav?x=1&token=abc&y=2", "https://h/a.wav?x=1&token=***&y=2"),
        (
            "https://h/a?X-Amz-Signature=ab12&api_key=k",
            "https://h/a?X-Amz-Signature=***&api_key=***",
        ),
        ("Authorization: Bearer abcdefghijk", "Authorization: Bearer ***"),
        ("clips.jsonl:12: no 'path'; tokenizer=fast", "clips.jsonl:12: no 'path'; tokenizer=fast"),
    ],
)
def test_passwords_and_tokens_are_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_a_key_that_is_a_word_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert redacted("--quantize none") == "--quantize none"
    monkeypatch.setenv("OPENAI_API_KEY", "a1b2")
    assert redacted("sent a1b2, not xa1b2x") == "sent ***, not xa1b2x"
