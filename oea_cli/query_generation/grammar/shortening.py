"""Captions made shorter, step by step, where a frame needs the room."""

from collections.abc import Callable, Sequence

from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.openers import caption_phrases
from oea_cli.query_generation.grammar.parts_of_speech import is_adverb, takes_no_article
from oea_cli.query_generation.grammar.spelling import Tokens
from oea_cli.query_generation.grammar.subjects import subject_end

Step = Callable[[Tokens], Tokens]


def shortened_clauses(tokens: Tokens) -> list[Tokens]:
    """A clause, ever shorter: as it is, without what says least, without that and adverbs."""
    return _shortened(tokens, (_without_spare_words, _without_and_then, _without_adverbs))


def shortened_things(tokens: Tokens) -> list[Tokens]:
    """The same of a thing, whose links and article can be shortened as well."""
    return _shortened(
        tokens,
        (
            _without_spare_words,
            _without_and_then,
            _without_adverbs,
            _with_shorter_links,
            _without_the,
        ),
    )


def _shortened(tokens: Tokens, steps: Sequence[Step]) -> list[Tokens]:
    found = [tokens]
    for step in steps:
        short = step(found[-1])
        if short != found[-1] and len(short) > 1:
            found.append(short)
    return found


def _without_spare_words(tokens: Tokens) -> Tokens:
    phrases = caption_phrases()
    text = f" {' '.join(tokens)} "
    for spare in (*phrases.spare_tails, *phrases.spare_heads):
        text = text.replace(f" {spare} ", " ")
    return text.replace(" , , ", " , ").split()


def _without_and_then(tokens: Tokens) -> Tokens:
    return f" {' '.join(tokens)} ".replace(" and then ", " then ").split()


def _without_adverbs(tokens: Tokens) -> Tokens:
    out = []
    for before, word in zip(["", *tokens], tokens, strict=False):
        # "is wobbly" says something that "is" does not.
        is_spare = word.endswith("ly") and is_adverb(word)
        if not is_spare or before in lexicon().finite_be:
            out.append(word)
    return out


def _with_shorter_links(tokens: Tokens) -> Tokens:
    text = f" {' '.join(tokens)} "
    for link, shorter in caption_phrases().shorter_links.items():
        text = text.replace(f" {link} ", f" {shorter} ")
    return text.split()


def _without_the(tokens: Tokens) -> Tokens:
    """ "the birds singing" -> "birds singing", "the dog barking" -> "a dog barking"."""
    place = subject_end(tokens)
    head = tokens[place - 1] if place > 1 else ""
    if tokens[0] != "the":
        return tokens
    if head in lexicon().countable_nouns:
        return ["a", *tokens[1:]]
    return tokens[1:] if takes_no_article(head) else tokens
