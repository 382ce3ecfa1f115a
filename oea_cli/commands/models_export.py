"""`oea models export NAME`: an encoder as one folder, for another machine or another library."""

from enum import StrEnum
from typing import Annotated

from oea_cli.commands.console.streams import tell_path
from oea_cli.commands.console.terminal import say
from oea_cli.commands.options import shared
from oea_cli.commands.options.panels import OUTPUT


class ExportFormat(StrEnum):
    """What can load the folder."""

    merged = "merged"
    sentence_transformers = "sentence-transformers"
    onnx = "onnx"


class Storage(StrEnum):
    """Number format of the backbone on disk."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


def export(
    name: shared.EncoderArgument,
    output: shared.FolderOption,
    format: Annotated[
        ExportFormat, OUTPUT.option("--format", "-f", help="What the folder is for.")
    ] = ExportFormat.merged,
    storage: Annotated[
        Storage, OUTPUT.option(help="Number format of the backbone on disk; 16 bits lose a little.")
    ] = Storage.float32,
    quiet: shared.QuietOption = False,
    device: shared.DeviceOption = "auto",
    verbose: shared.VerboseOption = False,
) -> None:
    """Write an encoder as one folder.

    The folder holds the backbone with its LoRA merged in, the heads, the tokenizer and the
    settings. It is loaded again and its vectors are compared with the encoder's; if they differ,
    there is no folder and the exit code is 1. With -f sentence-transformers, that library loads it
    too, for texts and sounds, where oea is installed: SentenceTransformer(DIR,
    trust_remote_code=True). With -f onnx, the folder has graphs over the same weights besides, by
    which oea runs it on a CPU without torch, to the same vectors; if the folder is the encoder's
    own, they are added to it. The name of the folder goes to stdout.

    \b
    Examples:
      oea models export adapters/mine -o merged
      oea models export oea-qwen3b -o st -f sentence-transformers
      oea models export runs/mine -o runs/mine -f onnx
    """
    from oea_cli.encoder.loading import find_loader
    from oea_cli.encoder.names.parsing import parse_name

    find_loader(parse_name(name))  # a name that means nothing is refused before torch is imported
    from oea_cli.encoder.tools.export import export as run

    checks = run(
        name,
        output,
        format=format.value,
        storage=storage.value,
        device=device,
    )
    if not quiet:
        for one in checks:
            say(f"oea models export: {one.what}: off by {one.value:.2g} (limit {one.limit:.2g})")
    tell_path(output)
