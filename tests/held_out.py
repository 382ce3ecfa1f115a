"""Words, sentence frames and forms of exclusion that `mini` is never trained on.

They measure what it understands beyond its training texts. A test asserts that they are absent
from the vocabulary, and the recipe's `texts.held_out` refuses any training text that holds one.
"""

SYNONYMS = {
    "dog": ("hound", "pooch", "canine yapping"),
    "rain": ("downpour", "pouring drops from the clouds"),
    "sea waves": ("breakers", "tide"),
    "crying baby": ("newborn", "wailing tot"),
    "clock tick": ("timepiece",),
    "sneeze": ("achoo", "nasal outburst"),
    "helicopter": ("rotorcraft", "whirlybird"),
    "chainsaw": ("lumberjack", "logging tool"),
    "rooster": ("cockerel", "poultry at dawn"),
    "crackling fire": ("hearth", "blaze", "embers"),
}

FRAMES = (
    "please locate audio in which we can hear {}",
    "i am looking for {} for my video",
    "{} as heard from a distance please",
    "which file has {}",
    "do we own a take of {}",
)

EXCLUSIONS = (
    "{A} in the absence of {B}",
    "{A} but no {B}",
    "{A} excluding {B}",
)

NEVER_TRAINED = (
    *(word for words in SYNONYMS.values() for word in words if " " not in word),
    *("canine yapping", "clouds", "wailing tot", "nasal outburst", "logging tool"),
    *("poultry at dawn", "absence", "excluding", "but no"),
)
"""What no training text may hold, as whole words."""
