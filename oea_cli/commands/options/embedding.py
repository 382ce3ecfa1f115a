"""The options of `oea embed` and their choices."""

from enum import StrEnum
from typing import Annotated

from oea_cli.commands.options.panels import INPUT, OUTPUT, RARE
from oea_cli.vectors.files.names import Format


class Storage(StrEnum):
    """Bytes per number in files: 4 or 2."""

    f32 = "f32"
    f16 = "f16"


class Encoding(StrEnum):
    """How JSONL carries a vector."""

    json = "json"
    base64 = "base64"


InputsArgument = Annotated[
    list[str] | None,
    INPUT.argument(
        metavar="INPUTS",
        help="Sounds, folders (their files with a sound's suffix, hidden ones left out), globs, "
        "tables of records (JSONL, CSV, Parquet), or - for stdin; with --text: texts, or files of "
        "them.",
    ),
]
TextOption = Annotated[bool, INPUT.option("--text", help="Embed texts instead of sounds.")]
FilesFromOption = Annotated[
    str | None,
    INPUT.option(
        "--files-from", metavar="FILE", help="Also embed the sounds listed in FILE; - is stdin."
    ),
]
PrefixIdsOption = Annotated[
    bool,
    INPUT.option(
        "--prefix-ids",
        help="Put the name of its folder or table before each id: siteA/0500.wav, siteB/0500.wav.",
    ),
]
ShardOption = Annotated[
    str | None,
    INPUT.option(
        "--shard",
        metavar="I/N",
        help="Take only part I of N (I from 1), chosen by a hash of the id; the jobs of all parts "
        "may write one folder, at once.",
    ),
]
FormatOption = Annotated[
    Format | None,
    OUTPUT.option(
        "--format", "-f", help="How vectors are written [default: as the name of the output says]."
    ),
]
ResumeOption = Annotated[
    bool, OUTPUT.option(help="With -o DIR/, keep the shards that are there and go on after them.")
]
StorageOption = Annotated[Storage, RARE.option(help="Number format of vectors in files.")]
EncodingOption = Annotated[
    Encoding, RARE.option(help="Vectors in JSONL as digits, or as base64 (faster, half the size).")
]
