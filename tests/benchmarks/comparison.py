"""Does the recipe matter? OEA's released code, its paper's recipe and ours, at small scale.

    python tests/benchmarks/comparison.py runs                    # trains what is not there yet
    python tests/benchmarks/comparison.py runs --seeds 0 --recipes release ours

All begin with one backbone (`comparison/backbone.yaml`), learn the same parts of it (LoRA and two
heads) from as many scenes made of the same sounds, and differ only in what `release.yaml`,
`paper.yaml` and `ours.yaml` say. Training goes on where it was stopped.

Measured on sounds that nothing was trained on: 1,000 scenes of newly rendered events and of
ESC-10's fold 5, no two of the same set of sounds, so that a perfect ear that understands every
query reaches 100 % in every column. 276 of them (one or two sounds) are asked for without a sound
that one other scene has on top; what a perfect ear reaches that overlooks the exclusion is printed
as well. Then ESC-10's fold 5 by class, as in mini_quality.py.

A figure is the mean over the seeds; its 95 % interval is over clips, resampled, each with all its
queries in all seeds.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[2]))

from oea_cli.audio.windows import read_audio
from oea_cli.encoder.loading import load_encoder
from oea_cli.metrics.metrics import parse_metrics
from oea_cli.metrics.outcomes import Outcomes, from_columns
from oea_cli.metrics.significance import Column, bootstrap_difference, bootstrap_intervals
from oea_cli.training.recipe.loading import load_recipe
from recipes.mini.recipe import MiniRecipe
from recipes.mini.scenes.sounds import labelled_recordings, level, trim
from recipes.mini.synthesis.scenes import SAMPLE_RATE, Synthesiser, compose, contrast
from recipes.mini.synthesis.sentences import caption_for, exclusion_for
from recipes.mini.synthesis.shaping import Signal
from recipes.mini.synthesis.vocabulary import noun_phrase
from tests.benchmarks.mini_quality import real_recordings
from tests.held_out import EXCLUSIONS

RECIPES = Path(__file__).parent / "comparison"
NUM_SCENES, SECONDS, SCENE_SEED = 1000, 4.0, 20_261_125
METRICS = parse_metrics(["r@1", "r@10", "hnsr", "hnsr@10", "tfr@10"])
KINDS = ("caption", "exclusion", "exclusion in an unseen form")
Labels = tuple[str, ...]


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["release", "paper", "ours"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--train-only", action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    for seed, recipe in itertools.product(options.seeds, options.recipes):
        train(folder, recipe, seed)
    if options.train_only:
        return
    if not (folder / "scenes" / "queries.jsonl").is_file():
        write_scenes(folder / "scenes")
    found = {
        recipe: [measure(folder, recipe, seed) for seed in options.seeds]
        for recipe in options.recipes
    }
    print_overlooking(folder / "scenes")
    print_table(found)


# --- training ---


def train(folder: Path, recipe: str, seed: int) -> None:
    """An encoder in `folder`, by a recipe and a seed, on the backbone that all have in common."""
    backbone = bare_backbone(folder)
    output = folder / f"{recipe}-{seed}"
    # Takes follow from the seed: the second recipe of a seed need not render them again.
    made = next(folder.glob(f"*-{seed}/sounds"), None)
    if made and not (output / "sounds").exists():
        shutil.copytree(made, output / "sounds")
    mini_train(recipe, output, f"seed={seed}", f"model.base={backbone}")


def bare_backbone(folder: Path) -> Path:
    """The backbone without heads, in the form that Qwen2.5-Omni comes in."""
    mini_train("backbone", folder / "backbone")
    bare = folder / "bare"
    bare.mkdir(exist_ok=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"):
        shutil.copy(folder / "backbone" / name, bare / name)
    return bare


def mini_train(recipe: str, output: Path, *values: str) -> None:
    """`recipes.mini.train`, unless its result is there."""
    if not (output / "encoder.json").is_file():
        sets = itertools.chain.from_iterable(("--set", value) for value in values)
        words = [RECIPES / f"{recipe}.yaml", "-o", output, "--device", "cpu", *sets]
        program("recipes.mini.train", *words)


def oea(*words: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """One command, which must succeed."""
    return program("oea_cli", *words, **options)


def program(module: str, *words: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A module run as a program, which must succeed."""
    command = [sys.executable, "-m", module, *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, check=True, env=environment, **options)


