"""What a shell offers after `-m` and `-M`: names only, so that nothing heavy is imported."""

from collections.abc import Iterator
from pathlib import Path

Completion = tuple[str, str]
"""A word, and what it means, which some shells show."""


def complete_models(incomplete: str) -> Iterator[Completion]:
    """Short names, plug-ins, kinds of names (`clap:`) and folders that hold an encoder."""
    from oea_cli.encoder.names.kinds import KINDS
    from oea_cli.encoder.names.places import short_names
    from oea_cli.encoder.names.plug_ins import plug_in_names

    yield from ((name, "built in or released") for name in short_names())
    yield from ((name, "of another package") for name in plug_in_names())
    for kind, (place, meaning, _) in KINDS.items():
        yield f"{kind}://" if place.startswith("//") else f"{kind}:", meaning
    yield from ((folder, "a folder") for folder in _encoder_folders(incomplete))


def complete_metrics() -> Iterator[Completion]:
    """Metrics, with the usual cutoffs."""
    from oea_cli.evaluation.known_metrics import usual_metrics

    return usual_metrics()


def _encoder_folders(incomplete: str) -> Iterator[str]:
    """Folders that begin like this and hold an encoder, themselves or one level below."""
    parent, _, start = incomplete.rpartition("/")
    shown = f"{parent}/" if "/" in incomplete else ""
    for folder in sorted(Path(shown or ".").glob(f"{start}*/")) if "*" not in start else []:
        for place in (folder, *sorted(folder.glob("*/"))):
            if (place / "encoder.json").is_file():
                yield shown + place.relative_to(shown or ".").as_posix()
