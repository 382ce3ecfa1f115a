"""A released checkpoint by its short name: fetched and converted once, its adapter loaded after."""

from collections.abc import Callable
from pathlib import Path

from oea_cli.encoder.conversion import Conversion, convert
from oea_cli.encoder.folder import load_encoder_folder
from oea_cli.encoder.hub import full_commit, snapshot
from oea_cli.encoder.names import EncoderName, Placement
from oea_cli.encoder.omni import OmniEncoder
from oea_cli.encoder.released import RELEASED, adapter_cache, licence_notice
from oea_cli.encoder.torch_checkpoint import open_checkpoint

Notice = Callable[[str], object]


def load_released(name: EncoderName, placement: Placement) -> OmniEncoder:
    """A `Loader`. Says what is downloaded, and under which licence, before it begins."""
    name.allow()
    adapter = adapter_cache(name.place)
    if not (adapter / "encoder.json").is_file():
        convert_released(name.place, adapter, placement.notice)
    return load_encoder_folder(adapter, str(name), placement)


def convert_released(name: str, output: Path, notice: Notice = lambda text: None) -> Conversion:
    """Fetch a released checkpoint and write its adapter into `output`."""
    checkpoint = fetch_released(name, notice)
    with open_checkpoint(checkpoint) as opened:
        made = convert(opened, output, base=RELEASED[name].base.repo)
    notice(f"{name}: its adapter is in {output}; the checkpoint may go: {checkpoint}")
    return made


def fetch_released(name: str, notice: Notice = lambda text: None) -> Path:
    """The checkpoint's file at its pinned commit, downloaded where it is not there yet."""
    released = RELEASED[name]
    notice(licence_notice(name))
    commit = full_commit(released.repo, released.revision)
    folder, _ = snapshot(released.repo, commit, [released.file])
    return folder / released.file