# --- what is measured on ---


class HeldOut:
    """Newly rendered events and recordings of fold 5. Implements `Library`."""

    def __init__(self) -> None:
        sounds = load_recipe(RECIPES / "ours.yaml", ["sounds.folds=[5]"], kind=MiniRecipe).sounds
        self.share, self.labels = sounds.real_share, sounds.classes
        self.rendered = Synthesiser()
        self.recorded: dict[str, list[Path]] = {}
        for label, path in labelled_recordings(sounds):
            self.recorded.setdefault(label, []).append(path)

    def sample(self, label: str, rng: np.random.Generator, seconds: float) -> Signal:
        """A sound of this class that nobody was trained on."""
        if label in self.recorded and rng.random() < self.share:
            paths = self.recorded[label]
            return level(trim(read_audio(paths[int(rng.integers(len(paths)))], SAMPLE_RATE)))
        return self.rendered.sample(label, rng, seconds)


def planned(
    rng: np.random.Generator, labels: Sequence[str]
) -> tuple[list[tuple[Labels, str]], list[Labels]]:
    """(sounds that are asked for, the one that is not wanted) and the sets of all other scenes; no
    set of sounds comes twice."""
    pairs = [tuple(map(str, pair)) for pair in itertools.combinations(labels, 2)]
    triples = [tuple(map(str, triple)) for triple in itertools.combinations(labels, 3)]
    order = rng.permutation(len(labels))
    # A ring of pairs for the single sounds' hard negatives; nobody asks for these pairs.
    ring = {labels[order[i]]: labels[order[(i + 1) % len(labels)]] for i in range(len(labels))}
    taken = {frozenset(pair) for pair in ring.items()}
    asked: list[tuple[Labels, str]] = [((one,), other) for one, other in ring.items()]
    for pair in pairs:
        if frozenset(pair) in taken:
            continue
        others = [label for label in labels if label not in pair]
        while frozenset((*pair, other := str(rng.choice(others)))) in taken:
            pass
        taken.add(frozenset((*pair, other)))
        asked.append((pair, other))
    free = [triple for triple in triples if frozenset(triple) not in taken]
    rest = rng.choice(len(free), NUM_SCENES - 2 * len(asked), replace=False)
    return asked, [free[i] for i in rest]


def write_scenes(folder: Path) -> None:
    """The scenes as FLAC, `clips.jsonl` and `queries.jsonl`."""
    rng, library = np.random.default_rng(SCENE_SEED), HeldOut()
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    asked, others = planned(rng, library.labels)
    clips: list[dict[str, Any]] = []
    queries: list[dict[str, Any]] = []

    def add(samples: Signal, labels: Labels) -> str:
        path = f"audio/{len(clips):04}-{'-'.join(labels).replace(' ', '_')}.flac"
        soundfile.write(folder / path, samples, SAMPLE_RATE, "PCM_16")
        clips.append({"id": path, "path": path, "labels": labels})
        queries.append({"type": KINDS[0], "text": caption_for(rng, labels), "target": path})
        return path

    for labels, other in asked:
        pair = contrast(rng, labels, other, seconds=SECONDS, library=library)
        target = add(pair.target.samples, labels)
        hard_negative = add(pair.hard_negative.samples, (*labels, other))
        about = {"target": target, "hard_negative": hard_negative}
        for _ in range(2):
            text = exclusion_for(rng, labels, [other])
            queries.append({"type": KINDS[1], "text": text, **about})
        for form in EXCLUSIONS:
            wanted = " and ".join(noun_phrase(rng, label) for label in labels)
            text = form.format(A=wanted, B=noun_phrase(rng, other))
            queries.append({"type": KINDS[2], "text": text, **about})
    for labels in others:
        add(compose(rng, labels, seconds=SECONDS, library=library).samples, labels)
    rows = [{"id": f"q{i:04}", **row} for i, row in enumerate(queries)]
    for name, lines in (("clips.jsonl", clips), ("queries.jsonl", rows)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / name).write_text(text, encoding="utf-8")


# --- measuring ---


