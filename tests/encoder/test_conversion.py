"""`oea models convert`: the release's checkpoint becomes an adapter, and nothing in it is run."""

import functools
import math
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.omni.adapter import lora_config
from oea_cli.encoder.omni.known_backbones import KNOWN_BACKBONES, backbone_config
from oea_cli.encoder.released.conversion import convert, lora_shapes
from oea_cli.encoder.released.torch_checkpoint import open_checkpoint
from oea_cli.errors import OeaError
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment
from tests.encoder.released_layout import Release, make_release, old_name, save_release, waveforms

TEXTS = ["a dog barks", "rain", ""]
QWEN_3B, QWEN_7B, NEMOTRON = KNOWN_BACKBONES


@pytest.fixture(scope="module")
def release() -> Release:
    return make_release()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, release: Release) -> Path:
    """step_350.pt as released, and its base beside it."""
    folder = tmp_path_factory.mktemp("released")
    release.save_base(folder / "base")
    save_release(folder / "step_350.pt", release.content({}))
    return folder


def convert_file(path: Path, output: Path, base: Path | str | None = None) -> Any:
    with open_checkpoint(path) as checkpoint:
        return convert(checkpoint, output, base=None if base is None else str(base))


def refusal(path: Path, base: Path | str | None = None) -> str:
    """The one line that a conversion fails with; nothing is left where the adapter would be."""
    output = path.parent / "refused"
    with pytest.raises(OeaError) as failure:
        convert_file(path, output, base)
    assert not output.exists() and not list(path.parent.glob(".refused*"))
    line = str(failure.value)
    assert len(line.splitlines()) == 1 and len(line) < 400 and path.name in line
    return line


def test_vectors_are_those_of_the_release(release: Release, folder: Path, tmp_path: Path) -> None:
    made = convert_file(folder / "step_350.pt", tmp_path / "adapter", folder / "base")
    assert (made.num_lora, made.dim) == (32, 32)
    encoder = load_encoder(str(tmp_path / "adapter"), device="cpu", dtype="float32")
    clips = waveforms()
    expected = np.stack([release.audio_vector(clip) for clip in clips])
    np.testing.assert_allclose(encoder.encode_audio(clips), expected, atol=1e-5)
    expected = np.stack([release.text_vector(text) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode_text(TEXTS), expected, atol=1e-5)


def test_the_adapter_holds_what_was_trained_and_no_more(
    release: Release, folder: Path, tmp_path: Path
) -> None:
    convert_file(folder / "step_350.pt", tmp_path / "adapter", folder / "base")
    lora = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    trained = {k: v for k, v in release.model.state_dict().items() if "lora_" in k}
    assert len(lora) == len(trained) == 32
    name = "model.audio_tower.layers.1.self_attn.out_proj.lora_B"
    own = lora[f"base_model.{name}.weight"]
    assert torch.equal(own, trained[f"base_model.model.{name}.default.weight"])
    heads = load_file(tmp_path / "adapter" / "heads.safetensors")
    assert torch.equal(heads["audio_head.norm.bias"], release.heads["audio_head"][2].bias)
    size = sum(file.stat().st_size for file in (tmp_path / "adapter").iterdir())
    assert size < 0.5 * (folder / "step_350.pt").stat().st_size


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace("base_model.model.", "base_model.model.thinker."),
        lambda name: name.replace(".default.", "."),
        lambda name: name.replace(".default.", ".oea."),
    ],
)
def test_other_spellings_of_the_same_parts(
    release: Release, folder: Path, tmp_path: Path, rename: Callable[[str], str]
) -> None:
    content = release.content({})
    content["lora_state_dict"] = {rename(k): v for k, v in content["lora_state_dict"].items()}
    path = save_release(tmp_path / "a.pt", content)
    assert convert_file(path, tmp_path / "adapter", folder / "base").num_lora == 32


def test_names_of_transformers_5(release: Release, folder: Path, tmp_path: Path) -> None:
    content = release.content({}) | {"lora_state_dict": release.model.state_dict()}
    assert content["lora_state_dict"].keys() != {old_name(k) for k in content["lora_state_dict"]}
    path = save_release(tmp_path / "a.pt", content)
    assert convert_file(path, tmp_path / "adapter", folder / "base").num_lora == 32


