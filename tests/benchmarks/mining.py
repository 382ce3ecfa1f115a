"""What `oea mine-negatives` costs, against the bare product and against sentence-transformers.

Every figure is a ratio against a named alternative in the same run. Run from the repository root:

    python tests/benchmarks/mining.py product      # 50,000 x 512, top 20; goal: 1.0 x, 1 GB
    python tests/benchmarks/mining.py rival        # 20,000: goal 3 x as fast, a third of the memory
    python tests/benchmarks/mining.py verb         # the whole verb on 50,000 clips with captions
    python tests/benchmarks/mining.py duplicates ~/ESC-10   # re-encoded clips that are recognised

`rival` needs sentence-transformers and its datasets; without them our own side is shown.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

DIM = 512
TOP_K = 20
BLOCK_ROWS = 2048


def unit_rows(rng: np.random.Generator, count: int) -> np.ndarray:
    rows = rng.standard_normal((count, DIM), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_vectors(folder: Path, count: int) -> None:
    """v.npy: rows around 500 centres, in random order, as clips of several kinds lie."""
    rng = np.random.default_rng(0)
    centres = unit_rows(rng, 500)
    rows = unit_rows(rng, count) + centres[rng.integers(0, len(centres), count)]
    np.save(folder / "v.npy", rows / np.linalg.norm(rows, axis=1, keepdims=True))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def status_megabytes(name: str) -> float:
    """This process' VmRSS or VmHWM; ru_maxrss would count what its parent held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_child(function: str, folder: Path, threads: int | None = None) -> dict[str, float]:
    """Run one of the functions below in a process of its own; what it prints last is JSON."""
    own = {} if threads is None else {"OPENBLAS_NUM_THREADS": str(threads)}
    path = os.pathsep.join([str(Path.cwd()), *sys.path[1:]])
    done = subprocess.run(
        [sys.executable, __file__, function, "--folder", str(folder)],
        capture_output=True, text=True, check=True,
        env={**os.environ, **own, "PYTHONPATH": path},
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def bare(options: argparse.Namespace) -> None:
    """The blocked product of all rows with all, with as many threads as BLAS likes."""
    vectors = np.load(Path(options.folder) / "v.npy")
    scores = np.zeros((BLOCK_ROWS, len(vectors)), np.float32)

    def product() -> None:
        for start in range(0, len(vectors), BLOCK_ROWS):
            block = vectors[start : start + BLOCK_ROWS]
            np.matmul(block, vectors.T, out=scores[: len(block)])

    wall, processor = seconds(product)
    print(json.dumps({"wall": wall, "processor": processor}))


def ours(options: argparse.Namespace) -> None:
    """Every row's neighbours; the verb leaves the threads to them in the same way."""
    from oea_cli.vectors.scan.neighbours import nearest_neighbours

    folder = Path(options.folder)
    vectors = np.load(folder / "v.npy")
    before = status_megabytes("VmRSS")
    found = []
    wall, processor = seconds(lambda: found.append(nearest_neighbours(vectors, TOP_K)))
    peak = status_megabytes("VmHWM")
    np.save(folder / "ours.npy", found[0].rows)
    told = {"wall": wall, "processor": processor, "megabytes": peak, "beyond": peak - before}
    print(json.dumps(told))


def theirs(options: argparse.Namespace) -> None:
    """sentence-transformers' mine_hard_negatives on the same vectors: the rows are its texts."""
    from datasets import Dataset
    from sentence_transformers.util import mine_hard_negatives

    folder = Path(options.folder)
    vectors = np.load(folder / "v.npy")

    class Given:
        """A model whose embeddings are there already. Anchors are a0, a1 ..., texts 0, 1 ..."""

        device = "cpu"
        similarity = staticmethod(lambda one, other: _tensor(one) @ _tensor(other).T)
        similarity_pairwise = staticmethod(
            lambda one, other: (_tensor(one) * _tensor(other)).sum(-1)
        )

        def encode(self, texts: list[str], **_: object) -> np.ndarray:
            return vectors[[int(text.lstrip("a")) for text in texts]]

        encode_query = encode_document = encode

    names = list(map(str, range(len(vectors))))
    pairs = Dataset.from_dict({"anchor": [f"a{name}" for name in names], "positive": names})
    found = []
    wall, processor = seconds(
        lambda: found.append(
            mine_hard_negatives(
                pairs, Given(), num_negatives=TOP_K, output_format="n-tuple", verbose=False  # type: ignore[arg-type]
            )
        )
    )  # fmt: skip
    columns = [found[0][f"negative_{place}"] for place in range(1, TOP_K + 1)]
    np.save(folder / "theirs.npy", np.array([list(map(int, column)) for column in columns]).T)
    told = {"wall": wall, "processor": processor, "megabytes": status_megabytes("VmHWM")}
    print(json.dumps(told))


def _tensor(values: object) -> "object":
    import torch

    return torch.as_tensor(values)


def product(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_vectors(folder, options.rows)
        ratios = []
        for _ in range(options.rounds):
            base, mine = in_child("bare", folder), in_child("ours", folder, 1)
            ratios.append(mine["wall"] / base["wall"])
            print(
                f"{options.rows} x {DIM}, all with all: product {base['wall']:.2f} s "
                f"({base['processor']:.2f} of processor), top {TOP_K} of each {mine['wall']:.2f} s "
                f"({mine['processor']:.2f}): {ratios[-1]:.2f} x; {mine['beyond']:.0f} MB beyond "
                "the vectors"
            )
        print(f"median of {options.rounds}: {sorted(ratios)[len(ratios) // 2]:.2f} x the product")


def rival(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_vectors(folder, 20_000)
        for _ in range(options.rounds):
            mine = in_child("ours", folder, 1)
            print(f"ours, 20,000 x {DIM}: {mine['wall']:.2f} s, {mine['megabytes']:.0f} MB in all")
            try:
                other = in_child("theirs", folder)
            except subprocess.CalledProcessError as error:
                print(f"sentence-transformers: {error.stderr.strip().splitlines()[-1]}")
                return
            equal = np.load(folder / "ours.npy") == np.load(folder / "theirs.npy")
            print(
                f"sentence-transformers: {other['wall']:.2f} s, {other['megabytes']:.0f} MB; ours "
                f"{other['wall'] / mine['wall']:.1f} x as fast in "
                f"{mine['megabytes'] / other['megabytes']:.2f} of the memory; "
                f"{equal.mean():.4%} of the neighbours equal"
            )


def verb(options: argparse.Namespace) -> None:
    """`oea mine-negatives` on vectors with captions, from the files to the pairs."""
    from oea_cli.vectors.batch import Batch
    from oea_cli.vectors.files.formats import open_writer

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_vectors(folder, options.rows)
        vectors = np.load(folder / "v.npy")
        words = [f"word{number}" for number in range(3000)]
        draws = np.random.default_rng(1)
        captions = [[" ".join(draws.choice(words, 5)) for _ in range(3)] for _ in vectors]
        with open_writer(str(folder / "clips.npy"), encoder=None) as writer:
            rows = zip(captions, strict=True)
            writer.write(
                Batch(
                    [{"id": f"c{n}", "captions": said} for n, (said,) in enumerate(rows)], vectors
                )
            )
        texts = [text for said in captions for text in said]
        with open_writer(str(folder / "texts.parquet"), encoder=None) as writer:
            rng = np.random.default_rng(2)
            records = [{"id": str(n), "text": text} for n, text in enumerate(texts)]
            writer.write(Batch(records, unit_rows(rng, len(texts))))
        command = [sys.executable, "-m", "oea_cli", "mine-negatives", str(folder / "clips.npy")]
        command += [
            "--caption-vectors",
            str(folder / "texts.parquet"),
            "-o",
            str(folder / "p.jsonl"),
        ]
        for _ in range(options.rounds):
            base = in_child("bare", folder)
            wall, processor = timed(command)
            print(
                f"oea mine-negatives, {options.rows} clips, {len(texts)} captions: {wall:.1f} s "
                f"({processor:.1f} of processor); bare product {base['wall']:.1f} s: "
                f"{wall / base['wall']:.2f} x"
            )


def timed(command: list[str]) -> tuple[float, float]:
    """Wall-clock and processor seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def duplicates(options: argparse.Namespace) -> None:
    """Clips through mp3 and ogg of middling and of the lowest quality, with gain and offset."""
    import soundfile

    from oea_cli.mining.duplicates import fingerprint_of
    from oea_cli.mining.fingerprints import compare

    files = sorted(Path(options.folder).rglob("*.ogg"))[::4]
    rng = np.random.default_rng(0)
    prints = [fingerprint_of({"path": str(file)}) for file in files]
    with tempfile.TemporaryDirectory() as name:
        for suffix, level in (("mp3", 0.5), ("ogg", 0.5), ("mp3", 0.9), ("ogg", 0.9)):
            found = []
            for file, own in zip(files, prints, strict=True):
                samples, rate = soundfile.read(file, dtype="float32")
                offset = round(rng.uniform(0, 0.1) * rate)
                changed = rng.uniform(0.2, 0.9) * samples[offset:]
                again = Path(name) / f"again.{suffix}"
                soundfile.write(again, changed, rate, compression_level=level)
                found.append(compare(own, fingerprint_of({"path": str(again)})))  # type: ignore[arg-type]
            same = sum(comparison.is_same for comparison in found)
            worst = max(comparison.bits for comparison in found)
            print(f"{suffix} at {level}: {same} of {len(files)} recognised, worst bits {worst:.2f}")
    others = [
        (compare(one, other), files[n].name, files[m].name)  # type: ignore[arg-type]
        for n, one in enumerate(prints)
        for m, other in enumerate(prints[:n])
    ]
    closest = min(others, key=lambda row: row[0].bits)
    taken = [row for row in others if row[0].is_same]
    print(f"{len(others)} pairs of two clips: {len(taken)} taken for one sound {taken[:3]}")
    print(f"closest: {closest}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    work = {f.__name__: f for f in (product, rival, verb, duplicates, bare, ours, theirs)}
    parser.add_argument("what", choices=work)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--folder", dest="folder")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    work[options.what](options)


if __name__ == "__main__":
    main()
