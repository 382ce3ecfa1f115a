"""What `oea eval` costs, against the bare matrix product and against other evaluators.

Every figure is a ratio against a named alternative in the same run. Run from the repository root:

    python tests/benchmarks/evaluation.py ranks       # goal: 1.3 x the product, 1 GB in all
    python tests/benchmarks/evaluation.py evaluator   # against sentence-transformers: 1/3, 1/4
    python tests/benchmarks/evaluation.py run         # against a cold ranx process: 1/10
    python tests/benchmarks/evaluation.py start       # goal: 0.6 s of processor time

`evaluator` and `run` need sentence-transformers and ranx; without them our own side is shown.
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
METRICS = ["r@1", "r@5", "r@10", "hnsr@10", "tfr@10", "delta-rank"]


def unit_rows(rng: np.random.Generator, count: int) -> np.ndarray:
    rows = rng.standard_normal((count, DIM), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_vectors(folder: Path, num_queries: int, num_rows: int) -> None:
    """corpus.npy, queries.npy, whose cosine with their targets is about 0.25, and pairs.npy."""
    rng = np.random.default_rng(0)
    corpus = np.lib.format.open_memmap(folder / "corpus.npy", "w+", np.float32, (num_rows, DIM))
    for start in range(0, num_rows, 10_000):
        corpus[start : start + 10_000] = unit_rows(rng, min(10_000, num_rows - start))
    targets = rng.choice(num_rows, num_queries, replace=False)
    queries = unit_rows(rng, num_queries) + 0.25 * corpus[targets]
    np.save(folder / "queries.npy", queries / np.linalg.norm(queries, axis=1, keepdims=True))
    negatives = (targets + 1 + rng.integers(0, num_rows - 1, num_queries)) % num_rows
    np.save(folder / "pairs.npy", np.stack([targets, negatives], axis=1))
    corpus.flush()


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def peak_megabytes() -> float:
    """This process' peak; ru_maxrss would count what its parent held when it was started."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def product(folder: Path) -> None:
    """The bare blocked product of the mapped corpus with the queries, in our own block size."""
    from oea_cli.vectors.scan.candidates import BLOCK_ROWS

    corpus = np.load(folder / "corpus.npy", mmap_mode="r")
    columns = np.load(folder / "queries.npy").T
    scores = np.empty((BLOCK_ROWS, columns.shape[1]), np.float32)
    for start in range(0, len(corpus), BLOCK_ROWS):
        block = corpus[start : start + BLOCK_ROWS]
        np.matmul(block, columns, out=scores[: len(block)])


def our_metrics(folder: Path, plain: bool = False) -> dict[str, float]:
    """The metrics out of the two files, targets and hard negatives by number; `plain`: recall."""
    from oea_cli.clips.queries import Query
    from oea_cli.evaluation.output.results import measure
    from oea_cli.evaluation.scoring.tasks import QueryVectors, rank
    from oea_cli.metrics.metrics import parse_metrics
    from oea_cli.vectors.opening import read_vectors

    pairs = np.load(folder / "pairs.npy").tolist()
    queries = [
        Query(f"q{row}", "pairs", {str(target): 1.0}, None if plain else str(negative))
        for row, (target, negative) in enumerate(pairs)
    ]
    questions = QueryVectors(queries, np.load(folder / "queries.npy"), [True] * len(queries))
    outcomes = rank(questions, read_vectors(folder / "corpus.npy").candidates(), "text-to-audio")
    metrics = parse_metrics(METRICS[:3] if plain else METRICS)
    return {str(m): v for m, v in measure(outcomes, metrics).values.items()}


