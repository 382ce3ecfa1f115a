"""Words of a caption exchanged for others of the same meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from oea_cli.query_generation.grammar.lexicon import Words, lexicon
from oea_cli.query_generation.grammar.parts_of_speech import is_noun, is_participle
from oea_cli.query_generation.grammar.spelling import Tokens
from oea_cli.query_generation.grammar.verb_forms import verb_forms, with_ing, with_s
from oea_cli.query_generation.grammar.word_lists import read_word_lists

MAX_CHANGED_WORDS = 2
# Another part of speech before a noun or beside "and": "fast cars", "rocks and sand".
AMBIGUOUS = frozenset({"rocks", "fast", "steady", "again", "nearby"})
ENGINES = frozenset({"engine", "engines", "motor", "motors"})


@dataclass(frozen=True, slots=True)
class RewordingWords:
    """The lists of `english/rewording.toml`."""

    other_words: Mapping[str, str]
    other_verbs: Mapping[str, str]
    verbs_in_base_form: Words
    engine_owners: Words


@cache
def rewording_words() -> RewordingWords:
    """The lists, read when they are first needed."""
    return RewordingWords(**read_word_lists("rewording"))


def reworded(tokens: Tokens, random: Random) -> Tokens:
    """The caption with up to two words exchanged; as it is where there are none to exchange."""
    places = [place for place in range(len(tokens)) if _other_word(tokens, place)]
    random.shuffle(places)
    out = list(tokens)
    for place in places[:MAX_CHANGED_WORDS]:
        out[place] = _other_word(tokens, place) or out[place]
    return " ".join(out).split()


def _other_word(tokens: Tokens, place: int) -> str | None:
    """What the word at a place may become, None where it has to stay."""
    word = tokens[place]
    if _has_other_sense(tokens, place):
        return None
    other = rewording_words().other_words.get(word)
    if other is None:
        other = _other_verb(word)
    return None if other is None or other.split()[0] in tokens else other


def _has_other_sense(tokens: Tokens, place: int) -> bool:
    """True where a word stands for something that its synonym does not mean."""
    word = tokens[place]
    before = tokens[place - 1] if place else ""
    following = tokens[place + 1] if place + 1 < len(tokens) else ""
    if word in AMBIGUOUS and ("and" in (before, following) or _is_only_noun(following)):
        return True
    if word in ("fast", "rocks"):
        is_verb = word in lexicon().verbs and before != ""
        if before == "very" or before in lexicon().prepositions or is_verb:
            return True
    if word in ENGINES and before in rewording_words().engine_owners:
        return True  # a fire engine is not a fire motor
    return (word, before) == ("loud", "out") or (word == "repeatedly" and bool(following))


def _is_only_noun(word: str) -> bool:
    return is_noun(word) and not is_participle(word)


def _other_verb(word: str) -> str | None:
    lists, forms = rewording_words(), verb_forms()
    if other := lists.other_verbs.get(forms.participles.get(word, "")):
        return with_ing(other)
    if other := lists.other_verbs.get(forms.third_person.get(word, "")):
        return with_s(other)
    return lists.other_verbs[word] if word in lists.verbs_in_base_form else None
