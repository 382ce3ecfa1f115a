"""The things that a caption names, as short noun phrases: tags, and what an exclusion excludes.

"a dog barks loudly as heavy rain falls on a metal roof" -> dog barking, heavy rain falling,
metal roof.
"""

from dataclasses import dataclass
from functools import cache

from oea_cli.query_generation.grammar.clause_reader import as_thing
from oea_cli.query_generation.grammar.clauses import SOUND_NOUNS, turned
from oea_cli.query_generation.grammar.lexicon import Words, function_words, lexicon
from oea_cli.query_generation.grammar.parts_of_speech import (
    is_adverb,
    is_noun,
    is_only_verb,
    is_participle,
    takes_no_article,
)
from oea_cli.query_generation.grammar.spelling import Tokens, with_right_articles
from oea_cli.query_generation.grammar.verb_forms import verb_forms
from oea_cli.query_generation.grammar.word_lists import read_word_lists
from oea_cli.query_generation.grammar.words import content_of, tokens_of

MAX_PHRASE_WORDS = 4


@dataclass(frozen=True, slots=True)
class PhraseWords:
    """The lists of `english/phrases.toml`."""

    vague_words: Words
    place_words: Words
    before_nouns: Words
    sounding_participles: Words


@cache
def phrase_words() -> PhraseWords:
    """The lists, read when they are first needed."""
    return PhraseWords(**read_word_lists("phrases"))


@dataclass(frozen=True, slots=True)
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

    def with_article(self) -> str:
        """As it stands after "without": "a train horn", "sirens", "heavy traffic"."""
        if self._takes_no_article:
            return str(self)
        return " ".join(with_right_articles(["a", *self.words]))

    @property
    def lacks_article(self) -> bool:
        """True of "train horn", which its caption names without any article."""
        return not self.determiner and not self._takes_no_article

    @property
    def _takes_no_article(self) -> bool:
        return self.head is None or takes_no_article(self.head)

    @property
    def head(self) -> str | None:
        """The noun that decides on the article, None where there is none: "loud humming"."""
        nouns = [word for word in self.words if is_noun(word) and not is_participle(word)]
        return nouns[-1] if nouns else None


def phrases_of(caption: str) -> list[Phrase]:
    """The phrases of a caption, in order, each once; none from a caption that cannot be read."""
    things = as_thing(turned(tokens_of(caption)))
    if things is None:
        return []
    lists = phrase_words()
    found: dict[tuple[str, ...], Phrase] = {}
    for chunk, before in _chunks(_subordinates_as_things(things)):
        # A lone "runs" is a noun behind "of" or "some", and most likely none anywhere else.
        is_verb = len(chunk) == 1 and chunk[0] in verb_forms().third_person
        if is_verb and before not in lists.before_nouns:
            continue
        if phrase := _phrase(chunk, before in lists.place_words):
            found.setdefault(phrase.words, phrase)
    return list(found.values())


def _subordinates_as_things(tokens: Tokens) -> Tokens:
    """The clauses behind "as" and "while" made things as well: tags have no finite verbs."""
    for place, word in enumerate(tokens):
        if word in lexicon().subordinators:
            rest = as_thing(tokens[place + 1 :])
            # A clause that cannot be read ends the caption: half of it would not be a tag.
            return [*tokens[:place], ",", *_subordinates_as_things(rest or [])]
    return tokens


def _chunks(tokens: Tokens) -> list[tuple[Tokens, str]]:
    """Runs of words that may be one phrase, each with the small word in front of it: cut at small
    words, at adverbs and after participles.
    """
    determiners = lexicon().determiners
    chunks: list[tuple[Tokens, str]] = [([], "")]
    border = ""
    for word in tokens:
        if word in determiners:
            chunks.append(([word], border))
        elif _is_border(word):
            border = word
            chunks.append(([], border))
        else:
            if _is_full(chunks[-1][0], word):
                border = ""
                chunks.append(([], border))
            chunks[-1][0].append(word)
    return [chunk for chunk in chunks if chunk[0]]


def _is_border(word: str) -> bool:
    is_small = word in function_words() or word in lexicon().followed
    return word == "," or is_small or is_adverb(word)


def _is_full(chunk: Tokens, word: str) -> bool:
    """True after "dog barking": the next word begins another phrase."""
    if not chunk or not is_participle(chunk[-1]) or word == "sound":
        return False
    participles = verb_forms().participles
    return any(is_noun(each) and each not in participles for each in chunk[:-1])


def _phrase(chunk: Tokens, is_place: bool) -> Phrase | None:
    english, vague = lexicon(), phrase_words().vague_words
    determiner = chunk[0] if chunk[0] in english.determiners else ""
    words = chunk[1:] if determiner else chunk
    words = [word for word in words if word.lower() not in english.articles]
    while words and (words[-1] in english.adjectives | vague or _ends_in_idle_sound(words)):
        words = words[:-1]
    while words and (words[0] in vague or words[0] in ("several", "multiple", "various")):
        words = words[1:]
    if not words or len(words) > MAX_PHRASE_WORDS or not content_of(words):
        return None
    return Phrase(determiner, tuple(words), is_place) if _names_something(words) else None


def _ends_in_idle_sound(words: Tokens) -> bool:
    """True for "clanking sound", which "clanking" says as well, and for "sound" alone."""
    if words[-1] not in SOUND_NOUNS:
        return False
    return len(words) == 1 or is_participle(words[-2]) or words[-2] in lexicon().adjectives


def _names_something(words: Tokens) -> bool:
    if len(words) > 1:
        return any(map(is_noun, words)) and not any(map(is_only_verb, words))
    word = words[0]
    if is_participle(word):
        return word in phrase_words().sounding_participles
    if word.endswith("ed") or word in verb_forms().past_participles or is_only_verb(word):
        return False
    return is_noun(word) and len(word) > 2
