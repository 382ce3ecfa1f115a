"""Records to vectors in the background: order, failures, windows, memory, sameness."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming import batch_plan
from oea_cli.encoder.streaming.batch_plan import num_tokens, padded_tokens, plan_batches
from oea_cli.encoder.streaming.inputs import EncoderInput, Notice
from oea_cli.encoder.streaming.stream import stream
from oea_cli.errors import Failure, OeaError, raise_failure
from oea_cli.records.ids import window_id
from oea_cli.vectors.batch import Batch
from tests.conftest import clean_environment

Record = dict[str, Any]


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> Encoder:
    return load_encoder(str(tiny_encoder), device="cpu")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """Forty sounds of mixed lengths, formats and rates."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    records = []
    for i in range(40):
        rate = (16_000, 22_050, 44_100)[i % 3]
        path = folder / f"{i}.{('wav', 'flac', 'ogg')[i % 3]}"
        soundfile.write(path, 0.1 * rng.standard_normal(int(rate * rng.uniform(0.05, 3))), rate)
        records.append({"id": str(i), "path": str(path), "note": i})
    return records


def gathered(batches: Iterator[Batch]) -> tuple[list[Record], np.ndarray]:
    parts = list(batches)
    records = [record for batch in parts for record in batch.records]
    return records, np.concatenate([batch.vectors for batch in parts])


class Loudness:
    """An encoder that costs nothing: (mean square, number of samples), not normalised."""

    name, fingerprint, encoder_id, device = "loudness", "0", "loudness:0", "cpu"
    dim, sample_rate, max_seconds, concurrency = 2, 16_000, 10.0, None

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[len(text), 1] for text in texts], np.float32)

    def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([[np.square(w).mean(), len(w)] for w in waveforms], np.float32)

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        return list(waveforms)

    def encode_prepared(self, prepared: Any) -> np.ndarray:
        return self.encode_audio(prepared)


def test_order_is_kept_and_vectors_are_those_of_each_clip_alone(
    encoder: Encoder, clips: list[Record]
) -> None:
    from oea_cli.audio.windows import read_audio

    records, vectors = gathered(stream(encoder, clips, report=raise_failure))
    assert [record["id"] for record in records] == [clip["id"] for clip in clips]
    assert [record["note"] for record in records] == list(range(40)), "other keys travel along"
    for record, vector in zip(records, vectors, strict=True):
        samples = read_audio(record["path"], encoder.sample_rate)
        assert record["duration"] == pytest.approx(len(samples) / 16_000, abs=0.001)
        np.testing.assert_allclose(vector, encoder.encode_audio([samples])[0], atol=1e-5)


def test_two_runs_give_the_same_bits(encoder: Encoder, clips: list[Record]) -> None:
    first = gathered(stream(encoder, clips, report=raise_failure))[1]
    for workers in (1, 3):
        again = stream(encoder, clips, workers=workers, report=raise_failure)
        np.testing.assert_array_equal(first, gathered(again)[1])


def test_batch_size_and_order_do_not_matter(encoder: Encoder, clips: list[Record]) -> None:
    expected = gathered(stream(encoder, clips, report=raise_failure))[1]
    for batch_size in (1, 16):
        stream_ = stream(encoder, clips, batch_size=batch_size, report=raise_failure)
        np.testing.assert_allclose(gathered(stream_)[1], expected, atol=1e-5)
    order = np.random.default_rng(1).permutation(len(clips))
    shuffled = stream(encoder, [clips[i] for i in order], report=raise_failure)
    np.testing.assert_allclose(gathered(shuffled)[1], expected[order], atol=1e-5)


def test_texts_and_sounds_mix(encoder: Encoder, clips: list[Record]) -> None:
    texts = [{"id": f"t{i}", "text": f"a dog barks {i} times"} for i in range(30)]
    mixed = [record for pair in zip(clips[:30], texts, strict=True) for record in pair]
    records, vectors = gathered(stream(encoder, mixed, report=raise_failure))
    assert [record["id"] for record in records] == [record["id"] for record in mixed]
    expected = encoder.encode_text([text["text"] for text in texts])
    np.testing.assert_allclose(vectors[1::2], expected, atol=1e-5)


