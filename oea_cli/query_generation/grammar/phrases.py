"""The things that a caption names, as short noun phrases: tags, and what an exclusion excludes.

"a dog barks loudly as heavy rain falls on a metal roof" -> dog barking, heavy rain falling,
metal roof.
"""

from dataclasses import dataclass

from oea_cli.query_generation.grammar.clauses import (
    Tokens,
    as_thing,
    is_adverb,
    is_noun,
    is_participle,
    is_plural,
    turned,
    with_right_articles,
)
from oea_cli.query_generation.grammar.lexicon import (
    ADJECTIVES,
    ARTICLES,
    BE,
    DETERMINERS,
    FOLLOWED,
    NEVER_NOUNS,
    PREPOSITIONS,
    SUBORDINATORS,
    UNCOUNTED,
)
from oea_cli.query_generation.grammar.words import (
    FUNCTION_WORDS,
    PARTICIPLES,
    PAST_PARTICIPLES,
    THIRD_PERSON,
    content_of,
    tokens_of,
)

MAX_PHRASE_WORDS = 4
VAGUE_WORDS = frozenset(
    """
    then up down out off on over back away in other others very some same background foreground
    distance it them this all together someone something somebody thing things one ones while
    middle end beginning start front side top bottom bit lot kind type sort variety series
    couple time times way place use force same intensity manner fashion rate presence etc half
    number amount area kinds types sorts head row pace pattern backdrop space setting object
    objects starts stops ends starting stopping ending coming going happening occurring making
    continuing accompanying beginning getting becoming causing creating producing having being
    doing taking giving putting using increasing decreasing changing growing following reducing
    rising mixed moment mix closer else live present sporadic heard group sample samples scene
    ambience ensuing ceasing commencing proceeding remaining
    """.split()
)
PLACE_WORDS = frozenset(
    """
    in on at into onto from to over under through against inside outside near around down off
    across along behind during throughout among between past toward towards up within
    """.split()
)
NOUN_FOLLOWS = frozenset(
    """
    with of some by in to from and for like
    """.split()
)
GERUNDS_ALONE = frozenset(
    """
    talking speaking laughing clapping humming buzzing whistling typing snoring burping hissing
    clicking clanking rattling rustling squeaking squealing beeping ringing tapping knocking
    banging thumping crackling sizzling frying splashing gurgling dripping spraying sawing
    drilling sewing hammering scraping sanding filing chirping barking meowing oinking quacking
    cooing crowing bleating neighing growling howling whimpering crying yelling screaming
    shouting cheering applauding singing chanting sneezing coughing breathing gasping panting
    whispering murmuring chatting honking revving idling accelerating whirring vibrating
    rumbling roaring thundering raining chopping crunching crumpling crinkling clinking
    clattering ticking chiming skidding whooshing belching giggling babbling groaning grunting
    hiccuping snorting walking running engraving
    """.split()
)
"""Participles that name a sound by themselves."""


@dataclass(frozen=True)
class Phrase:
    """A noun phrase: its article or other determiner, apart, and the rest of its words.

    `is_place` is True of "a room" in "in a room": it tells where something sounds.
    """

    determiner: str
    words: tuple[str, ...]
    is_place: bool = False

    def __str__(self) -> str:
        return " ".join(self.words)

    @property
    def content(self) -> frozenset[str]:
        """The concepts that it names."""
        return frozenset(content_of(self.words))

    def named(self) -> str:
        """As it stands after "without": "a train horn", "sirens", "heavy traffic"."""
        if self.head is None or is_plural(self.head) or self.head in UNCOUNTED:
            return str(self)
        return " ".join(with_right_articles(["a", *self.words]))

    @property
    def lacks_article(self) -> bool:
        """True of "train horn", which its caption names without any article."""
        bare = self.head is None or is_plural(self.head) or self.head in UNCOUNTED
        return not self.determiner and not bare

    @property
    def head(self) -> str | None:
        """The noun that decides on the article, None where there is none: "loud humming"."""
        nouns = [w for w in self.words if is_noun(w) and not is_participle(w)]
        return nouns[-1] if nouns else None


