"""The offline writer: questions, commands, key phrases and exclusions by a small English grammar.

It writes candidates, best first; the rules decide which of them is taken. A caption becomes
something to ask for ("a dog barking", see `clauses`), is shortened where a frame needs the room,
and is put into the frame of a question or a command. The same clip and seed give the same queries.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from random import Random

from oea_cli.clips.query_types import IMPERATIVE, NEGATIVE, PARAPHRASE, QUESTION, TAGGING
from oea_cli.query_generation.clauses import (
    Tokens,
    as_thing,
    ends_subject,
    has_finite_verb,
    is_adverb,
    is_participle,
    is_plural,
    turned,
    with_right_articles,
    without_openers,
)
from oea_cli.query_generation.lexicon import (
    BROADER,
    COUNTED,
    DETERMINERS,
    FINITE_BE,
    PREPOSITIONS,
    SUBORDINATORS,
    UNCOUNTED,
)
from oea_cli.query_generation.paraphrasing import paraphrases
from oea_cli.query_generation.phrases import Phrase, phrases_of
from oea_cli.query_generation.rules import LENGTH_MARGIN, About
from oea_cli.query_generation.words import concept, content_of, tokens_of, words_of

THING_QUESTIONS = """
Can you find audio of {}?
Can you find a recording of {}?
Can you find {}?
Could you find audio of {}?
Could you find {}?
Can I hear {}?
Where can I hear {}?
Is there a recording of {}?
Is there any audio of {}?
Are there any recordings of {}?
Do you have a recording of {}?
Do you have any audio of {}?
Have you got audio of {}?
Any recordings of {}?
""".strip().split("\n")
CLAUSE_QUESTIONS = """
Can you find audio where {}?
Can you find a clip where {}?
Is there a clip where {}?
Is there audio where {}?
Is there a recording where {}?
Do you have audio where {}?
Any audio where {}?
""".strip().split("\n")
THING_COMMANDS = """
Find {}.
Find audio of {}.
Find a recording of {}.
Find the sound of {}.
Find me {}.
Locate {}.
Locate audio of {}.
Search for {}.
Look for {}.
Retrieve audio of {}.
Get me audio of {}.
Play the sound of {}.
""".strip().split("\n")
CLAUSE_COMMANDS = """
Find audio where {}.
Find a clip where {}.
Find a recording where {}.
Locate audio where {}.
Retrieve audio where {}.
Search for audio where {}.
Get audio where {}.
""".strip().split("\n")
EXCLUSIONS = """
{} without {}
{}, without {}
{} but without {}
{} with no {}
{}, no {}
{}, but no {}
""".strip().split("\n")

SPARE_TAILS = (
    "in the background",
    "in the distance",
    "in the foreground",
    "at the same time",
    "over and over again",
    "over and over",
    "again and again",
    "for the entire time",
    "the entire time",
    "as well",
    "at a steady pace",
    "at a constant rate",
    "at regular intervals",
)
SPARE_HEADS = (
    "the sound of",
    "the sounds of",
    "the noise of",
    "a sample of",
    "a recording of",
    "a series of",
    "a variety of",
    "a number of",
    "a lot of",
    "a bunch of",
    "a large amount of",
    "some kind of",
    "some type of",
    "some sort of",
    "a piece of",
    "a pair of",
)
MAX_TAGS, MIN_TAGS = 6, 2
MAX_EXCLUDED = 2
LONG = 6
SEVERAL = frozenset(
    """
    two three four five six several some many multiple various
    """.split()
)


def candidates(query_type: str, about: About, seed: str) -> Iterator[str]:
    """Queries of a type for a clip, best first; which of equally good ones, the seed decides."""
    random = Random(f"{seed}/{query_type}")
    captions = by_agreement(about)
    if query_type == TAGGING:
        return _tag_lists(captions)
    if query_type == NEGATIVE:
        return _exclusions(captions, about, random)
    write = {
        QUESTION: lambda text: _framed(text, THING_QUESTIONS, CLAUSE_QUESTIONS, random, True),
        IMPERATIVE: lambda text: _framed(text, THING_COMMANDS, CLAUSE_COMMANDS, random, False),
        PARAPHRASE: lambda text: paraphrases(text, random),
    }[query_type]
    return chain.from_iterable(map(write, captions))


def by_agreement(about: About) -> list[str]:
    """A clip's captions, those first whose words the others use as well.

    The first is what a query is made from: what several listeners heard is most surely there.
    """
    sets = [frozenset(content) for content in about.contents]

    def agreement(number: int) -> float:
        others = [sets[other] for other in range(len(sets)) if other != number]
        shared = sum(len(sets[number] & other) for other in others)
        return shared / max(len(sets[number]), 1)

    order = sorted(range(len(sets)), key=lambda number: (-agreement(number), number))
    return [text for text in dict.fromkeys(about.captions[n] for n in order) if is_readable(text)]


def is_readable(caption: str) -> bool:
    """True for one sentence of plain words: of several, nobody knows which one to ask for."""
    return not re.search(r"[.!?;:]\s+\S|[+/()&:*\"<>=\[\]{}]", caption.strip())


# --- questions and commands ---


def _framed(
    caption: str, things: Sequence[str], clauses: Sequence[str], random: Random, asks: bool
) -> Iterator[str]:
    tokens = turned(tokens_of(caption))
    thing, length = as_thing(tokens), len(words_of(caption))
    found: list[tuple[int, float, str]] = []
    if thing and _can_be_found(thing):
        for cost, short in enumerate(_shortened(thing, True)):
            frames = [*things, *_there_is(short)] if asks else things
            found += [(cost, random.random(), frame.format(spelled(short))) for frame in frames]
        if asks and thing[0] == "a" and tokens[0] != "a":
            # An article that the caption does not have: "any" has room for it.
            found.append((len(found), 0.0, f"Any {spelled(thing[1:])}?"))
    clause = without_openers(tokens)
    if has_finite_verb(clause) and _can_stand_after_where(clause):
        late = 0 if thing else 1
        for cost, short in enumerate(_shortened(clause, False)):
            text = spelled(short)
            found += [(cost + late, random.random(), frame.format(text)) for frame in clauses]
    for _, _, text in sorted(found):
        if abs(len(words_of(text)) - length) <= LENGTH_MARGIN:
            yield text


def _can_be_found(thing: Tokens) -> bool:
    first = thing[0]
    blocked = first in PREPOSITIONS | SUBORDINATORS or is_adverb(first)
    return not blocked and "." not in first


def _can_stand_after_where(tokens: Tokens) -> bool:
    return tokens[0] not in SUBORDINATORS | PREPOSITIONS | {"it", "they", ",", "this"}


def _there_is(thing: Tokens) -> list[str]:
    """ "Is there a dog barking?", "Are there birds singing?"; none for "the dog barking"."""
    first = thing[0]
    if first in ("a", "an", "someone", "something", "one", "another", "some") or is_participle(
        first
    ):
        return ["Is there {}?"] if first != "some" else []
    if first in DETERMINERS - SEVERAL:
        return []
    place = next((n for n, word in enumerate(thing) if ends_subject(word)), len(thing))
    if place == 0:
        return []
    head = thing[place - 1]
    if is_plural(head):
        return ["Are there {}?", "Any {}?"]
    return ["Is there {}?", "Any {}?"] if head in UNCOUNTED else []


def _shortened(tokens: Tokens, of_thing: bool) -> list[Tokens]:
    """The same, ever shorter: as it is, without what says least, without that and adverbs."""
    found = [tokens]
    things = (_without_joints, _without_the) if of_thing else ()
    for shorter in (_without_spare_words, _without_and_then, _without_adverbs, *things):
        short = shorter(found[-1])
        if short != found[-1] and len(short) > 1:
            found.append(short)
    return found


def _without_spare_words(tokens: Tokens) -> Tokens:
    text = f" {' '.join(tokens)} "
    for tail in SPARE_TAILS:
        text = text.replace(f" {tail} ", " ")
    for head in SPARE_HEADS:
        text = text.replace(f" {head} ", " ")
    return text.replace(" , , ", " , ").split()


def _without_and_then(tokens: Tokens) -> Tokens:
    return f" {' '.join(tokens)} ".replace(" and then ", " then ").split()


def _without_the(tokens: Tokens) -> Tokens:
    """ "the birds singing" -> "birds singing", "the dog barking" -> "a dog barking"."""
    place = next((n for n, word in enumerate(tokens) if ends_subject(word)), len(tokens))
    head = tokens[place - 1] if place > 1 else ""
    if tokens[0] != "the":
        return tokens
    if head in COUNTED:
        return ["a", *tokens[1:]]
    return tokens[1:] if is_plural(head) or head in UNCOUNTED else tokens


def _without_joints(tokens: Tokens) -> Tokens:
    text = f" {' '.join(tokens)} "
    for long, short in (
        (" , followed by ", " then "),
        (" followed by ", " then "),
        (" along with ", " with "),
        (" together with ", " with "),
        (" as well as ", " and "),
    ):
        text = text.replace(long, short)
    return text.split()


def _without_adverbs(tokens: Tokens) -> Tokens:
    out = []
    for before, word in zip(["", *tokens], tokens, strict=False):
        # "is wobbly" says something that "is" does not.
        if not (word.endswith("ly") and is_adverb(word)) or before in FINITE_BE:
            out.append(word)
    return out


def spelled(tokens: Tokens) -> str:
    """Tokens as text: commas close to their word, the right article."""
    return " ".join(with_right_articles(tokens)).replace(" ,", ",").strip(" ,")


# --- key phrases ---


def _tag_lists(captions: Sequence[str]) -> Iterator[str]:
    """Lists of phrases as long as a caption: its own ones, then those that other captions add."""
    phrases = [phrases_of(caption) for caption in captions]
    for number, caption in enumerate(captions):
        others = [phrase for k, each in enumerate(phrases) if k != number for phrase in each]
        length = len(words_of(caption))
        yield from _filled(phrases[number], others, length)


def _filled(own: list[Phrase], others: list[Phrase], length: int) -> Iterator[str]:
    chosen: list[Phrase] = []
    for phrase in [*own, *others]:
        full = sum(len(p.words) for p in chosen) >= length - LENGTH_MARGIN
        if full and len(chosen) >= MIN_TAGS and phrase not in own:
            break
        fits = sum(len(p.words) for p in [*chosen, phrase]) <= length + LENGTH_MARGIN
        known = {key for other in chosen for key in other.content}
        if fits and len(chosen) < MAX_TAGS and phrase.content - known:
            chosen.append(phrase)
    if chosen:
        yield ", ".join(map(str, chosen))
        if len(chosen) > 1:
            yield ", ".join(map(str, chosen[:-1]))


# --- exclusions ---


def _exclusions(captions: Sequence[str], about: About, random: Random) -> Iterator[str]:
    left_out = excludable(about)
    frames = list(EXCLUSIONS)
    for wanted in chain.from_iterable(map(_things_wanted, captions)):
        for count in range(min(MAX_EXCLUDED, len(left_out)), 0, -1):
            random.shuffle(frames)
            # What is long, or has commas, is closed by one before the exclusion.
            closed = "," in wanted or len(wanted.split()) > LONG
            fitting = [frame for frame in frames if closed == frame.startswith("{},")]
            if any(phrase.lacks_article for phrase in left_out[:count]):
                fitting = [frame for frame in fitting if frame.endswith("no {}")]
            for frame in fitting:
                yield _capital(frame.format(wanted, _left_out(left_out[:count], frame)))


def _things_wanted(caption: str) -> Iterator[str]:
    thing = as_thing(turned(tokens_of(caption)))
    if not thing or not _can_be_found(thing) or set(thing) & {"no", "not", "without", "except"}:
        return
    yield spelled(thing)


def excludable(about: About) -> list[Phrase]:
    """What the hard negative has and the target has not, what most of its captions name first.

    Phrases of which the target has nothing come first, then those of which it has not all.
    """
    found: dict[frozenset[str], list[Phrase]] = {}
    for caption in about.negative_captions:
        for phrase in phrases_of(caption):
            if set(phrase.content) - set(about.content) and not takes_in(phrase, about):
                found.setdefault(phrase.content, []).append(phrase)

    def weight(content: frozenset[str]) -> tuple[bool, bool, int, int]:
        mixed = bool(set(content) & set(about.content))
        place = all(phrase.is_place for phrase in found[content])
        told = sum(
            1 for text in about.negative_captions if set(content) <= set(content_of(words_of(text)))
        )
        return place, mixed, -told, len(content)

    chosen: list[Phrase] = []
    for content in sorted(found, key=weight):
        known = {key for phrase in chosen for key in phrase.content}
        if not set(content) & known:
            chosen.append(found[content][0])
    # Where something sounds is left out only if there is nothing else to leave out.
    return [phrase for phrase in chosen if not phrase.is_place] or chosen


def takes_in(phrase: Phrase, about: About) -> bool:
    """True where a phrase would leave out the target as well: "vehicles", of a bus."""
    return any(NARROWER.get(key, frozenset()) & set(about.content) for key in phrase.content)


NARROWER = {
    concept(word): frozenset(map(concept, narrower.split())) for word, narrower in BROADER.items()
}


def _left_out(phrases: Sequence[Phrase], frame: str) -> str:
    if frame.endswith("no {}"):
        return " or ".join(map(str, phrases))
    return " or ".join(phrase.named() for phrase in phrases)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