def test_failures_are_reported_in_input_order_and_the_rest_goes_on(
    clips: list[Record], tmp_path: Path
) -> None:
    (tmp_path / "broken.wav").write_text("no sound")
    items: list[Record | Failure] = []
    for i, clip in enumerate(clips):
        items.append(clip)
        if i % 4 == 0:
            items.append({"id": f"broken {i}", "path": str(tmp_path / "broken.wav")})
        if i % 4 == 1:
            items.append(Failure(f"clips.csv:{i}", "no path", f"row {i}"))
        if i % 4 == 2:
            items.append({"id": f"missing {i}", "path": str(tmp_path / "missing.wav")})
    failures: list[Failure] = []
    counted: list[None] = []
    batches = stream(
        Loudness(), items, report=failures.append, advance=lambda: counted.append(None)
    )
    records, vectors = gathered(batches)
    assert [record["id"] for record in records] == [clip["id"] for clip in clips]
    assert len(vectors) == 40 and len(counted) == len(items) == 70
    expected = [f.id if isinstance(f, Failure) else f["id"] for f in items if f not in clips]
    assert [failure.id for failure in failures] == expected
    assert str(failures[2]) == f"{tmp_path / 'missing.wav'}: no such file"


def test_the_first_failure_may_end_it(clips: list[Record]) -> None:
    items = [*clips[:5], {"id": "x", "path": "missing.wav"}, *clips[5:]]
    with pytest.raises(OeaError, match=r"^missing\.wav: no such file$"):
        list(stream(Loudness(), items, report=raise_failure))


def test_windows_have_ids_and_times(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(int(25.5 * 8000)), 8000)
    whole = {"id": "long.wav", "path": str(path), "duration": 25.5}
    section = {"id": "part", "path": str(path), "start": 2.5, "end": 7.0}
    long_section = {"id": "more", "path": str(path), "start": 1.25}
    records, _ = gathered(stream(Loudness(), [whole, section, long_section], report=raise_failure))
    assert [(r["id"], r.get("start"), r.get("end"), r["duration"]) for r in records] == [
        ("long.wav#t=0,10", 0, 10, 25.5),
        ("long.wav#t=10,20", 10, 20, 25.5),
        ("long.wav#t=15.5,25.5", 15.5, 25.5, 25.5),
        ("part", 2.5, 7.0, 4.5),
        ("more#t=1.25,11.25", 1.25, 11.25, 24.25),
        ("more#t=11.25,21.25", 11.25, 21.25, 24.25),
        ("more#t=15.5,25.5", 15.5, 25.5, 24.25),
    ]


class ShortWindows(Loudness):
    max_seconds = 0.1


def test_every_window_knows_how_long_its_clip_is(tmp_path: Path, clips: list[Record]) -> None:
    """Also where a clip fills several groups, the last of all, and between others."""
    lengths = (30.0, 0.05, 12.34, 40.0)
    items = []
    for number, seconds in enumerate(lengths):
        soundfile.write(tmp_path / f"{number}.wav", np.zeros(round(seconds * 8000)), 8000)
        items.append({"id": str(number), "path": str(tmp_path / f"{number}.wav")})
    batches = list(stream(ShortWindows(), items, report=raise_failure))
    records, vectors = gathered(iter(batches))
    assert len(records) == len(vectors) == 299 + 1 + 123 + 399
    owners = [{record["id"].partition("#")[0] for record in batch.records} for batch in batches]
    assert sum(map(len, owners)) == 4, "of a long clip all windows at once"
    own = [record["id"].partition("#")[0] for record in records]
    assert own == sorted(own)
    assert {(id_, r["duration"]) for id_, r in zip(own, records, strict=True)} == {
        (str(number), seconds) for number, seconds in enumerate(lengths)
    }


def test_a_window_without_a_vector_counts_for_its_clip(tmp_path: Path) -> None:
    class Deaf(ShortWindows):
        def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
            vectors = super().encode_audio(waveforms)
            return np.where(vectors[:, :1] > 0.1, np.nan, vectors)

    samples = np.zeros(8000)
    samples[-800:] = 0.99  # in the last of nine windows
    soundfile.write(tmp_path / "a.wav", samples, 8000)
    failures: list[Failure] = []
    item = {"id": "a", "path": str(tmp_path / "a.wav")}
    records, _ = gathered(stream(Deaf(), [item], report=failures.append))
    assert [failure.id for failure in failures] == ["a#t=0.8,1"]
    assert len(records) == 8 and {record["duration"] for record in records} == {1.0}


def test_window_ids_have_at_most_three_decimals() -> None:
    assert window_id("a.wav", 0.0, 10.0) == "a.wav#t=0,10"
    assert window_id("a.wav", 3.4004999, 13.4) == "a.wav#t=3.4,13.4"


def test_a_file_that_breaks_late_keeps_its_windows(tmp_path: Path) -> None:
    path = tmp_path / "late.flac"
    soundfile.write(path, np.random.default_rng(0).standard_normal(40 * 8000) * 0.1, 8000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    failures: list[Failure] = []
    item = {"id": "late", "path": str(path)}
    records, _ = gathered(stream(Loudness(), [item], report=failures.append))
    assert [record["id"] for record in records] == ["late#t=0,10", "late#t=10,20"]
    assert len(failures) == 1 and failures[0].error.startswith("broken after 29.")


def test_remarks_are_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(16_000), 8000)
    path.write_bytes(path.read_bytes()[:8044])
    notices: list[str] = []
    item = {"id": "short", "path": str(path)}
    batches = stream(
        Loudness(),
        [item],
        report=raise_failure,
        notice=lambda message: notices.append(str(message)),
    )
    assert len(gathered(batches)[0]) == 1
    assert notices == [f"{path}: ends after 0.50 of 2.00 s; used up to its end"]


