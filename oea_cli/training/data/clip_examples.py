"""Batches of captioned clips, each following from the recipe's seed, its step and its part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch

from oea_cli.encoder.omni.front_end import FrontEnd, Inputs
from oea_cli.errors import OeaError
from oea_cli.training.data.augment import mask_mel, mixed, mixed_caption, vary_waveform
from oea_cli.training.data.batch import TrainingBatch, key_rows
from oea_cli.training.data.clip_audio import ClipAudio
from oea_cli.training.data.contrasts import ClipNumbers, Exclusions
from oea_cli.training.data.examples import Validation
from oea_cli.training.data.fit_keys import FitKeys, Keys, caption_keys
from oea_cli.training.data.order import Order
from oea_cli.training.data.sources import TrainingClip
from oea_cli.training.recipe.recipe import Recipe, Stage, stage_at

T = TypeVar("T")
TRIES = 100
"""Clips that are tried, one after the other, in the place of one that cannot be decoded."""
ANY_CAPTION = -1
SOUNDS_AT_ONCE, TEXTS_AT_ONCE = 16, 64


@dataclass(frozen=True)
class StageClips:
    """What a stage is trained on.

    `entries` (E, 2) is what an epoch goes through: the numbers of a clip and of one of its
    captions, ANY_CAPTION for one at random.
    """

    clips: Sequence[TrainingClip]
    entries: np.ndarray
    numbers: ClipNumbers
    fit_keys: FitKeys
    exclusions: Exclusions
    sizes: Sequence[int]  # entries of each source
    weights: Sequence[float]


@dataclass
class Sound:
    """A row of sounds: samples and what they are."""

    samples: np.ndarray
    keys: Keys
    mask_seed: int | None = None  # of masks on its mel; None: none


@dataclass
class Example:
    """A text and its sound, the clips that the text must not find, the texts that it must not."""

    text: str
    keys: Keys
    sound: Sound
    number: int | None  # of the clip, where the sound is just that
    hard_sounds: list[int] = field(default_factory=list)
    hard_texts: list[str] = field(default_factory=list)


class ClipExamples:
    """Clips with captions, stage by stage. Implements `Examples`."""

    labels: Sequence[str] = ()

    def __init__(
        self,
        recipe: Recipe,
        front_end: FrontEnd,
        stages: Sequence[StageClips],
        validated: Sequence[TrainingClip],
        audio: ClipAudio,
    ) -> None:
        self.recipe, self.front_end, self.stages, self.audio = recipe, front_end, stages, audio
        self.validated = validated
        self._rate = front_end.settings.sample_rate
        self.orders = [
            _order(recipe, number, stage, clips)
            for number, (stage, clips) in enumerate(zip(recipe.stages, stages, strict=True))
        ]

    def batch(self, step: int, part: int = 0, parts: int = 1) -> TrainingBatch:
        """Clips of about one length, a caption for each, and what these must not find."""
        stage, within = stage_at(self.recipe, min(step, self.recipe.num_steps - 1))
        number = self.recipe.stages.index(stage)
        slices = np.split(self.orders[number].batch(within), parts)
        # Whoever takes the last part is not the one with the longest clips every time.
        chosen = np.random.default_rng([self.recipe.seed, step]).permutation(parts)[part]
        examples = [self._example(number, int(position)) for position in slices[chosen]]
        return self._collate(number, examples)

    def validation(self) -> Validation | None:
        """All captions of the clips to validate on; those that cannot be decoded are left out."""
        decodable = [clip for clip in self.validated if self.audio.samples(clip, 0.5) is not None]
        if not decodable:
            return None
        return Validation(
            TextInputs(self.front_end, [text for clip in decodable for text in clip.captions]),
            SoundInputs(self.front_end, self.audio, decodable),
            torch.tensor([row for row, clip in enumerate(decodable) for _ in clip.captions]),
        )

    # --- what a batch is about ---

    def _example(self, number: int, position: int) -> Example:
        """The example at a position of a stage's stream, or the next one that can be decoded."""
        stage = self.stages[number]
        for place in range(position, position + TRIES):
            rng = np.random.default_rng([self.recipe.seed, number, place])
            chosen, caption = stage.entries[self.orders[number].entry(place)].tolist()
            samples = self.audio.samples(stage.clips[chosen], float(rng.random()))
            if samples is not None:
                return self._about(rng, number, (chosen, caption), samples)
        raise OeaError(f"{stage.clips[chosen].path}: the last of {TRIES} clips that all are broken")

    def _about(
        self, rng: np.random.Generator, number: int, entry: tuple[int, int], samples: np.ndarray
    ) -> Example:
        stage, augment = self.stages[number], self.recipe.augment
        chosen, place = entry
        captions = stage.clips[chosen].captions
        caption = _one_of(rng, captions) if place == ANY_CAPTION else captions[place]
        example = self._exclusion(rng, number, chosen, samples)
        if example is None and augment.mix and rng.random() < augment.mix:
            example = self._mix(rng, stage, stage.clips[chosen], caption, samples)
        example = example or self._plain(rng, number, chosen, caption, samples)
        sound = example.sound
        sound.samples = vary_waveform(rng, sound.samples, augment, self._rate)
        sound.mask_seed = int(rng.integers(2**31))
        return example

    def _plain(
        self,
        rng: np.random.Generator,
        number: int,
        chosen: int,
        caption: str,
        samples: np.ndarray,
    ) -> Example:
        """The clip and its caption, with what was mined against it."""
        stage, settings = self.stages[number], self.recipe.stages[number]
        clip = stage.clips[chosen]
        negatives = [stage.numbers.find(name) for name in clip.negatives]
        return Example(
            caption,
            stage.fit_keys.of_caption(clip, caption),
            Sound(samples, stage.fit_keys.of_sound(clip)),
            chosen,
            _some_of(rng, [n for n in negatives if n is not None], settings.hard_sounds),
            _some_of(rng, clip.negative_captions, settings.hard_texts),
        )

    def _exclusion(
        self, rng: np.random.Generator, number: int, chosen: int, samples: np.ndarray
    ) -> Example | None:
        """The clip asked for by what it lacks, where there is such a text and its turn."""
        stage = self.stages[number]
        texts, clip = stage.exclusions.get(chosen, []), stage.clips[chosen]
        if not texts or rng.random() >= self.recipe.stages[number].exclusion_share:
            return None
        text, other = texts[int(rng.integers(len(texts)))]
        sound = Sound(samples, stage.fit_keys.of_sound(clip))
        return Example(text, stage.fit_keys.of_exclusion(clip, text), sound, chosen, [other])

    def _mix(
        self,
        rng: np.random.Generator,
        stage: StageClips,
        clip: TrainingClip,
        caption: str,
        samples: np.ndarray,
    ) -> Example | None:
        """The clip with another one beneath it; None where there is none that can be decoded."""
        other = stage.clips[int(rng.integers(len(stage.clips)))]
        beneath = self.audio.samples(other, float(rng.random())) if other != clip else None
        if beneath is None:
            return None
        text = mixed_caption(rng, caption, _one_of(rng, other.captions))
        both = mixed(rng, samples, beneath, self.recipe.augment)
        keys = stage.fit_keys.of_mix_caption(clip, other, text)
        return Example(text, keys, Sound(both, stage.fit_keys.of_mix(clip, other)), None)

    # --- from examples to tensors ---

    def _collate(self, number: int, examples: Sequence[Example]) -> TrainingBatch:
        """The tensors of these examples of a stage."""
        sounds = [example.sound for example in examples]
        rows = {example.number: row for row, example in enumerate(examples)}
        hard_negative = [self._add_hard_sounds(number, one, sounds, rows) for one in examples]
        hard_texts = [text for example in examples for text in example.hard_texts]
        inputs = self.front_end.audio_inputs([sound.samples for sound in sounds])
        self._mask(inputs, sounds)
        return TrainingBatch(
            self.front_end.text_inputs([*(one.text for one in examples), *hard_texts]),
            inputs,
            key_rows([*(one.keys for one in examples), *(caption_keys([t]) for t in hard_texts)]),
            key_rows([sound.keys for sound in sounds]),
            torch.tensor(hard_negative),
        )

    def _add_hard_sounds(
        self, number: int, example: Example, sounds: list[Sound], rows: dict[int | None, int]
    ) -> int:
        """Give the clips that a text must not find a row each; the first one's row, -1 for none."""
        stage, found = self.stages[number], []
        for other in example.hard_sounds:
            keys = stage.fit_keys.of_sound(stage.clips[other])
            if keys & example.keys:
                continue  # it fits after all
            if other not in rows:
                samples = self.audio.samples(stage.clips[other], 0.5)
                if samples is None:
                    continue
                rows[other] = len(sounds)
                sounds.append(Sound(samples, keys))
            found.append(rows[other])
        return found[0] if found else -1

    def _mask(self, inputs: Inputs, sounds: Sequence[Sound]) -> None:
        frames = inputs["feature_attention_mask"].sum(1).tolist()
        per_second = self._rate // self.front_end.extractor.hop_length
        for sound, mel, count in zip(sounds, inputs["input_features"], frames, strict=True):
            if sound.mask_seed is not None:
                mask_mel(sound.mask_seed, mel, count, self.recipe.augment, per_second)


