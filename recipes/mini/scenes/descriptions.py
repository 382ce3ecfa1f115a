"""What texts ask for and what scenes hold: which sounds, which not, and how they are arranged."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from oea_cli.encoder.omni.settings import EncoderSettings
from oea_cli.training.data.batch import content_key
from recipes.mini.recipe import MiniRecipe
from recipes.mini.scenes.texts import holds, vary
from recipes.mini.synthesis.sentences import caption_for, exclusion_for, inclusion_for
from recipes.mini.synthesis.vocabulary import LABELS

NUM_CORPUS_TEXTS = 20_000


@dataclass(frozen=True)
class Description:
    """What a text asks for: sounds that are in, sounds that are not, how they are arranged.

    `arrangement` is None where the text leaves it open: "together", "then" (in order), "far" (the
    last one at a distance).
    """

    included: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    arrangement: str | None = None


def text_key(wanted: Description) -> int:
    """What a text fits: scenes of just its sounds, as arranged, where it says how."""
    if wanted.arrangement is None:
        return content_key(sorted(wanted.included))
    return _arranged_key(wanted)


def scene_keys(scene: Description) -> list[int]:
    """What a scene is: its sounds, and its sounds as they are arranged."""
    return [content_key(sorted(scene.included)), _arranged_key(scene)]


def _arranged_key(wanted: Description) -> int:
    any_order = wanted.arrangement in (None, "together")
    labels = sorted(wanted.included) if any_order else wanted.included
    return content_key(labels, wanted.arrangement)


def text_of(rng: np.random.Generator, wanted: Description) -> str:
    """One of the many ways to say it."""
    if wanted.excluded:
        return exclusion_for(rng, wanted.included, wanted.excluded)
    if wanted.arrangement is None and len(wanted.included) > 1:
        return inclusion_for(rng, wanted.included)
    return caption_for(rng, wanted.included, wanted.arrangement)


def training_texts(recipe: MiniRecipe) -> Iterator[str]:
    """Texts to learn sub-words from: captions, exclusions and the words around them."""
    rng = np.random.default_rng([recipe.seed, NUM_CORPUS_TEXTS])
    # The chat layout surrounds every text and clip: few tokens for it halve a clip's sequence.
    defaults = EncoderSettings()
    layout = ["system\n" + defaults.system_prompt, "user\n" + defaults.text_prompt, "\n"]
    yield from layout * (NUM_CORPUS_TEXTS // 10)
    is_held_out = holds(recipe.texts.held_out)
    labels = recipe.sounds.classes or LABELS
    for _ in range(NUM_CORPUS_TEXTS):
        first, second = (str(label) for label in rng.choice(labels, 2, replace=False))
        wanted = (
            Description((first,), (second,)) if rng.random() < 0.3 else Description((first, second))
        )
        text = vary(rng, text_of(rng, wanted), filler=0.1, split=0.0)
        if not is_held_out(text):
            yield text
