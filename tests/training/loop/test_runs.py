"""A run as it is lived through: killed, out of disk, over several processes, ended early, drawn."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.errors import OeaError, UsageError
from oea_cli.training.data.schedule import num_parts
from oea_cli.training.loop.checkpoint import BEST_FILE, CHECKPOINT_FILE, Progress
from oea_cli.training.loop.train import train
from oea_cli.training.recipe.recipe import Recipe, Stage
from oea_cli.training.results.curves import curves, write_curves
from oea_cli.training.results.log import StepReport
from tests.commands import in_process
from tests.conftest import REPOSITORY, clean_environment
from tests.training.conftest import SMOKE

WEIGHTS = ("model.safetensors", "heads.safetensors")
ENVIRONMENT = {**clean_environment(), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module", autouse=True)
def clips_of_the_recipe(smoke_clips: Path) -> None:
    """Say where they are, as a user may."""
    ENVIRONMENT["OEA_CLIPS_FOLDER"] = str(smoke_clips)


def command(output: Path, *more: str) -> list[str]:
    """`oea train` of the smoke recipe."""
    made = [sys.executable, "-m", "oea_cli", "train", str(SMOKE), "-o", str(output), "-j", "0"]
    return [*made, *(word for one in more for word in ("--set", one))]


def run(words: list[str], limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run to the end; `limit` is the largest file, in bytes, that may be written."""

    def shrink() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        words,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=600,
        preexec_fn=shrink,
        cwd=REPOSITORY,
    )


def progress_in(path: Path) -> Progress:
    with safe_open(path, framework="pt") as file:
        return Progress(**json.loads(file.metadata()["progress"]))


# --- never lose work ---


@pytest.mark.slow
def test_ten_kills_at_any_moment_change_no_bit(tmp_path: Path) -> None:
    settings = ("stages.main.steps=37", "checkpoint_every=2", "validate_every=9", "log_every=1")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = run(command(whole, *settings))
    assert done.returncode == 0, done.stderr
    rng = random.Random(7)
    for point in sorted(rng.sample(range(1, 39), 10)):
        running = subprocess.Popen(
            command(killed, *settings),
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        for line in running.stderr:
            if "/40 " in line and int(line.split("/40 ")[0].split()[-1]) >= point:
                break
        time.sleep(rng.uniform(0, 0.02))  # into whatever comes next
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert running.returncode == -signal.SIGKILL
    assert progress_in(killed / CHECKPOINT_FILE).step < 40
    done = run(command(killed, *settings))
    assert done.returncode == 0, done.stderr
    for name in WEIGHTS:
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    steps = [row["step"] for row in log_of(killed)]
    assert steps == list(range(1, 41))


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    words = command(tmp_path, "stages.main.steps=100000", "validate_every=0")
    running = subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / CHECKPOINT_FILE
    try:
        deadline = time.monotonic() + 120
        while not checkpoint.exists():
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        room = checkpoint.stat().st_size // 2
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (room, room))
        _, stderr = running.communicate(timeout=120)
    finally:
        running.kill()
    assert running.returncode == 1
    error = stderr.splitlines()[-1]
    assert "checkpoint.safetensors: cannot be written" in error and "is intact" in error
    assert "Traceback" not in stderr and not list(tmp_path.glob("*.tmp"))
    step = progress_in(checkpoint).step
    assert step > 0 and step % 3 == 0
    assert all(torch.isfinite(t.float()).all() for t in load_file(checkpoint).values())


@pytest.mark.slow
def test_an_encoder_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    assert run(command(tmp_path)).returncode == 0
    names = [path.name for path in tmp_path.iterdir() if path.is_file() and "log" not in path.name]
    before = {name: (tmp_path / name).read_bytes() for name in names}
    done = run(command(tmp_path), limit=20_000)
    assert done.returncode == 1
    assert "the encoder cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in names} == before
    assert not (tmp_path / "encoder.tmp").exists()


@pytest.mark.slow
def test_a_kill_between_the_checkpoint_and_its_name_as_best_is_made_up_for(
    smoke: Recipe, tmp_path: Path
) -> None:
    class StopError(Exception):
        pass

    def stop(report: StepReport) -> None:
        if report.step == 6:
            raise StopError

    with pytest.raises(StopError):
        train(smoke, tmp_path, workers=0, device="cpu", on_step=stop)
    progress = progress_in(tmp_path / CHECKPOINT_FILE)
    assert progress.best_step == progress.step == 6
    (tmp_path / BEST_FILE).unlink()
    train(smoke, tmp_path, workers=0, device="cpu")
    best = progress_in(tmp_path / BEST_FILE)
    assert best.best_step == best.step
    assert best.best == max(row["validation"].get("r@10", 0) for row in log_of(tmp_path))