def phrases_of(caption: str) -> list[Phrase]:
    """The phrases of a caption, in order, each once; none from a caption that cannot be read."""
    things = as_thing(turned(tokens_of(caption)))
    if things is None:
        return []
    found: dict[tuple[str, ...], Phrase] = {}
    for chunk, before in _chunks(_subordinates_as_things(things)):
        # A lone "runs" is a noun behind "of" or "some", and most likely none anywhere else.
        doubtful = len(chunk) == 1 and chunk[0] in THIRD_PERSON and before not in NOUN_FOLLOWS
        if not doubtful and (phrase := _phrase(chunk, before in PLACE_WORDS)):
            found.setdefault(phrase.words, phrase)
    return list(found.values())


def _subordinates_as_things(tokens: Tokens) -> Tokens:
    """The clauses behind "as" and "while" made things as well: tags have no finite verbs."""
    for place, word in enumerate(tokens):
        if word in SUBORDINATORS:
            rest = as_thing(tokens[place + 1 :])
            # A clause that cannot be read ends the caption: half of it would be no tag.
            return [*tokens[:place], ",", *_subordinates_as_things(rest or [])]
    return tokens


def _chunks(tokens: Tokens) -> list[tuple[Tokens, str]]:
    """Runs of words that may be one phrase, each with the small word in front of it: cut at small
    words, at adverbs and after participles.
    """
    chunks: list[tuple[Tokens, str]] = [([], "")]
    border = ""
    for word in tokens:
        if word in DETERMINERS:
            chunks.append(([word], border))
        elif _is_border(word):
            border = word
            chunks.append(([], border))
        else:
            if chunks[-1][0] and _is_full(chunks[-1][0], word):
                border = ""
                chunks.append(([], border))
            chunks[-1][0].append(word)
    return [chunk for chunk in chunks if chunk[0]]


def _is_border(word: str) -> bool:
    small = FUNCTION_WORDS | PREPOSITIONS | BE | FOLLOWED
    return word == "," or word in small or is_adverb(word)


def _is_full(chunk: Tokens, word: str) -> bool:
    """True after "dog barking": the next word begins another phrase."""
    has_subject = any(is_noun(w) and w not in PARTICIPLES for w in chunk[:-1])
    return has_subject and is_participle(chunk[-1]) and word != "sound"


def _phrase(chunk: Tokens, is_place: bool) -> Phrase | None:
    determiner = chunk[0] if chunk[0] in DETERMINERS else ""
    words = chunk[1:] if determiner else chunk
    words = [word for word in words if word.lower() not in ARTICLES]
    while words and (words[-1] in ADJECTIVES | VAGUE_WORDS or _is_idle_sound(words)):
        words = words[:-1]
    while words and (words[0] in VAGUE_WORDS or words[0] in ("several", "multiple", "various")):
        words = words[1:]
    if not words or len(words) > MAX_PHRASE_WORDS or not content_of(words):
        return None
    if not _names_something(words):
        return None
    return Phrase(determiner, tuple(words), is_place)


def _is_idle_sound(words: Tokens) -> bool:
    """True for "clanking sound", which "clanking" says as well, and for "sound" alone."""
    if words[-1] not in ("sound", "sounds", "noise", "noises"):
        return False
    return len(words) == 1 or is_participle(words[-2]) or words[-2] in ADJECTIVES


def _names_something(words: Tokens) -> bool:
    if len(words) == 1:
        word = words[0]
        if is_participle(word):
            return word in GERUNDS_ALONE
        if word.endswith("ed") or word in PAST_PARTICIPLES or is_only_verb(word):
            return False
        return is_noun(word) and len(word) > 2
    return any(is_noun(word) for word in words) and not any(map(is_only_verb, words))


def is_only_verb(word: str) -> bool:
    """True for "speaks" and "speak", which are no nouns; not for "barks" and "bark"."""
    return THIRD_PERSON.get(word, word) in NEVER_NOUNS
