"""The ONNX form of an encoder: the vectors of its torch twin, and nothing of torch on the way."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.parsing import Placement
from oea_cli.encoder.names.places import BUILT_IN, FORM_FILE
from oea_cli.encoder.omni.backbone import build_backbone
from oea_cli.encoder.omni.folder import load_encoder_folder, save_encoder_folder
from oea_cli.encoder.omni.fresh import ModelSizes, new_front_end, thinker_config, train_tokenizer
from oea_cli.encoder.omni.omni import OmniEncoder, OmniModel
from oea_cli.encoder.omni.settings import EncoderSettings
from oea_cli.encoder.onnx.encoder import OnnxEncoder, load_onnx_folder
from oea_cli.encoder.onnx.form import GRAPHS
from oea_cli.encoder.tools.export import add_onnx_form
from oea_cli.errors import OeaError
from tests.commands.in_process import run
from tests.conftest import clean_environment

LIMIT = 1e-5
TEXTS = [
    "rain on a tin roof", "", "ein Hund bellt", "un perro ladra en la calle", "le tonnerre gronde",
    "雨が屋根に降る", "狗在叫", "дождь и гром", "مطر غزير", "कुत्ता भौंकता है", "η βροχή πέφτει",
    "<|AUDIO|> and <|im_end|>", "a dog barks, then a car starts; " * 20,
]  # fmt: skip


def with_grouped_queries(folder: Path) -> Path:
    """An encoder with whatever mini has not: heads that share keys and values in pairs, 10 ms
    hops, other prompts, the last token's vector."""
    sizes = ModelSizes(hidden_size=64, text_layers=2, text_mlp=96, audio_layers=2, audio_mlp=96,
                       hop_length=160)  # fmt: skip
    settings = EncoderSettings(
        dim=32, pooling="last", max_text_tokens=90, text_prompt="find: {}", audio_prompt="hear",
        generation_prompt=True,
    )  # fmt: skip
    front_end = new_front_end(train_tokenizer(TEXTS, 400), sizes, settings)
    config = thinker_config(sizes, front_end.tokenizer)
    config.text_config.num_key_value_heads = 2
    model = OmniModel(build_backbone(config), settings.dim, settings.pooling)
    save_encoder_folder(folder, model, front_end, settings)
    add_onnx_form(folder)
    return folder


def twins(folder: Path) -> tuple[OnnxEncoder, OmniEncoder]:
    return load_onnx_folder(folder), load_encoder_folder(
        folder, None, Placement(device="cpu", dtype="float32")
    )