def measure(folder: Path, recipe: str, seed: int) -> tuple[Outcomes, dict[str, float]]:
    """Outcomes of the scenes' queries, and the figures of fold 5."""
    run, scenes = folder / f"{recipe}-{seed}", folder / "scenes"
    results = run / "results.json"
    if not results.is_file():
        index = run / "scenes.oea"
        vectors = oea(
            "embed", scenes / "clips.jsonl", "-m", run, "--device", "cpu", stdout=subprocess.PIPE
        ).stdout
        oea("index", "-o", index, input=vectors)
        oea("eval", "--queries", scenes / "queries.jsonl", "-i", index, "-m", run, "-o", results)
    outcomes = from_columns(json.loads(results.read_text())["per_query"], str(results))
    return outcomes, real_recordings(load_encoder(str(run), device="cpu"), fold=5)


def print_table(found: dict[str, list[tuple[Outcomes, dict[str, float]]]]) -> None:
    """A row per measure, a column per recipe, and each one's lead over the first."""
    first, *rest = found
    print(f"| | {' | '.join(found)} | {' | '.join(f'{name} - {first}' for name in rest)} |")
    print("|---" * (1 + len(found) + len(rest)) + "|")
    outcomes = next(iter(found.values()))[0][0]
    for kind, metric in itertools.product(KINDS, METRICS):
        of_kind = np.array([i for i, type_ in enumerate(outcomes.types) if type_ == kind])
        if metric.definition.needs_hard_negative and kind == KINDS[0]:
            continue
        columns = {
            name: [metric.values(one.chosen(of_kind)) for one, _ in runs]
            for name, runs in found.items()
        }
        clusters = np.unique(outcomes.clusters[of_kind], return_inverse=True)[1]
        print(f"| {kind}: {metric.label} | {' | '.join(cells(columns, clusters, first))} |")
    for name in next(iter(found.values()))[0][1]:
        seeds = {recipe: [figures[name] for _, figures in runs] for recipe, runs in found.items()}
        told = [f"{np.mean(of):.2f} ({min(of):.2f} to {max(of):.2f})" for of in seeds.values()]
        leads = [f"{np.mean(seeds[other]) - np.mean(seeds[first]):+.2f}" for other in rest]
        print(f"| {name} (of the seeds) | {' | '.join([*told, *leads])} |")


def cells(columns: dict[str, list[np.ndarray]], clusters: np.ndarray, first: str) -> Iterator[str]:
    """Each recipe's mean in percent, with its interval and the lowest and highest seed; each one's
    difference to the first, with its interval."""
    means = {name: Column(np.mean(seeds, axis=0)) for name, seeds in columns.items()}
    for name, column in means.items():
        low, high = bootstrap_intervals([column], clusters, seed=0)[0]
        seeds = [100 * float(np.mean(values)) for values in columns[name]]
        yield (
            f"{100 * column.values.mean():.1f} ({100 * low:.1f} to {100 * high:.1f}; "
            f"seeds {min(seeds):.0f} to {max(seeds):.0f})"
        )
    for name, column in means.items():
        if name != first:
            low, high = bootstrap_difference(column, means[first], clusters, seed=0)
            lead = 100 * (column.values.mean() - means[first].values.mean())
            yield f"{lead:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def print_overlooking(folder: Path) -> None:
    """What a perfect ear reaches that ranks by the sounds in common and overlooks exclusions."""
    clips = [json.loads(line) for line in (folder / "clips.jsonl").read_text().splitlines()]
    sets = {clip["id"]: frozenset(clip["labels"]) for clip in clips}
    seen: set[str] = set()
    beaten = []
    for line in (folder / "queries.jsonl").read_text().splitlines():
        query = json.loads(line)
        if query["type"] == KINDS[0] or query["target"] in seen:
            continue
        seen.add(query["target"])
        wanted, other = sets[query["target"]], sets[query["hard_negative"]]
        closeness = [len(wanted & one) / len(wanted | one) for one in sets.values()]
        own = len(wanted & other) / len(wanted | other)
        # Of scenes that are equally close, every order is as likely.
        above, beside = sum(c > own for c in closeness), sum(c == own for c in closeness)
        beaten.append(min(1.0, max(0.0, 1 - (10 - above) / beside)))
    print(
        f"{len(clips)} scenes, {len(seen)} with a hard negative. A perfect ear: 100 % throughout;"
    )
    print("one that overlooks exclusions: R@10 and HNSR 100 %, ", end="")
    print(f"HNSR@10 and TFR@10 {100 * np.mean(beaten):.1f} %")


if __name__ == "__main__":
    main()
