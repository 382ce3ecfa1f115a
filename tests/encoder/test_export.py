"""`oea models export`: the folder gives the same vectors, here and in sentence-transformers."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors import safe_open

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.released.conversion import convert
from oea_cli.encoder.released.torch_checkpoint import open_checkpoint
from tests.commands.in_process import run
from tests.conftest import clean_environment
from tests.encoder.released_layout import make_release, save_release, waveforms

TEXTS = ["a dog barks", "rain", ""]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter converted from a checkpoint of the release's layout."""
    folder = tmp_path_factory.mktemp("export")
    release = make_release()
    release.save_base(folder / "base")
    path = save_release(folder / "step_350.pt", release.content({}))
    with open_checkpoint(path) as checkpoint:
        convert(checkpoint, folder / "adapter", base=str(folder / "base"))
    return folder / "adapter"


def test_merged(adapter: Path, tmp_path: Path) -> None:
    done = run(["models", "export", adapter, "-o", tmp_path / "merged"])
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'merged'}\n"), done.stderr
    assert "texts: off by" in done.stderr and "clips: off by" in done.stderr
    ours, theirs = load_encoder(str(tmp_path / "merged")), load_encoder(str(adapter))
    np.testing.assert_allclose(ours.encode_text(TEXTS), theirs.encode_text(TEXTS), atol=1e-5)
    clips = waveforms()
    np.testing.assert_allclose(ours.encode_audio(clips), theirs.encode_audio(clips), atol=1e-5)
    with safe_open(tmp_path / "merged" / "model.safetensors", "pt") as file:
        assert not [name for name in file.keys() if "lora" in name or "base_layer" in name]  # noqa: SIM118
    settings = json.loads((tmp_path / "merged" / "encoder.json").read_text())
    assert settings["base"] == "" and settings["training"]["step"] == 350
    assert settings["training"]["backbone"].endswith("base")


def test_half_the_size(adapter: Path, tmp_path: Path) -> None:
    args = ["models", "export", adapter, "-q", "-o"]
    assert run([*args, tmp_path / "whole"]).returncode == 0
    assert run([*args, tmp_path / "half", "--storage", "bfloat16"]).returncode == 0
    sizes = [(tmp_path / n / "model.safetensors").stat().st_size for n in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]
    ours, theirs = load_encoder(str(tmp_path / "half")), load_encoder(str(adapter))
    cosines = (ours.encode_text(TEXTS) * theirs.encode_text(TEXTS)).sum(1)
    assert cosines.min() > 0.999


def test_what_cannot_be_exported(adapter: Path, tmp_path: Path) -> None:
    bare = f"omni:{adapter.parent / 'base'}"
    done = run(["models", "export", bare, "-o", tmp_path / "x"])
    assert done.returncode == 1 and "only OEA encoders" in done.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("kept")
    done = run(["models", "export", adapter, "-o", tmp_path / "mine"])
    assert done.returncode == 1 and "contains other files" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


LOADED = """
import sys
import numpy as np
from sentence_transformers import SentenceTransformer

folder, kept, out, *paths = sys.argv[1:]
model = SentenceTransformer(folder, trust_remote_code=True, device="cpu")
texts = ["a dog barks", "rain", ""]
clips = list(np.load(out + ".clips.npz").values())
model.save(kept)
again = SentenceTransformer(kept, trust_remote_code=True, device="cpu")
np.savez(
    out,
    texts=model.encode(texts),
    arrays=model.encode(clips),
    rated=model.encode([{"array": clip, "sampling_rate": 16_000} for clip in clips]),
    files=model.encode(paths),
    again=again.encode(texts),
)
"""


@pytest.mark.slow
def test_sentence_transformers_gives_the_same_vectors(adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "st"
    done = run(["models", "export", adapter, "-o", folder, "-f", "sentence-transformers"])
    assert done.returncode == 0, done.stderr
    encoder = load_encoder(str(folder), device="cpu")  # it is still one of our folders
    if find_spec("sentence_transformers") is None:
        pytest.skip("needs sentence-transformers: pip install 'oea[st]'")
    clips = waveforms()
    np.savez(tmp_path / "out.npz.clips.npz", *clips)
    paths = [tmp_path / f"{i}.wav" for i in range(len(clips))]
    for path, clip in zip(paths, clips, strict=True):
        soundfile.write(path, clip, 16_000, subtype="FLOAT")
    arguments = [folder, tmp_path / "kept", tmp_path / "out.npz", *paths]
    command = [sys.executable, "-c", LOADED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    vectors = np.load(tmp_path / "out.npz")
    for name in ("texts", "again"):
        np.testing.assert_allclose(vectors[name], encoder.encode_text(TEXTS), atol=1e-5)
    for name in ("arrays", "rated", "files"):
        np.testing.assert_allclose(vectors[name], encoder.encode_audio(clips), atol=1e-5)
