"""Batches of texts and composed scenes, each following from the recipe's seed and its step."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oea_cli.encoder.omni.front_end import FrontEnd
from oea_cli.training.data.batch import TrainingBatch, key_rows
from oea_cli.training.data.examples import Examples, Validation
from oea_cli.training.recipe.recipe import stage_at
from recipes.mini.recipe import MiniRecipe
from recipes.mini.scenes.descriptions import (
    Description,
    scene_keys,
    text_key,
    text_of,
    training_texts,
)
from recipes.mini.scenes.mixing import far_away, mix, one_after_another, place, vary_mel
from recipes.mini.scenes.sounds import (
    ESC10_CLASSES,
    SAMPLE_RATE,
    Sources,
    labelled_recordings,
    open_sources,
)
from recipes.mini.scenes.texts import SPLIT, holds, training_tokenizer, vary
from recipes.mini.synthesis.vocabulary import LABELS

VALIDATION_BATCHES = 4
SOUNDS_PER_SCENE = {1: 0.35, 2: 0.4, 3: 0.25}  # chances
ARRANGEMENTS = {"together": 0.6, "then": 0.25, "far": 0.15}  # chances, of two sounds or more


@dataclass(frozen=True)
class Example:
    """A text and a scene that fits it; the text's hard negative is `hard_negative` rows further."""

    wanted: Description
    scene: Description
    text: str
    samples: np.ndarray | None
    hard_negative: int = 0
    mel_seed: int = 0


class Scenes:
    """Scenes out of rendered events and recordings. Implements `Data`."""

    has_validation = True

    def __init__(self, recipe: MiniRecipe, folder: Path, workers: int) -> None:
        """`folder` keeps the takes, made once; OeaError names recordings that are not there."""
        self.recipe, self.folder, self.workers = recipe, folder, workers
        deque(labelled_recordings(recipe.sounds), maxlen=0)

    @cached_property
    def sources(self) -> Sources:
        """The takes, rendered and read when they are first asked for: in one process of a run."""
        return open_sources(self.recipe, self.folder, self.workers)

    @property
    def description(self) -> str:
        """How many classes there are."""
        return f"composed scenes of {len(self.sources.labels)} kinds of sound"

    def clips(self, stage: str) -> int:
        """None: every scene is a new one."""
        return 0

    def texts(self) -> Iterator[str]:
        """Captions, exclusions and the words around them."""
        return training_texts(self.recipe)

    def examples(self, front_end: FrontEnd) -> Examples:
        """Batches of them."""
        return SceneExamples(self.recipe, front_end, self.sources)