def log_of(folder: Path) -> list[dict[str, dict[str, float]]]:
    return [json.loads(x) for x in (folder / "train_log.jsonl").read_text().splitlines()]


def test_numbers_that_run_away_stop_the_run_and_spoil_no_checkpoint(
    smoke: Recipe, tmp_path: Path
) -> None:
    wild = smoke.stages[0].changed(steps=60, learning_rate=1e30, warmup=1)
    with pytest.raises(OeaError, match=r"the gradient is not finite.*stages\.start\.learning_rate"):
        recipe = smoke.changed(stages=(wild,), checkpoint_every=1)
        train(recipe, tmp_path, workers=0, device="cpu")
    modules = load_file(tmp_path / CHECKPOINT_FILE)
    assert progress_in(tmp_path / CHECKPOINT_FILE).step > 0
    assert not any(torch.isnan(t.float()).any() for t in modules.values())


# --- the best, and when to stop ---


@pytest.fixture(scope="module")
def patient(smoke: Recipe) -> Recipe:
    """Two stages; the first learns so fast that it gets worse, and is cut short."""
    data = smoke.stages[0].data
    wild = Stage(
        name="wild", data=data, steps=40, batch_size=8, learning_rate=1.0, warmup=1, patience=2
    )
    calm = Stage(name="calm", data=data, steps=3, batch_size=8, learning_rate=1e-9, warmup=1)
    return smoke.changed(stages=(wild, calm), validate_every=1, checkpoint_every=7, average=0.0)


def test_a_stage_without_progress_ends_at_its_best(patient: Recipe, tmp_path: Path) -> None:
    reports: list[StepReport] = []
    train(patient, tmp_path, workers=0, device="cpu", on_step=reports.append)
    wild = [report for report in reports if report.stage == "wild"]
    found = [report.validation["r@10"] for report in wild]
    best = found.index(max(found))
    assert len(wild) == best + 1 + 2 < 40
    # The next stage begins where the first was best, and hardly moves from there.
    calm = [report for report in reports if report.stage == "calm"]
    assert [report.step for report in calm] == [41, 42, 43]
    assert calm[0].validation["r@10"] == pytest.approx(found[best], abs=0.04)
    told = json.loads((tmp_path / "encoder.json").read_text())["training"]
    assert told["steps"] == best + 1 + 3


def test_the_weights_of_a_cut_stage_are_its_best(patient: Recipe, tmp_path: Path) -> None:
    recipe = patient.changed(stages=patient.stages[:1])
    train(recipe, tmp_path, workers=0, device="cpu")
    best, heads = load_file(tmp_path / BEST_FILE), load_file(tmp_path / "heads.safetensors")
    assert progress_in(tmp_path / BEST_FILE).step < len(log_of(tmp_path))
    for name, tensor in heads.items():
        assert torch.equal(tensor, best[f"modules.model.{name}"]), name


