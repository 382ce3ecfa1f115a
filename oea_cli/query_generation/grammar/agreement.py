"""Which caption of a clip a query is made from."""

import re

from oea_cli.query_generation.grammar.candidates import About

SEVERAL_SENTENCES_OR_MARKUP = re.compile(r"[.!?;:]\s+\S|[+/()&:*\"<>=\[\]{}]")


def by_agreement(about: About) -> list[str]:
    """A clip's captions, those first whose words the others use as well.

    A query is made from the first: what several captions name is most certainly in the sound.
    """
    contents = [frozenset(content) for content in about.contents]

    def agreement(number: int) -> float:
        own = contents[number]
        shared = sum(len(own & other) for n, other in enumerate(contents) if n != number)
        return shared / max(len(own), 1)

    order = sorted(range(len(contents)), key=lambda number: (-agreement(number), number))
    return [text for text in dict.fromkeys(about.captions[n] for n in order) if is_readable(text)]


def is_readable(caption: str) -> bool:
    """True for one sentence of plain words: of several, the one to query is unclear."""
    return not SEVERAL_SENTENCES_OR_MARKUP.search(caption.strip())