def test_heads_under_names_of_their_own(release: Release, folder: Path, tmp_path: Path) -> None:
    names = {"0.weight": "proj.weight", "2.weight": "norm.weight", "2.bias": "norm.bias"}
    content = release.content({})
    for head in ("text_head", "audio_head"):
        content[head] = {names[key]: tensor for key, tensor in content[head].items()}
    convert_file(save_release(tmp_path / "a.pt", content), tmp_path / "a", folder / "base")
    convert_file(folder / "step_350.pt", tmp_path / "b", folder / "base")
    ours, theirs = (load_file(tmp_path / which / "heads.safetensors") for which in "ab")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_configuration_pickled_as_an_object(
    folder: Path, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataclass of the training script: it is not imported, its fields are read."""
    path = folder / "object.pt"
    content = {k: v for k, v in release.content({}).items() if k != "metrics"}
    config_class = make_dataclass("TrainConfig", [("lora_alpha", int, 8)])
    config_class.__module__ = "__main__"  # as in the script that trained
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["__main__"], "TrainConfig", config_class, raising=False)
        torch.save(content | {"config": config_class()}, path)
    convert_file(path, folder / "object", folder / "base")
    assert '"lora_alpha": 8' in (folder / "object" / "adapter_config.json").read_text()


# The real sizes: shapes only, every tensor one number expanded.


real_shapes = functools.cache(lambda base: lora_shapes(backbone_config(base), lora_config()))


def real_content(base: str, **config: object) -> dict[str, Any]:
    """A checkpoint with the real names and shapes of a released base."""
    settings = backbone_config(base)
    lora = {
        old_name(name).replace("language_model.", "model.").replace(".weight", ".default.weight"):
            torch.zeros(1).expand(shape)
        for name, shape in real_shapes(base).items()
    }  # fmt: skip
    head = {
        "0.weight": torch.zeros(1).expand(512, settings.text_config.hidden_size),
        "2.weight": torch.ones(1).expand(512),
        "2.bias": torch.zeros(1).expand(512),
    }
    return {"text_head": head, "audio_head": head, "lora_state_dict": lora, "config": config}


@pytest.mark.parametrize(
    ("sizes", "count", "parameters"), [(QWEN_3B, 544, 12_615_680), (QWEN_7B, 480, 15_335_424)]
)
def test_the_released_counts(sizes: str, count: int, parameters: int) -> None:
    shapes = real_shapes(sizes)
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (count, parameters)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("base", "count", "parameters", "megabytes"),
    [
        (QWEN_3B, 544, 12_615_680, (58, 60)),
        (QWEN_7B, 480, 15_335_424, (75, 77)),
        (NEMOTRON, 544, 12_615_680, (58, 60)),
    ],
)
def test_the_released_sizes(
    tmp_path: Path, base: str, count: int, parameters: int, megabytes: tuple[int, int]
) -> None:
    path = tmp_path / "step.pt"
    torch.save(real_content(base, model_name=f"/models/{base.split('/')[1]}"), path)
    made = convert_file(path, tmp_path / "adapter")
    assert (made.base, made.num_lora, made.num_parameters) == (base, count, parameters)
    size = sum(file.stat().st_size for file in (tmp_path / "adapter").iterdir()) / 1e6
    assert megabytes[0] < size < megabytes[1]


def test_two_bases_fit_and_nothing_says_which(tmp_path: Path) -> None:
    path = tmp_path / "step.pt"
    torch.save(real_content(QWEN_3B), path)
    line = refusal(path)
    assert f"fits {QWEN_3B} and {NEMOTRON} alike" in line and "--base" in line
    assert convert_file(path, tmp_path / "adapter", NEMOTRON).base == NEMOTRON
    assert '"bidirectional"' in (tmp_path / "adapter" / "encoder.json").read_text()


def test_wrong_base(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "step.pt"
    torch.save(real_content(QWEN_3B), path)
    line = refusal(path, QWEN_7B)
    assert f"does not fit {QWEN_7B}: " in line and "(16, 2048), there (16, 3584)" in line
    assert "fit no released backbone; name its own" in refusal(folder / "step_350.pt")


# What is wrong with a checkpoint of the right kind.


def changed(release: Release, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The tiny checkpoint after a change to what it holds."""
    content = release.content({})
    content["lora_state_dict"] = dict(content["lora_state_dict"])
    change(content)
    return save_release(path, content)


def first_lora(content: dict[str, Any]) -> str:
    return min(key for key in content["lora_state_dict"] if "lora_A" in key)


def spoil(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["lora_state_dict"].__setitem__(key, value)


def not_finite(content: dict[str, Any]) -> None:
    tensor = content["lora_state_dict"][first_lora(content)].clone()
    tensor[0, 0] = float("nan")
    content["lora_state_dict"][first_lora(content)] = tensor


LAYER = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda c: c.pop("audio_head"), "no 'audio_head' in it; is it OEA's?"),
        (lambda c: c.pop("lora_state_dict"), "no 'lora_state_dict' in it"),
        (lambda c: c.update(text_head=[1]), "its 'text_head' is not a state dict"),
        (lambda c: c["text_head"].pop("2.bias"), "text_head has 0 tensors that could be its norm"),
        (lambda c: c["text_head"].update({"3.bias": torch.zeros(32)}), "has 2 tensors that could"),
        (lambda c: c["text_head"].update(x=torch.zeros(3, 3)), "is not a Linear without bias"),
        (lambda c: c["text_head"].update({"2.bias": torch.zeros(9)}), "do not fit together"),
        (not_finite, "k_proj.lora_A.weight holds numbers that are not finite"),
        (lambda c: c["lora_state_dict"].pop(first_lora(c)), "it lacks base_model.model.audio_tow"),
        (spoil(f"{LAYER}.lora_A.default.weight", torch.zeros(8, 64)), "is (8, 64), there (16, 64)"),
        (spoil(f"{LAYER}.lora_A.other.weight", torch.zeros(16, 64)), "a second time, under anoth"),
        (spoil("model.talker.layers.0.x.lora_A.weight", torch.zeros(16, 64)), "no place there"),
        (spoil("talker.x.lora_A.weight", torch.zeros(16, 64)), "belongs to no part of a Qwen"),
        (spoil(f"{LAYER}.lora_magnitude_vector", torch.zeros(64)), "belongs to no part of a Qwen"),
        (spoil(f"{LAYER}.lora_A.default.weight", torch.zeros(16)), "is not a matrix"),
        (
            spoil(f"{LAYER}.lora_A.default.weight", torch.zeros(16, 64, dtype=torch.int32)),
            "holds torch.int32, not weights",
        ),
        (
            lambda c: c.update(
                {
                    h: {
                        "0.weight": torch.zeros(1).expand(10**9, 64),
                        "2.weight": torch.zeros(1).expand(10**9),
                        "2.bias": torch.zeros(1).expand(10**9),
                    }
                    for h in ("text_head", "audio_head")
                }
            ),
            "heads to 1000000000 dimensions; refused",
        ),
        (lambda c: c.update(lora_state_dict={}), "no LoRA tensors in its lora_state_dict"),
    ],
)
def test_what_does_not_belong(
    release: Release,
    folder: Path,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    expected: str,
) -> None:
    assert expected in refusal(changed(release, tmp_path / "a.pt", change), folder / "base")


