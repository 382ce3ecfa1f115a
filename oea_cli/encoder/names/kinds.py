"""The kinds of encoders, named KIND:PLACE; read for `--help` and by shells, so nothing heavy."""

from typing import NamedTuple


class Kind(NamedTuple):
    """What follows the colon of a name, what that is, and what loads it.

    `loader` is "module:function" within `oea_cli.encoder`, a `Loader`, imported when a name asks
    for it.
    """

    place: str
    meaning: str
    loader: str


KINDS = {
    "omni": Kind(
        "HF_ID or DIR",
        "a bare Qwen2.5-Omni backbone, pooled as it is",
        "omni.bare:load_bare",
    ),
    "clap": Kind("HF_ID or DIR", "CLAP, as transformers has it", "others.clap:load_clap"),
    "st": Kind(
        "HF_ID or DIR",
        "whatever sentence-transformers loads",
        "others.sentence_transformer:load_sentence_transformer",
    ),
    "http": Kind(
        "//HOST/v1?model=NAME",
        "a server with OpenAI's embeddings interface",
        "others.endpoint:load_endpoint",
    ),
    "https": Kind("//HOST/v1?model=NAME", "the same, encrypted", "others.endpoint:load_endpoint"),
}