class SceneExamples:
    """Scenes of every step, and fresh ones beyond the last step. Implements `Examples`."""

    def __init__(self, recipe: MiniRecipe, front_end: FrontEnd, sources: Sources) -> None:
        self.recipe, self.sources = recipe, sources
        self.labels: Sequence[str] = [label for label in LABELS if label in sources.labels]
        self.listed = [label for label in ESC10_CLASSES.values() if label in sources.recorded.takes]
        self.is_held_out = holds(recipe.texts.held_out)
        self.front_end = FrontEnd(
            training_tokenizer(front_end.tokenizer), front_end.extractor, front_end.settings
        )
        self._column = {label: i for i, label in enumerate(self.labels)}

    def batch(self, step: int, part: int = 0, parts: int = 1) -> TrainingBatch:
        """Scenes of one length and their texts, or texts alone: as the step's stage has it.

        Every row follows from the seed, the step and its place in the whole batch, however many
        parts that is cut into.
        """
        stage, _ = stage_at(self.recipe, min(step, self.recipe.num_steps - 1))
        count = stage.batch_size // parts
        rows = range(part * count, (part + 1) * count)
        if stage.modality == "texts":
            return self.collate([self.text_example(self._rng(step, row)) for row in rows])
        return self.collate(self._scene_examples(step, rows, stage.batch_size))

    def _rng(self, step: int, *row: int) -> np.random.Generator:
        """Of a row of a step's batch; without a row, of what all rows share."""
        return np.random.default_rng([self.recipe.seed, step, *row])

    def validation(self) -> Validation:
        """The scenes of the steps after the last one."""
        steps = range(self.recipe.num_steps, self.recipe.num_steps + VALIDATION_BATCHES)
        batches = [self.batch(step) for step in steps]
        return Validation(
            [batch.texts for batch in batches],
            [batch.sounds for batch in batches if batch.sounds],
            torch.arange(sum(batch.num_pairs for batch in batches)),
        )

    # --- what a batch is about ---

    def text_example(self, rng: np.random.Generator) -> Example:
        """A text alone."""
        scene = self._scene(rng)
        absent = self._absent(rng, scene)
        excluding = rng.random() < self.recipe.texts.exclusion
        wanted = replace(scene, excluded=(absent,)) if excluding else scene
        return self._example(rng, wanted, scene, None)

    def _scene_examples(self, step: int, rows: range, batch_size: int) -> list[Example]:
        """Scenes with texts: first pairs of a scene and the same one with one more sound."""
        length = self._length(self._rng(step), step)
        num_paired = 2 * self._num_contrasts(batch_size)
        examples: list[Example] = []
        for row in rows:
            if row >= num_paired:
                examples.append(self._plain(self._rng(step, row), length))
                continue
            first = row - row % 2
            example = self._contrast(self._rng(step, first), length)[row % 2]
            # A pair that two parts share is none for either of them.
            whole = first in rows and first + 1 in rows
            examples.append(example if whole else replace(example, hard_negative=0))
        return examples

    def _plain(self, rng: np.random.Generator, length: int) -> Example:
        scene = self._scene(rng)
        return self._example(rng, scene, scene, mix(rng, self._sounds(rng, scene, length)))

    def _num_contrasts(self, batch_size: int) -> int:
        """Pairs of scenes in a global batch, two examples each."""
        wanted = math.ceil((batch_size * self.recipe.texts.exclusion - 1) / 2)
        return min(max(0, wanted), batch_size // 2)

    def _contrast(self, rng: np.random.Generator, length: int) -> list[Example]:
        """A scene asked for by what it lacks, and the scene that has it too."""
        included = tuple(self._classes(rng, 1 if rng.random() < 0.7 else 2))
        clean = Description(included, arrangement="together")
        other = self._absent(rng, clean)
        sounds = self._sounds(rng, clean, length)
        added = self._sounds(rng, Description((other,)), length)
        full = Description((*included, other), arrangement="together")
        asked = replace(clean, excluded=(other,), arrangement=None)
        return [
            self._example(rng, asked, clean, mix(rng, sounds), hard_negative=1),
            self._example(rng, replace(full, arrangement=None), full, mix(rng, [*sounds, *added])),
        ]

    def _scene(self, rng: np.random.Generator) -> Description:
        count = int(rng.choice(list(SOUNDS_PER_SCENE), p=list(SOUNDS_PER_SCENE.values())))
        labels = tuple(self._classes(rng, count))
        if count == 1:
            return Description(labels)
        kind = rng.choice(list(ARRANGEMENTS), p=list(ARRANGEMENTS.values()))
        return Description(labels, arrangement=str(kind))

    def _classes(self, rng: np.random.Generator, count: int) -> list[str]:
        chosen: list[str] = []
        while len(chosen) < count:
            listed = self.listed and rng.random() < self.recipe.sounds.listed_share
            label = str(rng.choice(self.listed if listed else self.labels))
            if label not in chosen:
                chosen.append(label)
        return chosen

    def _absent(self, rng: np.random.Generator, scene: Description) -> str:
        while (label := self._classes(rng, 1)[0]) in scene.included:
            pass
        return label

    def _example(
        self,
        rng: np.random.Generator,
        wanted: Description,
        scene: Description,
        samples: np.ndarray | None,
        hard_negative: int = 0,
    ) -> Example:
        texts = self.recipe.texts
        while self.is_held_out(plain := text_of(rng, wanted)):
            pass
        text = vary(rng, plain, filler=texts.filler, split=texts.split, typo=texts.typo)
        if self.is_held_out(text.replace(SPLIT, "")):
            text = plain
        return Example(wanted, scene, text, samples, hard_negative, int(rng.integers(2**31)))

    # --- how it sounds ---

    def _length(self, rng: np.random.Generator, step: int) -> int:
        """Samples of this batch's scenes: one length per batch wastes nothing on padding."""
        sounds = self.recipe.sounds
        seconds = rng.uniform(sounds.min_seconds, sounds.long_seconds)
        if step % sounds.long_every == 0:
            seconds = rng.uniform(sounds.long_seconds, self.recipe.model.max_seconds)
        return int(seconds * SAMPLE_RATE)

    def _sounds(
        self, rng: np.random.Generator, scene: Description, length: int
    ) -> list[np.ndarray]:
        """Each sound of a scene, as long as the scene."""
        sounds = []
        for label in scene.included:
            samples = self.sources.pick(rng, label, self.recipe.sounds.real_share)
            sounds.append(place(rng, label, samples, length, rng.uniform(-7, 0)).samples)
        if scene.arrangement == "then":
            return one_after_another(sounds)
        if scene.arrangement == "far":
            return [*sounds[:-1], far_away(sounds[-1])]
        return sounds

    # --- from examples to tensors ---

    def collate(self, examples: Sequence[Example]) -> TrainingBatch:
        """The tensors of these examples."""
        waveforms = [example.samples for example in examples if example.samples is not None]
        sounds = None
        if waveforms:
            sounds = self.front_end.audio_inputs(waveforms)
            frames = sounds["feature_attention_mask"].sum(1).tolist()
            mels = sounds["input_features"].numpy()
            for example, mel, count in zip(examples, mels, frames, strict=True):
                vary_mel(np.random.default_rng(example.mel_seed), mel, count)
        return TrainingBatch(
            self.front_end.text_inputs([example.text for example in examples]),
            sounds,
            key_rows([[text_key(example.wanted)] for example in examples]),
            key_rows([scene_keys(example.scene) for example in examples]),
            torch.tensor(
                [
                    row + example.hard_negative if example.hard_negative else -1
                    for row, example in enumerate(examples)
                ]
            ),
            text_labels=torch.cat(
                [
                    self._multi_hot([example.wanted.included for example in examples]),
                    self._multi_hot([example.wanted.excluded for example in examples]),
                ],
                dim=1,
            ),
            sound_labels=self._multi_hot([example.scene.included for example in examples])
            if sounds
            else None,
        )

    def _multi_hot(self, sets: Sequence[tuple[str, ...]]) -> Tensor:
        labels = torch.zeros(len(sets), len(self.labels))
        for row, labelled in enumerate(sets):
            labels[row, [self._column[label] for label in labelled]] = 1.0
        return labels
