"""What libraries print by themselves reaches a person only with -v, from whichever verb."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Completed
from tests.encoder.test_plug_ins import offer

Run = Callable[..., Completed]

# A package that is as talkative as packages are: when imported, when loaded, when used.
TALKATIVE = """
import logging, os, sys, warnings
import numpy as np
from oea_cli.encoder.others.plain import PlainEncoder

own = logging.getLogger("talkative")
handled = logging.getLogger("talkative.handled")
handled.addHandler(logging.StreamHandler())
handled.propagate = False

def talk(when):
    own.warning("a log line when %s", when)
    handled.error("a handled log line when %s", when)
    warnings.warn(f"a warning when {when}")
    os.write(2, f"a line of C when {when}\\n".encode())
    from tqdm.auto import tqdm
    for _ in tqdm(range(2), desc=f"a bar when {when}"):
        pass

class Talkative(PlainEncoder):
    def text_vectors(self, texts):
        talk("used")
        return np.eye(4)[[len(text) % 4 for text in texts]]

    def audio_vectors(self, waveforms):
        talk("used")
        return np.eye(4)[[len(wave) % 4 for wave in waveforms]]

def load(name, placement):
    talk("loaded")
    return Talkative("talkative", "f" * 16, 4)

talk("imported")
"""
KINDS = ("a log line", "a handled log line", "a warning", "a line of C", "a bar")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where that package is installed."""
    folder = tmp_path_factory.mktemp("packages")
    offer(folder, "talkative", "talkative", "talkative", TALKATIVE)
    path = [str(REPOSITORY), str(folder), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(path), "OEA_MODEL": "talkative"}


@pytest.fixture(scope="module")
def files(environment: dict[str, str], oea: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of four texts made by it, and queries."""
    folder = tmp_path_factory.mktemp("files")
    texts = ["a dog", "rain", "thunder", "bells"]
    done = oea(["embed", "--text", *texts], env=environment)
    assert done.returncode == 0 and not any(kind in done.stderr for kind in KINDS), done.stderr
    built = oea(["index", "-o", folder / "x.oea"], input=done.stdout)
    assert built.returncode == 0, built.stderr
    rows = [{"id": text, "text": text, "target": text} for text in texts]
    (folder / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    clips = [
        {"id": text, "captions": [text], "embedding": [1, i, 0, 0]} for i, text in enumerate(texts)
    ]
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in clips))
    return folder


VERBS = {
    "embed": ["embed", "--text", "a dog"],
    "search": ["search", "a dog", "-i", "x.oea"],
    "eval": ["eval", "--queries", "q.jsonl", "-i", "x.oea", "-M", "r@1"],
    "mine-negatives": [
        "mine-negatives",
        "clips.jsonl",
        "--text-model",
        "talkative",
        "--allow-empty",
    ],
    "models bench": [
        "models",
        "bench",
        "talkative",
        "--seconds",
        "1",
        "--number",
        "2",
        "--rounds",
        "1",
    ],
    "models check": ["models", "check", "talkative"],
}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", VERBS.values(), ids=VERBS)
def test_it_is_shown_only_with_verbose(
    arguments: list[str], files: Path, environment: dict[str, str], oea: Run
) -> None:
    quiet = oea(arguments, env=environment, cwd=files)
    assert "Traceback" not in quiet.stderr
    assert not [kind for kind in KINDS if kind in quiet.stderr], quiet.stderr
    loud = oea([*arguments, "-v"], env=environment, cwd=files)
    assert loud.returncode == quiet.returncode
    for kind in KINDS:
        for when in ("imported", "loaded"):
            assert f"{kind} when {when}" in loud.stderr, loud.stderr


@pytest.mark.slow
def test_the_environment_asks_for_it_too(
    files: Path, environment: dict[str, str], oea: Run
) -> None:
    done = oea(VERBS["search"], env={**environment, "OEA_VERBOSE": "1"}, cwd=files)
    assert done.returncode == 0 and all(f"{kind} when used" in done.stderr for kind in KINDS)


def test_our_own_lines_stay(environment: dict[str, str], oea: Run, tmp_path: Path) -> None:
    done = oea(["embed", "-m", "talkative", "no.wav", "-o", "x.npy"], env=environment, cwd=tmp_path)
    assert done.returncode == 1 and len(done.stderr.splitlines()) <= 2, done.stderr
    assert done.stderr.startswith("oea embed: no.wav")