# Hostile and broken files.


class Reduced:
    """Pickled as a call; reading it carelessly makes the call."""

    def __init__(self, call: Callable[..., object], *args: object) -> None:
        self.call = call, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda c: Reduced(os.system, f"touch {c}"), "system"),
        (lambda c: Reduced(eval, f"open({c!r}, 'w')"), "__builtin__.eval"),
        (lambda c: Reduced(exec, f"open({c!r}, 'w')"), "__builtin__.exec"),
        (lambda c: [{"deep": (Reduced(open, c, "w"),)}], "io.open"),
        (lambda c: Reduced(Path(c).touch), "__builtin__.getattr"),
        (lambda c: Reduced(torch.load, c), "torch.serialization.load"),
        (lambda c: Reduced(subprocess.Popen, ["touch", c]), ".Popen"),
        (lambda c: Reduced(bytearray, 10**12), "__builtin__.bytearray"),
        (lambda c: Reduced(torch.FloatTensor, 10**12), "torch.FloatTensor"),
    ],
)
def test_nothing_in_a_pickle_is_run(
    release: Release, tmp_path: Path, make: Callable[[str], object], names: str
) -> None:
    canary = tmp_path / "canary"
    path = changed(release, tmp_path / "a.pt", lambda c: c.update(metrics=make(str(canary))))
    line = refusal(path)
    assert f"{names}, which no weights need; refused, nothing in it was run" in line
    assert not canary.exists()


