"""The keys of a training recipe that are about clips with captions."""

from typing import Literal

from oea_cli.records.recipe_files.fields import (
    Count,
    CountOrZero,
    FilePath,
    Folder,
    Items,
    NotNegative,
    Positive,
    Section,
    Share,
    Span,
)


class Folders(Section):
    """Where datasets lie: a path that begins with `{clotho}` begins with that folder.

    OEA_WAVCAPS_FOLDER, OEA_AUDIOCAPS_FOLDER, OEA_CLOTHO_FOLDER, OEA_MECAT_FOLDER and
    OEA_CLIPS_FOLDER name them, too.
    """

    wavcaps: Folder | None = None
    """WavCaps: json_files/, the unpacked Zip_files/ and blacklist/."""
    audiocaps: Folder | None = None
    """AudioCaps: train.csv, val.csv and test.csv, with the sounds beside them."""
    clotho: Folder | None = None
    """Clotho: clotho_captions_*.csv, with the sounds beside them."""
    mecat: Folder | None = None
    """MECAT."""
    clips: Folder | None = None
    """Your own clips."""


class ClipSource(Section):
    """Clips with captions, in any form that `oea embed` reads: a table, a pattern, a folder."""

    path: FilePath
    """The file, the folder or the pattern, relative to the recipe."""
    root: FilePath | None = None
    """The folder of the sounds, if they are not beside the table; it is searched with all below."""
    split: str = ""
    """Only records of this `split`, or in a folder of this name."""
    min_seconds: Positive | None = None
    """Shorter clips are left out."""
    max_seconds: Positive | None = None
    """Longer clips are left out."""
    blacklists: Items[FilePath] = ()
    """Clips to leave out: WavCaps' JSON, or records."""
    limit: Count | None = None
    """The first so many clips only."""
    entries: Literal["clips", "captions"] = "clips"
    """What an epoch goes through: clips, with one of their captions at random; or captions."""
    weight: Positive = 1.0
    """How often an epoch goes through each of these entries."""


class Augment(Section):
    """How clips vary from epoch to epoch; by default they do not."""

    gain_db: NotNegative = 0.0
    """Up to so many dB louder or softer, short of clipping."""
    noise: Share = 0.0
    """Chance of white noise."""
    noise_snr: Span = (10.0, 40.0)
    """Level of the clip over that noise in dB, from and to."""
    time_masks: CountOrZero = 0
    """Stretches of the mel spectrogram that are blanked."""
    time_width: Positive = 0.5
    """The longest such stretch in seconds; it is never more than a fifth of the clip."""
    frequency_masks: CountOrZero = 0
    """Bands of the mel spectrogram that are blanked."""
    frequency_width: Count = 16
    """The widest such band, in mel bins."""
    mix: Share = 0.0
    """Chance of a second clip beneath the first, with a caption such as "A and B"."""
    mix_snr: Span = (-3.0, 9.0)
    """Level of the first clip over the second in dB, from and to."""
