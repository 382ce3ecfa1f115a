"""The offline writer: questions, commands, key phrases and exclusions by a small English grammar.

It writes candidates, best first; the rules decide which of them is taken. A caption becomes
something to ask for ("a dog barking", see `clause_reader`), is shortened where a frame needs the
room, and is put into the frame of a question or a command. The same clip and seed give the same
queries.
"""

from collections.abc import Iterator
from itertools import chain
from random import Random

from oea_cli.clips.query_types import IMPERATIVE, NEGATIVE, PARAPHRASE, QUESTION, TAGGING
from oea_cli.query_generation.grammar.agreement import by_agreement
from oea_cli.query_generation.grammar.candidates import About
from oea_cli.query_generation.grammar.exclusions import exclusions
from oea_cli.query_generation.grammar.framing import commands, questions
from oea_cli.query_generation.grammar.key_phrases import key_phrases
from oea_cli.query_generation.grammar.paraphrasing import paraphrases

OF_A_CAPTION = {QUESTION: questions, IMPERATIVE: commands, PARAPHRASE: paraphrases}


def candidates(query_type: str, about: About, seed: str) -> Iterator[str]:
    """Texts for a query of a type, best first; which of equally good ones, the seed decides."""
    random = Random(f"{seed}/{query_type}")
    captions = by_agreement(about)
    if query_type == TAGGING:
        return key_phrases(captions)
    if query_type == NEGATIVE:
        return exclusions(captions, about, random)
    write = OF_A_CAPTION[query_type]
    return chain.from_iterable(write(caption, random) for caption in captions)