def test_the_hostile_pickle_would_have_run(tmp_path: Path) -> None:
    """The canary is a real one: a careless reader makes the file."""
    torch.save(Reduced(os.system, f"touch {tmp_path / 'canary'}"), tmp_path / "a.pt")
    torch.load(tmp_path / "a.pt", weights_only=False)
    assert (tmp_path / "canary").exists()


def rezipped(path: Path, new: Path, **changes: bytes) -> Path:
    """A copy whose records (by the last part of their name) are replaced."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as archive:
        for record in old.infolist():
            data = old.read(record)
            archive.writestr(record.filename, changes.get(record.filename.split("/")[-1], data))
    return new


def test_other_pickles(folder: Path, tmp_path: Path) -> None:
    checkpoint = folder / "step_350.pt"
    canary = tmp_path / "canary"
    later = pickle.dumps(Reduced(os.system, f"touch {canary}"), protocol=4)
    path = rezipped(checkpoint, tmp_path / "later.pt", **{"data.pkl": later})
    assert "it uses STACK_GLOBAL, which torch.save does not write" in refusal(path)
    old = pickle.dumps(Reduced(os.system, f"touch {canary}"), protocol=0)
    path = rezipped(checkpoint, tmp_path / "old.pt", **{"data.pkl": old})
    assert "system, which no weights need" in refusal(path)
    for number, data in enumerate((b"", b"\x80\x02", b"\x80\x02}q\x00", os.urandom(200), b".")):
        path = rezipped(checkpoint, tmp_path / f"{number}.pt", **{"data.pkl": data})
        assert "its pickle cannot be read" in refusal(path)
    (tmp_path / "raw.pt").write_bytes(old)
    assert "is not a torch checkpoint" in refusal(tmp_path / "raw.pt")
    torch.save({}, tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    assert "is not a torch checkpoint" in refusal(tmp_path / "legacy.pt")
    assert not canary.exists()


def test_torchscript_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "script.pt"
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
    assert path.name in refusal(path)


def test_broken_files(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "step_350.pt").read_bytes()
    for name, data, expected in (
        ("half.pt", whole[: len(whole) // 2], "is cut off or damaged; download it again"),
        ("short.pt", whole[:-20], "is cut off or damaged; download it again"),
        ("empty.pt", b"", "is not a torch checkpoint"),
        ("page.pt", b"<html>404</html>", "is not a torch checkpoint"),
        ("before.pt", b"#!/bin/sh\n" + whole, "is not a torch checkpoint"),
    ):
        (tmp_path / name).write_bytes(data)
        assert expected in refusal(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "zip.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "a zip file, but none that torch.save writes" in refusal(tmp_path / "zip.pt")
    assert "No such file" in refusal(tmp_path / "none.pt")
    assert "Is a directory" in refusal(folder)


def test_headers_that_lie(folder: Path, tmp_path: Path) -> None:
    """Compressed records, a bomb's sizes, a record twice, a changed number, another byte order."""
    checkpoint = folder / "step_350.pt"
    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(10**8))
    assert "a/data.pkl is compressed" in refusal(bomb)
    lying = bytearray(checkpoint.read_bytes())
    directory = lying.index(b"PK\x01\x02")
    lying[directory + 24 : directory + 28] = struct.pack("<I", 2**31)  # the uncompressed size
    (tmp_path / "size.pt").write_bytes(lying)
    assert "is compressed; torch.save never does that" in refusal(tmp_path / "size.pt")
    with zipfile.ZipFile(tmp_path / "twice.pt", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        archive.writestr("a/DATA.PKL", b"\x80\x02}.")
    assert "twice; torch.save never does that" in refusal(tmp_path / "twice.pt")
    assert "big-endian" in refusal(rezipped(checkpoint, tmp_path / "big.pt", byteorder=b"big"))
    torch.save({"huge": b"x" * (65 * 2**20)}, tmp_path / "huge.pt")
    assert "its pickle has 68," in refusal(tmp_path / "huge.pt")


def test_a_changed_number_is_noticed(release: Release, folder: Path, tmp_path: Path) -> None:
    data = bytearray((folder / "step_350.pt").read_bytes())
    number = release.heads["text_head"][0].weight.detach().numpy().tobytes()
    data[data.index(number) + 100] ^= 1
    (tmp_path / "flipped.pt").write_bytes(data)
    assert "is damaged (Bad CRC-32" in refusal(tmp_path / "flipped.pt", folder / "base")


def test_a_record_that_does_not_begin_as_one_is_named(folder: Path, tmp_path: Path) -> None:
    """Found by fuzzing: the directory is whole, and what it points at is not."""
    data = bytearray((folder / "step_350.pt").read_bytes())
    place = data.rindex(b"PK\x03\x04", 0, data.index(b"/byteorder"))
    data[place] = 0
    (tmp_path / "cut.pt").write_bytes(data)
    assert "byteorder is damaged (Bad magic number" in refusal(tmp_path / "cut.pt")


def test_what_a_damaged_pickle_says_is_cut_short(folder: Path, tmp_path: Path) -> None:
    """Found by fuzzing: torch's message held the rest of the pickle."""
    long = b"\x80\x02F" + b"x" * 9000 + b"\n."
    said = refusal(rezipped(folder / "step_350.pt", tmp_path / "x.pt", **{"data.pkl": long}))
    assert "its pickle cannot be read" in said and len(said) < 500


# Memory.

MEASURED = """
import sys
from pathlib import Path
from oea_cli.encoder.released.conversion import convert
from oea_cli.encoder.released.torch_checkpoint import open_checkpoint

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

before = peak()
with open_checkpoint(Path(sys.argv[1])) as checkpoint:
    convert(checkpoint, Path(sys.argv[2]), base=sys.argv[3])
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_does_not_grow_with_the_file(release: Release, folder: Path, tmp_path: Path) -> None:
    content = release.content({})
    for i in range(3):
        frozen = torch.ones(50_000_000, dtype=torch.bfloat16)
        content["lora_state_dict"][f"base_model.model.model.layers.{i}.mlp.weight"] = frozen
    path = save_release(tmp_path / "large.pt", content)
    assert path.stat().st_size > 300e6
    command = [sys.executable, "-c", MEASURED, path, tmp_path / "adapter", folder / "base"]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 100  # MB


# The verb.


@pytest.mark.slow
def test_the_verb(folder: Path, tmp_path: Path, oea: Callable[..., Completed]) -> None:
    args = ["models", "convert", folder / "step_350.pt", "-o", tmp_path / "out"]
    done = oea([*args, "--base", folder / "base"])
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'out'}\n")
    assert done.stderr.startswith("oea models convert: 32 LoRA tensors (32,768 parameters)")
    assert len(done.stderr.splitlines()) == 1
    quiet = run([*args, "-q", "--base", folder / "base"])  # an adapter may be made again
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_the_verb_refuses_in_one_line(folder: Path, tmp_path: Path) -> None:
    done = run(["models", "convert", folder / "step_350.pt", "-o", tmp_path / "out"])
    assert (done.returncode, done.stdout) == (1, "")
    assert "fit no released backbone" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_somebodys_folder_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    args = ["models", "convert", folder / "step_350.pt", "--base", folder / "base", "-o"]
    done = run([*args, tmp_path / "mine"])
    assert done.returncode == 1 and "contains other files" in done.stderr
    done = run([*args, tmp_path / "mine" / "thesis.tex"])
    assert done.returncode == 1 and "is a file" in done.stderr
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_adapter_moves_with_its_base_named(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "x")
    args = ["models", "convert", "step_350.pt", "--base", "base", "-o", "adapter"]
    assert run(args, cwd=tmp_path / "x").returncode == 0
    (tmp_path / "x" / "adapter").rename(tmp_path / "adapter")
    assert load_encoder(str(tmp_path / "adapter"), device="cpu").dim == 32