@dataclass(frozen=True)
class TextInputs:
    """Texts in micro-batches, again and again."""

    front_end: FrontEnd
    texts: Sequence[str]

    def __iter__(self) -> Iterator[Inputs]:
        for first in range(0, len(self.texts), TEXTS_AT_ONCE):
            yield self.front_end.text_inputs(self.texts[first : first + TEXTS_AT_ONCE])


@dataclass(frozen=True)
class SoundInputs:
    """Clips in micro-batches, decoded each time: the middle of those that are too long."""

    front_end: FrontEnd
    audio: ClipAudio
    clips: Sequence[TrainingClip]

    def __iter__(self) -> Iterator[Inputs]:
        for first in range(0, len(self.clips), SOUNDS_AT_ONCE):
            clips = self.clips[first : first + SOUNDS_AT_ONCE]
            decoded = [self.audio.samples(clip, 0.5) for clip in clips]
            yield self.front_end.audio_inputs([one for one in decoded if one is not None])


def _order(recipe: Recipe, number: int, stage: Stage, clips: StageClips) -> Order:
    seconds = np.array([clip.seconds or recipe.model.max_seconds for clip in clips.clips])
    return Order(
        [recipe.seed, number],
        clips.sizes,
        clips.weights,
        np.minimum(seconds, recipe.model.max_seconds)[clips.entries[:, 0]],
        stage.batch_size,
        stage.steps,
    )


def _one_of(rng: np.random.Generator, texts: Sequence[str]) -> str:
    return texts[int(rng.integers(len(texts)))]


def _some_of(rng: np.random.Generator, items: Sequence[T], count: int) -> list[T]:
    """At most so many of them, in random order."""
    if not count or not items:
        return []
    return [items[int(i)] for i in rng.permutation(len(items))[:count]]
