"""A released checkpoint by its short name: fetched and converted once, its adapter loaded after."""

import logging
from pathlib import Path

from oea_cli.encoder.hub import full_commit, snapshot
from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.names.released import RELEASED, adapter_cache, licence_notice
from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.released.conversion import convert
from oea_cli.encoder.released.torch_checkpoint import open_checkpoint

log = logging.getLogger(__name__)


def load_released(name: EncoderName, placement: Placement) -> OmniEncoder:
    """A `Loader`. Prints what is downloaded, and under which licence, before it begins."""
    name.allow()
    adapter = adapter_cache(name.place)
    if not (adapter / "encoder.json").is_file():
        _convert_released(name.place, adapter)
    return load_encoder_folder(adapter, str(name), placement)


def _convert_released(name: str, output: Path) -> None:
    """Fetch a released checkpoint and write its adapter into `output`."""
    checkpoint, base_commit = fetch_released(name)
    output.parent.mkdir(parents=True, exist_ok=True)
    with open_checkpoint(checkpoint) as opened:
        convert(opened, output, base=RELEASED[name].base.repo, revision=base_commit)
    log.warning("%s: its adapter is in %s; the checkpoint may go: %s", name, output, checkpoint)


def fetch_released(name: str) -> tuple[Path, str | None]:
    """The checkpoint's file at its pinned commit, and the backbone's commit of today.

    Downloaded where they are not there yet; of the backbone only its configuration.
    """
    released = RELEASED[name]
    # Seen without any configuration of logging, before the first byte is fetched.
    log.warning("%s", licence_notice(name))
    commit = full_commit(released.repo, released.revision)
    folder, _ = snapshot(released.repo, commit, [released.file])
    _, base_commit = snapshot(released.base.repo, None, ["config.json"])
    return folder / released.file, base_commit
