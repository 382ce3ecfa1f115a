"""`oea models export NAME`: an encoder as one folder, for another machine or another library."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.console.terminal import say
from oea_cli.commands.options.shared import DeviceOption, QuietOption, VerboseOption


class ExportFormat(StrEnum):
    """What can load the folder."""

    merged = "merged"
    sentence_transformers = "sentence-transformers"


class Storage(StrEnum):
    """Number format of the backbone on disk."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As --model takes it.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", envvar="OEA_OUTPUT", metavar="DIR", help="The folder.")
    ],
    format: Annotated[
        ExportFormat, typer.Option("--format", "-f", help="What is to load it.")
    ] = ExportFormat.merged,
    storage: Annotated[
        Storage, typer.Option(help="The backbone's numbers on disk; half the size loses a little.")
    ] = Storage.float32,
    device: DeviceOption = "auto",
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write an encoder as one folder: backbone with its LoRA merged, heads, tokenizer, settings.

    The folder is loaded again and its vectors are compared with the encoder's; exit code 1, and
    no folder, if they differ. With -f sentence-transformers, that library loads it too where oea
    is installed: SentenceTransformer(DIR, trust_remote_code=True), texts and sounds, the same
    vectors. stdout gets the folder's name.

    \b
    Examples:
      oea models export adapters/mine -o merged
      oea models export oea-qwen3b -o st -f sentence-transformers
    """
    from oea_cli.encoder.loading import find_loader
    from oea_cli.encoder.names.parsing import parse_name

    find_loader(parse_name(name))  # a name that means nothing is told before torch is imported
    from oea_cli.encoder.tools.export import export as run

    checks = run(
        name,
        output,
        to_sentence_transformers=format is ExportFormat.sentence_transformers,
        storage=storage.value,
        device=device,
    )
    if not quiet:
        for one in checks:
            say(f"oea models export: {one.what}: off by {one.value:.2g} (limit {one.limit:.2g})")
    typer.echo(str(output))
