"""What `--model` says, read without loading anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oea_cli.encoder.loading import find_loader, load_encoder
from oea_cli.encoder.names.kinds import KINDS
from oea_cli.encoder.names.parsing import EncoderName, Placement, nearest, parse_name
from oea_cli.errors import OeaError, UsageError


@pytest.mark.parametrize(
    ("text", "scheme", "place", "options"),
    [
        ("mini", "", "mini", {}),
        ("runs/mine", "", "runs/mine", {}),
        ("./odd:name/x", "", "./odd:name/x", {}),
        ("omni:Qwen/Omni-3B?pooling=last", "omni", "Qwen/Omni-3B", {"pooling": "last"}),
        ("st:runs/a", "st", "runs/a", {}),
        ("http://[::1]:8/v1?model=a/b", "http", "http://[::1]:8/v1", {"model": "a/b"}),
        ("omni:q?text_prompt=", "omni", "q", {"text_prompt": ""}),
    ],
)  # fmt: skip
def test_names_are_taken_apart_and_put_together(
    text: str, scheme: str, place: str, options: dict[str, str]
) -> None:
    name = parse_name(text)
    assert name == EncoderName(scheme, place, options)
    assert str(name) == text


@given(st.dictionaries(st.sampled_from(["pooling", "text_prompt", "revision"]), st.text()))
def test_any_option_survives_being_written(options: dict[str, str]) -> None:
    name = EncoderName("omni", "a/b", options)
    assert parse_name(str(name)) == name


def test_options_given_apart_join() -> None:
    assert str(parse_name("omni:a/b", pooling="last", revision=None)) == "omni:a/b?pooling=last"
    assert parse_name("omni:a/b?pooling=last", pooling="last").options == {"pooling": "last"}
    with pytest.raises(UsageError, match="has pooling=last, but --pooling is mean"):
        parse_name("omni:a/b?pooling=last", pooling="mean")


@pytest.mark.parametrize("text", ["", "omni:", "omni:a?x", "omni:a?x=1&x=2", "omni:a?&"])
def test_malformed_names_are_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        parse_name(text)


def test_unknown_options_and_schemes_are_named() -> None:
    with pytest.raises(UsageError, match=r"no option 'poolin'.*it has none"):
        load_encoder("mini?poolin=last")
    with pytest.raises(
        OeaError, match=r"no encoder 'nosuch:a/b'; there are mini, .*omni:, clap:, st:"
    ):
        load_encoder("nosuch:a/b")
    with pytest.raises(OeaError, match=r"; did you mean clap:a/b\? There are"):
        load_encoder("clpa:a/b")
    with pytest.raises(OeaError, match=r"no encoder 'minni'; did you mean mini\?"):
        load_encoder("minni")
    assert nearest("something else entirely", ["mini"]) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_loader(kind: str) -> None:
    assert callable(find_loader(EncoderName(kind, "a/b", {})))


@pytest.mark.parametrize("wrong", [{"dtype": "float8"}, {"quantize": "int3"}])
def test_a_placement_is_checked(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="is not one of"):
        Placement(**wrong)  # type: ignore[arg-type]
