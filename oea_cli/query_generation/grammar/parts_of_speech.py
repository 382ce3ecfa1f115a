"""What a word of a caption may be: adverb, participle, noun, plural, a verb and nothing else."""

from oea_cli.query_generation.grammar.lexicon import function_words, lexicon
from oea_cli.query_generation.grammar.verb_forms import verb_forms


def is_adverb(word: str) -> bool:
    """True for "loudly", "again": words that may stand between a subject and its verb."""
    english = lexicon()
    return word in english.adverbs or (word.endswith("ly") and word not in english.not_adverbs)


def is_participle(word: str) -> bool:
    """True for "barking", also of a verb that the lexicon lacks; not for "thing" or "string"."""
    if word in verb_forms().participles:
        return True
    return len(word) > 6 and word.endswith("ing") and word not in lexicon().nouns_in_ing


def is_noun(word: str) -> bool:
    """True for a word that may be a subject: not a small word, an adverb or an adjective."""
    if word in lexicon().indefinite_pronouns:
        return True
    if not word or word == ",":
        return False
    return not (word in function_words() or word in lexicon().adjectives or is_adverb(word))


def is_plural(noun: str) -> bool:
    """True for "birds" and "people", not for "bus" and "glass"."""
    if noun in lexicon().irregular_plurals:
        return True
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is", "'s")) and len(noun) > 3


def takes_no_article(noun: str) -> bool:
    """True for "birds" and "rain"."""
    return is_plural(noun) or noun in lexicon().uncountable_nouns


def is_only_verb(word: str) -> bool:
    """True for "speaks" and "speak", which are not nouns; not for "barks" and "bark"."""
    return verb_forms().third_person.get(word, word) in lexicon().never_nouns


def is_surely_finite(word: str) -> bool:
    """True for "speaks", which can be nothing but a finite verb; not for "speak" or "barks"."""
    return word in verb_forms().third_person and is_only_verb(word)
