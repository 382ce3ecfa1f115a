"""Targets: the files of an encoder's folder, and of an adapter's beside it.

Whole models are loaded by the slow ones only; the others read the file that is damaged.
"""

from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from tests.fuzz.mutations import any_of, changed_bytes, damaged_bytes, lying_json
from tests.fuzz.target import Target

ENCODER = "tiny"
DESCRIPTIONS = ("encoder.json", "config.json", "preprocessor_config.json")
WEIGHTS = ("model.safetensors", "heads.safetensors")


def _make(*names: str) -> Any:
    def make(folder: Path) -> list[str]:
        for name, content in _whole().items():
            (folder / ENCODER).mkdir(exist_ok=True)
            (folder / ENCODER / name).write_bytes(content)
        return [f"{ENCODER}/{name}" for name in names]

    return make


@cache
def _whole() -> dict[str, bytes]:
    """The files of a tiny encoder."""
    from oea_cli.encoder.omni.folder import save_encoder_folder
    from oea_cli.encoder.omni.fresh import ModelSizes, new_front_end, new_model, train_tokenizer
    from oea_cli.encoder.omni.settings import EncoderSettings

    sizes = ModelSizes(hidden_size=64, text_layers=1, text_mlp=64, audio_layers=1, audio_mlp=64)
    settings = EncoderSettings(dim=8)
    tokenizer = train_tokenizer(["query: a dog barks, rain falls; system user helpful"], 300)
    front_end = new_front_end(tokenizer, sizes, settings)
    with TemporaryDirectory() as place:
        model = new_model(sizes, front_end, seed=1)
        save_encoder_folder(Path(place), model, front_end, settings)
        return {path.name: path.read_bytes() for path in Path(place).iterdir()}


def _read_settings(folder: Path) -> None:
    from oea_cli.encoder.omni.settings import load_settings

    load_settings(folder / ENCODER / "encoder.json")


def _read_weights(folder: Path) -> None:
    from oea_cli.encoder.omni.backbone import read_tensors, readable

    for name in WEIGHTS:
        for _ in read_tensors(folder / ENCODER / name):
            pass
        with readable(folder / ENCODER / name):
            pass


def _load(folder: Path) -> None:
    from oea_cli.encoder.loading import load_encoder

    load_encoder(str(folder / ENCODER))


def header_bytes(random: Random, whole: bytes) -> bytes:
    """Damage to a safetensors file's header, or its length."""
    size = 8 + int.from_bytes(whole[:8], "little")
    mutate = any_of(changed_bytes, damaged_bytes)
    return mutate(random, whole[:size]) + whole[size:]


def lying_header(random: Random, whole: bytes) -> bytes:
    """A safetensors header that is JSON, of the right length, but says something else."""
    size = 8 + int.from_bytes(whole[:8], "little")
    header = lying_json(random, whole[8:size])
    return len(header).to_bytes(8, "little") + header + whole[size:]


DESCRIBED = any_of(lying_json, lying_json, damaged_bytes)
TARGETS = [
    Target("encoder.json", _make("encoder.json"), _read_settings, DESCRIBED, 2),
    Target("safetensors", _make(*WEIGHTS), _read_weights, any_of(header_bytes, lying_header), 1),
    Target("encoder", _make(*DESCRIPTIONS), _load, DESCRIBED, 0.02),
    Target("encoder-tokenizer", _make("tokenizer.json"), _load, DESCRIBED, 0.01),
    Target("encoder-weights", _make(*WEIGHTS), _load, any_of(header_bytes, lying_header), 0.02),
]
