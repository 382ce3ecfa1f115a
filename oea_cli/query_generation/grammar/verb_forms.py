"""Forms of English verbs: made from the base form, and found again from what a caption has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from oea_cli.query_generation.grammar.lexicon import lexicon


def with_s(verb: str) -> str:
    """The third person: "chirps", "passes", "cries"."""
    if verb in lexicon().irregular_third_person:
        return lexicon().irregular_third_person[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if _ends_in_consonant_and_y(verb):
        return verb[:-1] + "ies"
    return verb + "s"


def with_ing(verb: str) -> str:
    """The participle: "chirping", "driving", "running"."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def with_ed(verb: str) -> str:
    """The past participle: "closed", "stopped", "blown"."""
    if verb in lexicon().irregular_verbs:
        return lexicon().irregular_verbs[verb].split()[1]
    if verb.endswith("e"):
        return verb + "d"
    if _ends_in_consonant_and_y(verb):
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def _ends_in_consonant_and_y(verb: str) -> bool:
    return verb.endswith("y") and verb[-2] not in "aeiou"


def _doubled(verb: str) -> str:
    one_syllable = len(re.findall("[aeiouy]+", verb)) == 1
    ends = re.search("[^aeiouy][aeiouy][^aeiouywx]$", verb) or re.search("qui[tp]$", verb)
    if verb in lexicon().doubling_verbs or (one_syllable and ends and len(verb) > 2):
        return verb + verb[-1]
    return verb


def _past(verb: str) -> str:
    irregular = lexicon().irregular_verbs
    return irregular[verb].split()[0] if verb in irregular else with_ed(verb)


@dataclass(frozen=True, slots=True)
class VerbForms:
    """The forms of every verb of the lexicon, form -> base.

    `irregular_pasts` are those that cannot be anything but a verb: "took", not "left".
    """

    third_person: Mapping[str, str]
    participles: Mapping[str, str]
    past_participles: Mapping[str, str]
    pasts: Mapping[str, str]
    irregular_pasts: Mapping[str, str]


@cache
def verb_forms() -> VerbForms:
    """The forms of all verbs, made when they are first needed."""
    english = lexicon()
    verbs = sorted(english.verbs)
    pasts = {_past(verb): verb for verb in verbs}
    return VerbForms(
        third_person={with_s(verb): verb for verb in verbs},
        participles={**{with_ing(verb): verb for verb in verbs}, **english.other_participles},
        past_participles={with_ed(verb): verb for verb in verbs},
        pasts=pasts,
        irregular_pasts={
            past: verb
            for past, verb in pasts.items()
            if verb in english.irregular_verbs
            and past not in english.verbs | english.ambiguous_pasts
        },
    )


@cache
def base_forms() -> Mapping[str, str]:
    """Every form of every verb, form -> base; the present tense decides between two verbs."""
    forms = verb_forms()
    return {
        **forms.pasts,
        **forms.past_participles,
        **forms.participles,
        **forms.third_person,
    }
