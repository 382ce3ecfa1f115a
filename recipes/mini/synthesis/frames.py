"""The sentences around the words: how people ask for sounds, join them and rule them out.

`words/frames.yaml` lists them. `{}` takes a noun phrase ("a dog barking"), `{A}`, `{B}` one of
several. In exclusions `{b}` takes one without its article ("no dog barking"); in `WHILE` and
`STATED` `{s}` takes a clause.
"""

from pathlib import Path

import yaml

FORMS: dict[str, tuple[str, ...]] = {
    name: tuple(forms)
    for name, forms in yaml.safe_load(
        (Path(__file__).parent / "words" / "frames.yaml").read_text(encoding="utf-8")
    ).items()
}

CAPTIONS = FORMS["captions"]
QUESTIONS = FORMS["questions"]
COMMANDS = FORMS["commands"]
FRAMES = {
    "caption": CAPTIONS,
    "question": QUESTIONS,
    "imperative": COMMANDS,
    "paraphrase": FORMS["paraphrases"],
}
"""By type of query."""
STATED = FORMS["stated"]
JOINED = FORMS["joined"]
TOGETHER = FORMS["together"]
WHILE = FORMS["while"]
THEN = FORMS["then"]
FAR = FORMS["far"]
EXCLUSIONS = FORMS["exclusions"]
THREE_JOINED = FORMS["three_joined"]
THREE_IN_ORDER = FORMS["three_in_order"]
OR_JOINED = FORMS["or_joined"]