def test_memory_does_not_grow_with_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long file among many short ones; the bound is set low to be seen at once."""
    monkeypatch.setattr(batch_plan, "MIN_GROUP_SECONDS", 20.0)
    monkeypatch.setattr(batch_plan, "CPU_TOKENS", 100)
    soundfile.write(tmp_path / "long.wav", np.zeros(900 * 8000, np.int16), 8000)
    soundfile.write(tmp_path / "short.wav", np.zeros(16_000, np.int16), 8000)
    short = [{"id": str(i), "path": str(tmp_path / "short.wav")} for i in range(200)]
    items = [*short, {"id": "long", "path": str(tmp_path / "long.wav")}, *short]
    tracemalloc.start()
    try:
        rows = sum(
            len(batch.records)
            for batch in stream(Loudness(), items, workers=3, report=raise_failure)
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == 490
    assert peak < 20e6, "all of it is 83 MB, the four groups held 5 MB"


def test_inputs_are_read_as_they_are_needed(clips: list[Record]) -> None:
    taken = 0

    def endless() -> Iterator[Record]:
        nonlocal taken
        while True:
            taken += 1
            yield clips[taken % 40]

    batches = stream(Loudness(), endless(), report=raise_failure)
    for _ in range(3):
        next(batches)
    batches.close()
    assert taken < 3000


def test_it_stops_at_once_when_nobody_wants_more(clips: list[Record]) -> None:
    import threading

    before = threading.active_count()
    batches = stream(Loudness(), clips * 50, report=raise_failure)
    next(batches)
    started = time.monotonic()
    batches.close()
    assert threading.active_count() == before
    assert time.monotonic() - started < 5


def test_torchs_threads_are_given_back(encoder: Encoder, clips: list[Record]) -> None:
    import torch

    before = torch.get_num_threads()
    list(stream(encoder, clips[:3], report=raise_failure))
    assert torch.get_num_threads() == before


def test_a_vector_that_is_not_finite_is_a_failed_input(clips: list[Record]) -> None:
    class Deaf(Loudness):
        def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
            vectors = super().encode_audio(waveforms)
            return np.where(vectors[:, 1:] < 8000, np.nan, vectors)

    failures: list[Failure] = []
    records, vectors = gathered(stream(Deaf(), clips, report=failures.append))
    assert failures and np.isfinite(vectors).all()
    assert len(records) == len(vectors) == 40 - len(failures)
    assert all(record["duration"] >= 0.5 for record in records)


def noise(*seconds: float) -> list[EncoderInput]:
    """Sounds of these lengths at 16 kHz."""
    return [EncoderInput({}, np.zeros(int(16_000 * s), np.float32)) for s in seconds]


def test_batches_are_even_and_of_similar_length() -> None:
    plan = plan_batches("cpu", 8, lanes=2)
    pieces = noise(*(np.random.default_rng(0).permutation(18) * 0.006 + 0.001))
    batches = plan.batches(pieces, 16_000)
    assert sorted(row for batch in batches for row in batch) == list(range(18))
    assert [len(batch) for batch in batches] == [6, 6, 6]
    assert min(pieces[row].size for row in batches[0]) > max(pieces[row].size for row in batches[1])
    assert len(plan.batches(pieces[:2], 16_000)) == 2, "no lane is idle"


def test_a_batch_size_that_is_asked_for_is_a_limit() -> None:
    pieces = noise(*([300.0] * 4))
    assert [len(b) for b in plan_batches("cpu", 4, 1).batches(pieces, 16_000)] == [4]
    assert [len(b) for b in plan_batches("cpu", 3, 1).batches(pieces, 16_000)] == [2, 2]


def test_automatic_batches_go_by_padded_tokens() -> None:
    rng = np.random.default_rng(0)
    pieces = noise(*rng.uniform(0.5, 30, 200))
    texts = [EncoderInput({}, "dog " * n) for n in rng.integers(1, 400, 200)]
    mixed = [piece for pair in zip(pieces, texts, strict=True) for piece in pair]
    for device, limit in (("cpu", batch_plan.CPU_TOKENS), ("cuda", batch_plan.GPU_TOKENS)):
        batches = [
            [mixed[row] for row in rows]
            for rows in plan_batches(device, None, 2).batches(mixed, 16_000)
        ]
        assert sum(map(len, batches)) == 400
        assert all(len({type(piece.content) for piece in batch}) == 1 for batch in batches)
        costs = [padded_tokens(batch, 16_000) for batch in batches]
        assert max(costs) <= limit
        real = sum(num_tokens(piece, 16_000) for piece in mixed)
        assert real > 0.85 * sum(costs), "little of it is padding"
    long = plan_batches("cpu", None, 1).batches(noise(*([300.0] * 3)), 16_000)
    assert [len(batch) for batch in long] == [1] * 3
    short = plan_batches("cpu", None, 1).batches(noise(*([1.0] * 40)), 16_000)
    assert len(short[0]) > 16


class Narrow(Loudness):
    """Has room for so many samples at a time: it asks for more memory than there is above them."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.sizes: list[int] = []

    def encode_prepared(self, prepared: Any) -> np.ndarray:
        import torch

        needed = len(prepared) * max(map(len, prepared))
        torch.empty(2**55 if needed > self.room else 8)
        self.sizes.append(len(prepared))
        return super().encode_prepared(prepared)


