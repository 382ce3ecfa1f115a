"""`oea models convert`: a released checkpoint of 9.5 to 17.9 GB into an adapter folder of 59 MB."""

from pathlib import Path
from typing import Annotated

from oea_cli.commands.console.streams import tell_path
from oea_cli.commands.console.terminal import Progress, say
from oea_cli.commands.options.panels import INPUT
from oea_cli.commands.options.shared import FolderOption, QuietOption, VerboseOption
from oea_cli.errors import missing


def convert(
    checkpoint: Annotated[
        str,
        INPUT.argument(
            metavar="CKPT",
            help="A checkpoint of the OEA release: a .pt file, or its name (`oea models list`).",
        ),
    ],
    output: FolderOption,
    base: Annotated[
        str | None,
        INPUT.option(
            metavar="DIR|HF_ID",
            help="The backbone it was trained on [default: as the checkpoint says].",
        ),
    ] = None,
    revision: Annotated[
        str | None,
        INPUT.option(
            metavar="COMMIT",
            help="Commit, tag or branch of the backbone's repository.",
        ),
    ] = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Turn a released checkpoint into an adapter.

    A checkpoint of 9 to 18 GB repeats its whole frozen backbone; what was trained is 59 MB (3B).
    Only that is read, so little memory is needed, and nothing in the checkpoint is executed. The
    names, number and shapes of the tensors are compared with the backbone's. A name downloads the
    checkpoint first. Afterwards `oea embed -m DIR` works; it fetches the backbone. The name of the
    folder goes to stdout.

    \b
    Examples:
      oea models convert step_350.pt -o adapters/oea-qwen3b
      oea models convert step_300.pt -o adapters/mine --base ./Qwen2.5-Omni-7B
      oea models convert oea-nemo3b-cl -o adapters/oea-nemo3b-cl
    """
    from oea_cli.encoder.names.released import RELEASED

    path = Path(checkpoint)
    is_here = path.exists()
    if not is_here and checkpoint not in RELEASED:
        raise missing(checkpoint, f"the released checkpoints are {', '.join(RELEASED)}")
    from oea_cli.encoder.released.conversion import convert as run
    from oea_cli.encoder.released.torch_checkpoint import open_checkpoint

    if not is_here:
        from oea_cli.encoder.released.loading import fetch_released

        path, base_commit = fetch_released(checkpoint)
        if base is None:
            base, revision = RELEASED[checkpoint].base.repo, revision or base_commit
    progress = Progress("models convert", "tensors", quiet=quiet)

    def on_tensor(done: int, total: int) -> None:
        progress.total = total
        progress.advance()

    try:
        with open_checkpoint(path) as opened:
            made = run(opened, output, base=base, revision=revision, on_tensor=on_tensor)
    finally:
        progress.close()
    if not quiet:
        num_bytes = sum(file.stat().st_size for file in output.iterdir())
        say(
            f"oea models convert: {made.num_lora} LoRA tensors ({made.num_parameters:,} "
            f"parameters) and two heads to {made.dim} dimensions, for {made.base}; "
            f"{num_bytes / 1e6:.1f} MB in {output}"
        )
    tell_path(output)
