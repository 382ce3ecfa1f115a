"""The demo's collection: what is in it, that it is made again, and that it is what ships."""

import io
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from recipes.mini import ogg
from recipes.mini.demo import SEED, SHIPPED, encoded, rendered, write_folder
from recipes.mini.synthesis.collection import CLASSES, make, plan
from recipes.mini.synthesis.events import EVENTS
from recipes.mini.synthesis.scenes import SAMPLE_RATE
from tests.conftest import REPOSITORY, clean_environment


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def decoded(source: Path | bytes) -> np.ndarray:
    """(n,) float32."""
    samples, rate = soundfile.read(
        io.BytesIO(source) if isinstance(source, bytes) else source, dtype="float32"
    )
    assert rate == SAMPLE_RATE and samples.ndim == 1
    return samples


# --- the plan ---


def test_every_class_is_an_event_that_mini_knows() -> None:
    assert set(CLASSES) <= set(EVENTS)
    recipe = yaml.safe_load((REPOSITORY / "recipes" / "mini" / "mini.yaml").read_text())
    if learnt := recipe["sounds"].get("classes"):
        assert set(CLASSES) <= set(learnt)


@pytest.mark.parametrize("num_scenes", [1, 2, 9, 10, 100, 101])
def test_plan_makes_exactly_as_many_and_a_prefix(num_scenes: int) -> None:
    planned = plan(num_scenes, seed=3)
    names = [name for turn in planned for name in turn.names]
    assert len(names) == len(set(names)) == num_scenes
    assert names == [name for turn in plan(num_scenes + 7, 3) for name in turn.names][:num_scenes]
    if num_scenes == 100:
        assert {label for turn in planned for label in turn.labels} == set(CLASSES)


# --- the shipped clips ---


@pytest.mark.parametrize("number", [0, 3, 40, 79])
def test_a_shipped_clip_is_what_is_rendered(number: int) -> None:
    """But for the coding, which may differ a little between versions of libvorbis."""
    for clip in make(plan(100, SEED)[number], SEED):
        shipped = decoded(SHIPPED / "audio" / f"{clip.name}.ogg")
        again = decoded(encoded(clip.scene.samples, "ogg"))
        assert shipped.shape == again.shape == clip.scene.samples.shape
        assert np.square(shipped - again).sum() < 0.01 * np.square(again).sum()
        assert np.corrcoef(shipped, clip.scene.samples)[0, 1] > 0.8


def test_rendered_again_the_samples_are_the_same() -> None:
    first, again = (list(rendered(10, SEED)) for _ in range(2))
    for clip, other in zip(first, again, strict=True):
        assert clip.scene.samples.tobytes() == other.scene.samples.tobytes()
        assert clip.scene.captions == other.scene.captions and clip.query == other.query


@pytest.mark.slow
def test_the_shipped_tables_are_those_of_the_script(tmp_path: Path) -> None:
    write_folder(tmp_path, 100, SEED, "ogg")
    made, shipped = content(tmp_path), content(SHIPPED)
    assert made.keys() == shipped.keys()
    for name in ("clips.jsonl", "queries.jsonl", "pairs.jsonl"):
        assert made[name] == shipped[name]


def test_the_script_makes_other_collections_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "recipes.mini.demo", "sounds", "--scenes", "3", "--seed", "1"]
    done = subprocess.run(
        [*command, "--format", "wav"], cwd=tmp_path, env=clean_environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    write_folder(tmp_path / "again", 3, 1, "wav")
    write_folder(tmp_path / "flac", 3, 1, "flac")
    scripted, flac = content(tmp_path / "sounds"), content(tmp_path / "flac")
    assert content(tmp_path / "again") == scripted
    assert scripted["queries.jsonl"] == flac["queries.jsonl"].replace(b".flac", b".wav")
    assert scripted["clips.jsonl"].splitlines()[0] not in content(SHIPPED)["clips.jsonl"]
    for path in (tmp_path / "sounds" / "audio").iterdir():
        assert soundfile.info(path).subtype == "PCM_16"
        coded = (tmp_path / "flac" / "audio" / path.name).with_suffix(".flac")
        # The one rounds, the other cuts off.
        np.testing.assert_allclose(decoded(path), decoded(coded), atol=1.1 / 32768)


def test_the_wheel_is_the_package_without_recipes() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["oea_cli"]}


# --- Ogg ---


def test_ogg_is_the_same_twice_and_whole() -> None:
    tone = np.sin(np.arange(3 * SAMPLE_RATE) / 8).astype(np.float32) / 2
    first, again = ogg.encode(tone, SAMPLE_RATE), ogg.encode(tone, SAMPLE_RATE)
    assert first == again
    # libogg drops a page whose checksum is wrong, and what it holds is missing.
    assert np.square(decoded(first) - tone).mean() < 1e-3 * np.square(tone).mean()


def test_renumbering_changes_stream_numbers_and_checksums_only() -> None:
    coded = ogg.encode(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
    other = ogg.renumbered(coded, 7)
    assert len(other) == len(coded) and other != coded
    assert ogg.renumbered(other, ogg.STREAM_NUMBER) == coded


def test_what_is_no_ogg_file_is_refused() -> None:
    with pytest.raises(ValueError, match="no Ogg page"):
        ogg.renumbered(b"RIFF....WAVE", 1)