@pytest.fixture(scope="module", params=["mini", "grouped"])
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[OnnxEncoder, OmniEncoder]:
    if request.param == "mini":
        return twins(BUILT_IN / "mini")
    return twins(with_grouped_queries(tmp_path_factory.mktemp("onnx") / "encoder"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of mini that may be damaged."""
    return shutil.copytree(BUILT_IN / "mini", tmp_path / "mini")


def noise(samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(samples)).astype(np.float32)


def border_lengths(hop: int, seconds: float) -> list[int]:
    """Samples around every chunk border: one sample, and one to four frames, either side."""
    chunk, found = 200 * hop, {1, hop, 2 * hop, 2 * hop + 1, 320, 641, 5000}
    for border in range(chunk, int(seconds * 16_000) + 1, chunk):
        found |= {border + step for step in (-1, 0, 1)}
        found |= {border + sign * n * hop for sign in (-1, 1) for n in (1, 2, 3, 4)}
    return sorted(found)


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float32
    assert np.isfinite(ours).all()
    return float(np.abs(ours - theirs).max())


def test_who_it_is(both: tuple[OnnxEncoder, OmniEncoder]) -> None:
    """An index of one serves the other."""
    onnx, torch = both
    for what in ("encoder_id", "dim", "sample_rate", "max_seconds", "device"):
        assert getattr(onnx, what) == getattr(torch, what)


def test_texts(both: tuple[OnnxEncoder, OmniEncoder]) -> None:
    onnx, torch = both
    alone = np.concatenate([onnx.encode_text([text]) for text in TEXTS])
    worst = max(apart(onnx.encode_text(TEXTS), torch.encode_text(TEXTS)),
                apart(alone, torch.encode_text(TEXTS)))  # fmt: skip
    print(f"texts: {worst:.2g}")
    assert worst <= LIMIT
    torch.cut_texts.take(), onnx.cut_texts.take()
    long = [*TEXTS, "word " * 900]
    assert apart(onnx.encode_text(long), torch.encode_text(long)) <= LIMIT
    assert onnx.cut_texts.take() == torch.cut_texts.take() > 0
    assert onnx.encode_text([]).shape == (0, onnx.dim)


def test_sounds_of_every_length(both: tuple[OnnxEncoder, OmniEncoder]) -> None:
    onnx, torch = both
    worst = 0.0
    hop = json.loads((onnx.folder / "preprocessor_config.json").read_text())["hop_length"]
    for samples in border_lengths(hop, 10.0):
        clip = [noise(samples, samples)]
        worst = max(worst, apart(onnx.encode_audio(clip), torch.encode_audio(clip)))
    print(f"sounds: {worst:.2g}")
    assert worst <= LIMIT
    assert onnx.encode_audio([]).shape == (0, onnx.dim)


def test_sounds_in_a_batch(both: tuple[OnnxEncoder, OmniEncoder]) -> None:
    """Silence, a window of 30 s, one sample, and lengths at borders, all at once."""
    onnx, torch = both
    clips = [noise(n, n) for n in (480_000, 1, 64_000, 31_999, 80_000, 32_001, 5000, 160_000)]
    clips += [np.zeros(16_000, np.float32), np.zeros(480_000, np.float32), np.ones(7, np.float32)]
    click = np.zeros(32_000, np.float32)
    click[-50] = 1.0  # heard behind the last frame that counts
    clips.append(click)
    theirs = torch.encode_audio(clips)
    alone = np.concatenate([onnx.encode_audio([clip]) for clip in clips])
    worst = max(apart(onnx.encode_audio(clips), theirs), apart(alone, theirs))
    print(f"batch: {worst:.2g}")
    assert worst <= LIMIT


def test_which_form_is_loaded(copy: Path) -> None:
    assert isinstance(load_encoder("mini"), OnnxEncoder)
    assert isinstance(load_encoder("mini", device="cpu"), OnnxEncoder)
    assert isinstance(load_encoder("mini", dtype="float32"), OmniEncoder)
    assert isinstance(load_encoder("mini", quantize="int8"), OmniEncoder)
    assert load_encoder(str(copy)).encoder_id == f"{copy}:{load_encoder('mini').fingerprint}"
    (copy / FORM_FILE).unlink()
    assert isinstance(load_encoder(str(copy)), OmniEncoder)


def test_links_into_a_hub_cache(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    for file in copy.iterdir():
        (tmp_path / "snapshot" / file.name).symlink_to(file)
    linked = load_encoder(str(tmp_path / "snapshot"))
    np.testing.assert_array_equal(
        linked.encode_text(["rain"]), load_encoder("mini").encode_text(["rain"])
    )


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def reshuffle(path: Path) -> None:
    """Store the same tensors in another order: every offset is wrong, every tensor right."""
    from safetensors.numpy import load_file, save_file

    save_file(dict(reversed(load_file(path).items())), path, metadata={"changed": "yes"})


def new_depth(path: Path) -> None:
    config = json.loads(path.read_text())
    config["text_config"]["num_hidden_layers"] = 2
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("model.safetensors", flip, "has changed since the ONNX form was made"),
        ("model.safetensors", reshuffle, "has changed since the ONNX form was made"),
        ("heads.safetensors", flip, "has changed since the ONNX form was made"),
        ("config.json", new_depth, "has changed since the ONNX form was made"),
        ("audio.onnx", flip, "has changed since the ONNX form was made"),
        ("text.onnx", Path.unlink, "no text.onnx in it"),
        (FORM_FILE, lambda path: path.write_text("{"), "cannot be read"),
        (FORM_FILE, lambda path: path.write_text("[]"), "cannot be read"),
        (FORM_FILE, lambda path: path.write_text('{"format": "oea-onnx/9"}'), "a newer oea"),
    ],
)
def test_what_does_not_fit_is_refused(
    copy: Path, tmp_path: Path, name: str, damage: Callable[[Path], object], message: str
) -> None:
    damage(copy / name)
    done = run(["embed", "--text", "rain", "-m", copy, "-o", tmp_path / "x.npy"])
    assert done.returncode == 1 and message in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
    if name == "model.safetensors":  # and the advice helps
        done = run(["models", "export", copy, "-f", "onnx", "-o", copy])
        assert done.returncode == 0, done.stderr
        assert isinstance(load_encoder(str(copy)), OnnxEncoder)


def test_export(tiny_encoder: Path, tmp_path: Path) -> None:
    done = run(["models", "export", tiny_encoder, "-f", "onnx", "-o", tmp_path / "whole"])
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'whole'}\n"), done.stderr
    assert "texts, ONNX and torch: off by" in done.stderr
    onnx, torch = load_encoder(str(tmp_path / "whole")), load_encoder(str(tiny_encoder))
    assert isinstance(onnx, OnnxEncoder) and isinstance(torch, OmniEncoder)
    assert apart(onnx.encode_text(TEXTS), torch.encode_text(TEXTS)) <= LIMIT
    graphs = [(tmp_path / "whole" / name).stat().st_size for name in GRAPHS.values()]
    weights = (tmp_path / "whole" / "model.safetensors").stat().st_size
    assert sum(graphs) < 60_000 < weights, "the weights are stored once"


def test_new_weights_end_an_old_form(copy: Path) -> None:
    """Saving an encoder over one with a form leaves no form that fits nothing."""
    encoder = load_encoder(str(copy), dtype="float32")
    assert isinstance(encoder, OmniEncoder)
    save_encoder_folder(copy, encoder.model, encoder.front_end, encoder.front_end.settings)
    assert not (copy / FORM_FILE).exists()


def test_a_model_that_the_graphs_cannot_follow(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_encoder, tmp_path / "other")
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["hidden_act"] = "gelu"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(OeaError, match=r"text_config\.hidden_act must be 'silu' for an ONNX form"):
        add_onnx_form(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("feature_size", 80, "feature_size must be 128 for this encoder; got 80"),
        ("sampling_rate", 48_000, "sampling_rate must be 16000 for this encoder; got 48000"),
        ("hop_length", 0, "describes a mel that the ONNX form cannot compute"),
        ("n_fft", float("inf"), "cannot be read"),
    ],
)
def test_a_mel_that_does_not_fit_is_refused(
    copy: Path, tone: Callable[..., Path], tmp_path: Path, key: str, value: float, message: str
) -> None:
    path = copy / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    sound = tone(tmp_path / "a.wav")
    done = run(["embed", sound, "-m", copy, "-o", tmp_path / "x.npy"])
    assert done.returncode == 1 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


VERBS = """
import json, sys
from pathlib import Path
from typer.testing import CliRunner
from oea_cli.main import app

def run(*words):
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, (words, done.output, done.exception)

run("embed", "sounds", "-o", "x.npy")
run("index", "x.npy", "-o", "x.oea")
run("search", "rain", "-i", "x.oea", "--not", "wind")
run("search", "--audio", "sounds/a.wav", "-i", "x.oea")
run("eval", "--queries", "q.jsonl", "-i", "x.oea", "-M", "r@1")
run("mine-negatives", "clips.jsonl", "-o", "pairs.jsonl", "--allow-empty")
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_nothing_on_the_way_imports_torch(tone: Callable[..., Path], tmp_path: Path) -> None:
    for name, hz in (("a", 300), ("b", 700), ("c", 1500)):
        tone(tmp_path / "sounds" / f"{name}.wav", hz)
    query = {"id": "q", "text": "rain", "target": "a.wav"}
    (tmp_path / "q.jsonl").write_text(json.dumps(query) + "\n")
    rows = [{"path": f"sounds/{name}.wav", "captions": [f"a tone {name}"]} for name in "abc"]
    (tmp_path / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = subprocess.run(
        [sys.executable, "-c", VERBS],
        capture_output=True, text=True, cwd=tmp_path, env=clean_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "transformers", "scipy", "accelerate", "peft", "onnx"}
