"""Key phrases of a clip: the things that its captions name, in a list as long as a caption."""

from collections.abc import Iterator, Sequence

from oea_cli.query_generation.grammar.candidates import LENGTH_MARGIN
from oea_cli.query_generation.grammar.phrases import Phrase, phrases_of
from oea_cli.query_generation.grammar.words import words_of

MAX_PHRASES, MIN_PHRASES = 6, 2


def key_phrases(captions: Sequence[str]) -> Iterator[str]:
    """Lists of phrases as long as a caption: its own ones, then those that other captions add."""
    phrases = [phrases_of(caption) for caption in captions]
    for number, caption in enumerate(captions):
        others = [phrase for n, each in enumerate(phrases) if n != number for phrase in each]
        chosen = _chosen(phrases[number], others, len(words_of(caption)))
        if chosen:
            yield ", ".join(map(str, chosen))
        if len(chosen) > 1:
            yield ", ".join(map(str, chosen[:-1]))


def _chosen(own: Sequence[Phrase], others: Sequence[Phrase], length: int) -> list[Phrase]:
    """Phrases that each add content, until they have as many words as the caption."""
    chosen: list[Phrase] = []
    for phrase in [*own, *others]:
        num_words = sum(len(each.words) for each in chosen)
        is_full = num_words >= length - LENGTH_MARGIN and len(chosen) >= MIN_PHRASES
        if is_full and phrase not in own:
            break
        fits = num_words + len(phrase.words) <= length + LENGTH_MARGIN
        known = {key for each in chosen for key in each.content}
        if fits and len(chosen) < MAX_PHRASES and phrase.content - known:
            chosen.append(phrase)
    return chosen