def in_child(function: str, folder: Path, *more: str) -> dict[str, float]:
    """Run one of the functions below in a process of its own; what it prints last is JSON."""
    command = [sys.executable, __file__, function, "--folder", str(folder), *more]
    # The verb leaves the threads to the ranks in the same way.
    own = {"OPENBLAS_NUM_THREADS": "1"} if function == "ours" else {}
    environment = {
        **os.environ,
        **own,
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path[1:]]),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def ranks(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_vectors(folder, options.queries, options.rows)
        size = options.rows * DIM * 4 / 2**20
        print(f"{options.queries} queries x {options.rows} rows x {DIM}: vectors {size:.0f} MB")
        ratios = []
        for _ in range(options.rounds):
            bare, mine = in_child("bare", folder), in_child("ours", folder)
            ratios.append(mine["wall"] / bare["wall"])
            print(
                f"product {bare['wall']:.2f} s ({bare['processor']:.2f} of processor), all metrics "
                f"{mine['wall']:.2f} s ({mine['processor']:.2f}): {ratios[-1]:.2f} x; "
                f"peak {mine['megabytes']:.0f} MB in all"
            )
    print(f"median of {options.rounds}: {sorted(ratios)[len(ratios) // 2]:.2f} x the product")


def bare(options: argparse.Namespace) -> None:
    import oea_cli.vectors.scan.candidates  # noqa: F401

    wall, processor = seconds(lambda: product(Path(options.folder)))
    print(json.dumps({"wall": wall, "processor": processor}))


def ours(options: argparse.Namespace) -> None:
    # The program's start is another figure.
    import oea_cli.evaluation.output.results
    import oea_cli.evaluation.scoring.tasks
    import oea_cli.vectors.opening  # noqa: F401

    found: dict[str, float] = {}
    folder, plain = Path(options.folder), options.plain
    wall, processor = seconds(lambda: found.update(our_metrics(folder, plain)))
    told = {"wall": wall, "processor": processor, "megabytes": peak_megabytes()}
    print(json.dumps({**found, **told}))


def theirs(options: argparse.Namespace) -> None:
    """sentence-transformers' evaluator on the same vectors."""
    import torch
    from sentence_transformers.evaluation import InformationRetrievalEvaluator

    folder = Path(options.folder)
    corpus, queries = np.load(folder / "corpus.npy"), np.load(folder / "queries.npy")
    pairs = np.load(folder / "pairs.npy")
    evaluator = InformationRetrievalEvaluator(
        {f"q{row}": f"q{row}" for row in range(len(queries))},
        {str(row): str(row) for row in range(len(corpus))},
        {f"q{row}": {str(target)} for row, (target, _) in enumerate(pairs.tolist())},
        accuracy_at_k=[1, 5, 10],
        show_progress_bar=False,
        write_csv=False,
        score_functions={"cosine": lambda one, other: one @ other.T},
    )

    class Given:
        """A model whose embeddings are there already."""

        similarity_fn_name = "cosine"
        similarity = staticmethod(lambda a, b: a @ b.T)

        def encode(self, texts: list[str], **_: object) -> "torch.Tensor":
            is_query = texts[0].startswith("q")
            rows = [int(text.lstrip("q")) for text in texts]
            return torch.from_numpy((queries if is_query else corpus)[rows])

        encode_query = encode_document = encode

    found: dict[str, float] = {}
    wall, processor = seconds(
        lambda: found.update(evaluator.compute_metrices(Given())["cosine"]["accuracy@k"])  # type: ignore[arg-type]
    )
    found = {f"r@{k}": value for k, value in found.items()}
    told = {"wall": wall, "processor": processor, "megabytes": peak_megabytes()}
    print(json.dumps({**found, **told}))


def evaluator(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_vectors(folder, 5000, 50_000)
        for _ in range(options.rounds):
            mine, more = in_child("ours", folder, "--plain"), in_child("ours", folder)
            bare_cost = in_child("bare", folder)
            for name, cost in (
                ("the bare product", bare_cost),
                ("ours, the same metrics", mine),
                ("ours, hard negatives too", more),
            ):
                print(f"{name}: {cost['wall']:.2f} s, {cost['processor']:.2f} of processor")
            try:
                other = in_child("theirs", folder)
            except subprocess.CalledProcessError as error:
                print(f"sentence-transformers: {error.stderr.strip().splitlines()[-1]}")
                return
            equal = all(abs(mine[f"r@{k}"] - other[f"r@{k}"]) < 1e-9 for k in (1, 5, 10))
            print(
                f"sentence-transformers: {other['wall']:.2f} s, {other['processor']:.2f} of "
                f"processor, {other['megabytes']:.0f} MB; ours "
                f"{other['wall'] / mine['wall']:.2f} x faster, with hard negatives "
                f"{other['wall'] / more['wall']:.2f} x (of processor {_less(other, mine):.2f} and "
                f"{_less(other, more):.2f} x), in "
                f"{more['megabytes'] / other['megabytes']:.2f} of the memory, "
                f"values {'equal' if equal else 'DIFFERENT'}"
            )


def _less(theirs: dict[str, float], ours: dict[str, float]) -> float:
    return theirs["processor"] / ours["processor"]


def make_run(folder: Path, num_queries: int, depth: int) -> None:
    rng = np.random.default_rng(0)
    with (folder / "run.trec").open("w") as run, (folder / "qrels.txt").open("w") as qrels:
        for query in range(num_queries):
            documents = rng.choice(50_000, depth, replace=False).tolist()
            scores = np.sort(rng.random(depth))[::-1].tolist()
            for place, (document, score) in enumerate(zip(documents, scores, strict=True), 1):
                run.write(f"q{query} Q0 d{document} {place} {score:.6f} x\n")
            qrels.write(f"q{query} 0 d{documents[query % depth]} 1\n")


def timed(command: list[str]) -> tuple[float, float]:
    """Wall-clock and processor seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


RANX = """
import sys
from ranx import Qrels, Run, evaluate
qrels, run = Qrels.from_file(sys.argv[1], kind="trec"), Run.from_file(sys.argv[2], kind="trec")
print(evaluate(qrels, run, ["recall@1", "recall@10", "mrr", "ndcg@10", "map@10"]))
"""


def run(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_run(folder, 5000, 100)
        files = [str(folder / "qrels.txt"), str(folder / "run.trec")]
        ours = [sys.executable, "-m", "oea_cli", "eval", "--qrels", files[0], "--run", files[1]]
        ours += ["-M", "r@1", "-M", "r@10", "-M", "mrr", "-M", "ndcg@10", "-M", "map@10"]
        for _ in range(options.rounds):
            wall, processor = timed(ours)
            print(f"oea eval, 5,000 x 100 from file: {wall:.2f} s, {processor:.2f} of processor")
            try:
                other, other_processor = timed([sys.executable, "-c", RANX, *files])
            except subprocess.CalledProcessError as error:
                print(f"ranx: {error.stderr.decode().strip().splitlines()[-1]}")
                return
            print(
                f"cold ranx: {other:.2f} s, {other_processor:.2f}; ours {wall / other:.3f} and "
                f"{processor / other_processor:.3f} of it"
            )


def start(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_run(folder, 1000, 100)
        ours = [sys.executable, "-m", "oea_cli", "eval", "--qrels", str(folder / "qrels.txt")]
        ours += ["--run", str(folder / "run.trec")]
        bare = [sys.executable, "-c", "import typer, pydantic, numpy, orjson"]
        for _ in range(options.rounds):
            wall, processor = timed(ours)
            base = timed(bare)[1]
            print(
                f"oea eval, 1,000 x 100: {wall:.2f} s, {processor:.2f} of processor; importing "
                f"typer, pydantic, numpy and orjson alone: {base:.2f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    work = {f.__name__: f for f in (ranks, evaluator, run, start, bare, ours, theirs)}
    parser.add_argument("what", choices=work)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    work[options.what](options)


if __name__ == "__main__":
    main()
