"""The recipe of `mini`: a training recipe that also says what its scenes and texts are made of."""

from pydantic import Field

from oea_cli.records.recipe_files.fields import Count, Folder, Items, Positive, Section, Share
from oea_cli.training.recipe.recipe import Recipe


class Sounds(Section):
    """What the scenes are made of."""

    esc10: Folder | None = None
    """ESC-10: a folder with esc10_meta.csv (`path`, `category`, `fold`)."""
    folds: Items[int] = (1, 2, 3, 4)
    """Folds of ESC-10 that are trained on."""
    game_sounds: Folder | None = None
    """Labelled recordings: a folder with meta.csv (`path`, `label`)."""
    classes: Items[str] = ()
    """Classes of sound; by default all that can be synthesised or are recorded."""
    variants: Count = 100
    """Rendered takes of each synthesised event."""
    variant_seconds: Positive = 8.0
    """Length of the longest take."""
    real_share: Share = 0.5
    """Chance of a recording, for classes that are both recorded and synthesised."""
    listed_share: Share = 0.5
    """Chance that the class is one of ESC-10's."""
    min_seconds: Positive = 1.0
    """Length of the shortest scenes."""
    long_seconds: Positive = 6.0
    """Most scenes are shorter than this; one batch in `long_every` is longer."""
    long_every: Count = 8
    """How often a batch has long scenes."""


class Texts(Section):
    """How the words vary."""

    split: Share = 0.1
    """Chance of a forced sub-word boundary inside a word, per letter."""
    typo: Share = 0.0
    """Chance of a slip in a word: a letter lost, doubled, wrong, or two swapped."""
    filler: Share = 0.4
    """Chance of words that mean nothing before or after."""
    exclusion: Share = 0.2
    """Share of clips asked for by what they lack, each with its hard negative."""
    held_out: Items[str] = ()
    """Words that are never trained on; a text that holds one is drawn again."""


class MiniRecipe(Recipe):
    """How `mini` is trained: scenes composed on the fly instead of clips out of files."""

    sounds: Sounds = Field(default_factory=Sounds)
    """What the scenes are made of."""
    texts: Texts = Field(default_factory=Texts)
    """How the words vary."""