@pytest.mark.slow
def test_an_early_end_is_the_same_after_a_stop(patient: Recipe, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(report: StepReport) -> None:
        if report.step in (2, 41):
            raise StopError

    train(patient, tmp_path / "whole", workers=0, device="cpu")
    for _ in range(2):
        with pytest.raises(StopError):
            train(patient, tmp_path / "parts", workers=0, device="cpu", on_step=stop)
    train(patient, tmp_path / "parts", workers=0, device="cpu")
    for name in WEIGHTS:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


# --- many processes ---


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    settings = ("stages.start.micro_batch=4", "stages.main.micro_batch=4", "precision=float32")
    alone, two = tmp_path / "alone", tmp_path / "two"
    assert run(command(alone, *settings)).returncode == 0
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = command(two, *settings)
    done = run([words[0], *launch, *words[1:]])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(two)
    assert done.stderr.count("main: 4 x 2 processes: 8 pairs, 7 negatives each way") == 1
    assert [row["step"] for row in log_of(two)] == [row["step"] for row in log_of(alone)]
    for name in WEIGHTS:
        ours, theirs = load_file(two / name), load_file(alone / name)
        assert all(torch.allclose(ours[key], theirs[key], atol=2e-3) for key in theirs), name
    for mine, other in zip(log_of(two), log_of(alone), strict=True):
        assert mine["losses"] == pytest.approx(other["losses"], rel=1e-3)


@pytest.mark.slow
def test_a_signal_stops_all_processes_at_one_step_and_fewer_go_on(tmp_path: Path) -> None:
    settings = ("stages.main.steps=3000", "stages.main.micro_batch=4", "validate_every=0")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = command(tmp_path, *settings)
    running = subprocess.Popen(
        [words[0], *launch, *words[1:]],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / CHECKPOINT_FILE).exists():
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    finally:
        running.kill()
    stopped = progress_in(tmp_path / CHECKPOINT_FILE).step
    assert 0 < stopped < 3003
    # One process goes on from there.
    more = subprocess.Popen(words, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    try:
        assert more.stderr is not None
        line = next(line for line in more.stderr if "/3003 " in line)
    finally:
        more.kill()
        more.communicate()
    assert int(line.split("/3003")[0].split()[-1]) > stopped


def test_a_batch_that_cannot_be_shared_out_is_refused() -> None:
    stage = Stage(name="scenes", steps=1, batch_size=8, micro_batch=4)
    assert [num_parts(stage, n) for n in (1, 2, 4)] == [2, 2, 4]
    with pytest.raises(UsageError, match=r"stages\.scenes\.batch_size: 8 pairs cannot be cut"):
        num_parts(stage, 3)


# --- what is seen ---


@pytest.mark.slow
def test_curves_are_drawn_from_the_log(smoke: Recipe, tmp_path: Path) -> None:
    train(smoke, tmp_path, workers=0, device="cpu")
    done = in_process.run(["train", "--plot", tmp_path])
    assert done.returncode == 0, done.stderr
    path = tmp_path / "train_curves.svg"
    assert done.stdout.strip() == str(path)
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    names = {"".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")}
    assert {"loss", "validation", "learning rate", "start", "main"} <= names
    lines = [node for node in root.iter() if node.tag.endswith("polyline")]
    assert len(lines) == 2 + 2 + 1  # losses, measurements, the learning rate
    places = [pair.split(",") for line in lines for pair in line.get("points", "").split()]
    assert all(0 <= float(x) <= 760 and 0 <= float(y) <= 900 for x, y in places)


def test_curves_survive_a_loss_that_is_not_finite_and_a_hostile_name() -> None:
    rows = [
        {"step": step, "total": 2, "stage": "<b>", "losses": {"contrast": loss}, "validation": {}}
        | {"learning_rate": 0.0}
        for step, loss in ((1, float("nan")), (2, 1.0))
    ]
    drawn = curves("<script>", rows)
    ElementTree.fromstring(drawn)
    assert "<script>" not in drawn and "nan" not in drawn


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(OeaError, match="no steps in it"):
        write_curves(tmp_path)


def test_tensorboard_is_asked_for_before_anything_is_trained(smoke: Recipe, tmp_path: Path) -> None:
    recipe = smoke.changed(tensorboard=True)
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(UsageError, match="pip install tensorboard"):
            train(recipe, tmp_path / "run", workers=0, device="cpu")
        assert not (tmp_path / "run").exists()
        return
    train(recipe, tmp_path / "run", workers=0, device="cpu")
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    master, slave = os.openpty()
    yield master, slave
    for end in (master, slave):
        os.close(end)


@pytest.mark.slow
def test_a_terminal_gets_a_bar(terminal: tuple[int, int], tmp_path: Path) -> None:
    master, slave = terminal
    running = subprocess.Popen(
        command(tmp_path),
        env={**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "150"},
        stdout=subprocess.DEVNULL,
        stderr=slave,
    )
    seen = b""
    deadline = time.monotonic() + 120
    while running.poll() is None and time.monotonic() < deadline:
        os.set_blocking(master, False)
        try:
            seen += os.read(master, 65536)
        except BlockingIOError:
            time.sleep(0.05)
    assert running.returncode == 0
    text = seen.decode(errors="replace")
    assert "main: 8 pairs, 7 negatives each way" in text
    assert "r@10" in text and "clips/s" in text and "GB" in text and "\x1b[" in text
    assert load_encoder_folder(tmp_path).dim == 32