def test_a_batch_that_does_not_fit_is_halved_and_so_are_those_after_it(
    clips: list[Record],
) -> None:
    notices: list[Notice] = []
    expected = gathered(stream(Loudness(), clips * 4, report=raise_failure))[1]
    narrow = Narrow(room=6 * 48_000)
    batches = stream(narrow, clips * 4, batch_size=16, report=raise_failure, notice=notices.append)
    records, vectors = gathered(batches)
    assert [record["note"] for record in records] == list(range(40)) * 4
    np.testing.assert_array_equal(vectors, expected)
    assert [str(message) for message in notices] == [
        "out of memory: a batch of 16 did not fit; batches are smaller from here on"
    ]
    assert max(narrow.sizes) < 16 and np.mean(narrow.sizes) > 2


def test_a_device_is_fed_by_two_lanes_in_order(clips: list[Record]) -> None:
    """The path of a GPU: mel in threads of its own, batches that do not fit prepared again."""

    class Device(Narrow):
        device = "xpu"  # torch has such devices; nothing here asks for one
        encoder_id = "device:0"

    expected = gathered(stream(Loudness(), clips * 4, report=raise_failure))[1]
    texts = [{"id": f"t{i}", "text": "a" * i} for i in range(9)]
    notices: list[Notice] = []
    device = Device(room=6 * 48_000)
    stream_ = stream(device, [*clips * 4, *texts], report=raise_failure, notice=notices.append)
    records, vectors = gathered(stream_)
    assert [record["id"] for record in records][-9:] == [text["id"] for text in texts]
    np.testing.assert_array_equal(vectors[:160], expected)
    np.testing.assert_array_equal(vectors[160:, 0], np.arange(9))
    assert len(notices) == 1 and max(device.sizes) > 3


def test_an_input_that_does_not_fit_alone_is_named(clips: list[Record]) -> None:
    failures: list[Failure] = []
    batches = stream(Narrow(room=32_000), clips, report=failures.append)
    records, vectors = gathered(batches)
    assert all(record["duration"] <= 2 for record in records) and len(records) == len(vectors)
    assert len(failures) == 40 - len(records) > 0
    assert {failure.error for failure in failures} == {"does not fit into memory, even alone"}


def test_other_errors_end_it(clips: list[Record]) -> None:
    class Broken(Loudness):
        def encode_prepared(self, prepared: Any) -> np.ndarray:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        list(stream(Broken(), clips, report=raise_failure))


UNDER_A_LIMIT = """
import re, resource, sys
from pathlib import Path
import numpy as np
import torch
from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.streaming.stream import stream
from oea_cli.errors import raise_failure

torch.set_num_threads(2)
encoder = load_encoder("mini", device="cpu", dtype="float32")
records = [{"id": path, "path": path} for path in sys.argv[1:]] * 64

def run(size, notices):
    batches = stream(
        encoder, records, batch_size=size, report=raise_failure, notice=notices.append
    )
    return np.concatenate([batch.vectors for batch in batches])

expected, notices = run(2, []), []
size = re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
for more in (80, 60, 40, 30, 20):
    resource.setrlimit(resource.RLIMIT_AS, (int(size) * 1024 + more * 2**20, -1))
    difference = np.abs(run(64, notices) - expected).max()
    if notices:
        break
print(difference, *notices, sep="\\n")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited in Linux's way")
def test_a_real_lack_of_memory_is_lived_with(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 96_000), 16_000)
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, str(tmp_path / "a.wav")],
        capture_output=True,
        text=True,
        env={**clean_environment(), "MALLOC_ARENA_MAX": "2"},
    )
    assert done.returncode == 0, done.stderr
    difference, notice = done.stdout.splitlines()
    assert float(difference) < 1e-6
    assert notice.startswith("out of memory: a batch of ")
