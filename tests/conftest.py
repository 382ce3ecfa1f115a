"""Fixtures shared by all tests: the program in a subprocess, real sounds, the shared data."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, settings

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.main import app
from tests.offline import sitecustomize

# Before anything imports huggingface_hub, which reads it once: no test asks the network.
os.environ["HF_HUB_OFFLINE"] = "1"
# Whether a test passes depends neither on a busy machine nor on chance; `tests.fuzz` takes chances.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
REPOSITORY = Path(__file__).parent.parent
Completed = subprocess.CompletedProcess[str]
OFFLINE = Path(sitecustomize.__file__).parent
OWN_FOLDER = tempfile.TemporaryDirectory(prefix="oea-tests-")
LOOKED_UP = Path(OWN_FOLDER.name, "looked_up")
os.environ[sitecustomize.NAMES_FILE] = str(LOOKED_UP)
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])]
)


@pytest.fixture(autouse=True)
def no_host_is_looked_up() -> Iterator[None]:
    """Fail a test that asks for another host's address, itself or in a process it starts."""
    yield
    if LOOKED_UP.exists():
        names = LOOKED_UP.read_text().splitlines()
        LOOKED_UP.unlink()
        pytest.fail(f"looked up {', '.join(names)}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real sounds and captions beside the repository; skips where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real sounds in {folder.relative_to(REPOSITORY.parent)}")
    return folder


@pytest.fixture(scope="session")
def oea() -> Callable[..., Completed]:
    """Run `oea ARGS` as a user does; returns the finished process with text stdout and stderr."""

    def run(
        args: Sequence[str | Path],
        *,
        input: str | bytes | None = None,  # the name that subprocess.run uses
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        timeout: float = 120,
    ) -> Completed:
        done = subprocess.run(
            [sys.executable, "-m", "oea_cli", *map(str, args)],
            input=input.encode() if isinstance(input, str) else (input or b""),
            capture_output=True,
            cwd=cwd,
            env={**clean_environment(), **(env or {})},
            timeout=timeout,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


def verbs() -> list[str]:
    """Every verb there is, `models list` and its like in two words."""
    own = [str(command.name) for command in app.registered_commands]
    nested = [
        f"{group.name} {command.name}"
        for group in app.registered_groups
        for command in (group.typer_instance.registered_commands if group.typer_instance else [])
    ]
    return sorted([*own, *nested])


def clean_environment() -> dict[str, str]:
    """The environment without anybody's OEA_ settings, offline, and with a fixed width."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OEA_")}
    path = os.pathsep.join([str(REPOSITORY), kept.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {**kept, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "COLUMNS": "80", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def tone() -> Callable[..., Path]:
    """Write a sine tone as a sound file and return its path."""

    def write(path: Path, hz: float = 440, seconds: float = 1.0, sample_rate: int = 16_000) -> Path:
        time = np.arange(round(seconds * sample_rate)) / sample_rate
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.5 * np.sin(2 * np.pi * hz * time), sample_rate)
        return path

    return write


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an encoder with random weights: the production path, in milliseconds."""
    from oea_cli.encoder.omni.folder import save_encoder_folder
    from oea_cli.encoder.omni.fresh import ModelSizes, new_front_end, new_model, train_tokenizer
    from oea_cli.encoder.omni.settings import EncoderSettings

    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    sizes = ModelSizes(hidden_size=64, text_layers=2, text_mlp=128, audio_layers=2, audio_mlp=128)
    settings = EncoderSettings(dim=32)
    tokenizer = train_tokenizer(["query: a dog barks, rain falls; system user helpful"], 400)
    front_end = new_front_end(tokenizer, sizes, settings)
    save_encoder_folder(folder, new_model(sizes, front_end, seed=1), front_end, settings)
    return folder


@pytest.fixture(scope="session")
def encoder(tiny_encoder: Path) -> Encoder:
    """That encoder, loaded."""
    return load_encoder(str(tiny_encoder))
