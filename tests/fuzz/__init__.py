"""Fuzzers of every reader: `python -m tests.fuzz [TARGET...] --inputs N --seed S`.

How to add a target
-------------------
A module in this folder with a list `TARGETS` is found by itself. A target is a few plain functions:

    from tests.fuzz.target import Target

    def _make(folder: Path) -> list[str]:
        '''Write whole files into an empty folder; return the names of those to damage in turn.'''
        (folder / "clips.csv").write_text("id,path\\na,a.wav\\n")
        return ["clips.csv"]

    def _read(folder: Path) -> None:
        '''Read as a verb would, to the last row, with the damaged file in place.'''
        list(read_table(folder / "clips.csv"))

    TARGETS = [Target("csv", _make, _read)]

`Target(..., mutate=f)` takes another generator of damage, `f(random, whole) -> bytes`, where all
randomness comes from the `random.Random` it is given: input number N of a seed is always the same.
`mutations.py` has generators for bytes, for JSON that stays JSON but lies, for lines of text, and
`any_of` to mix them. `weight=` gives a target more or less than an equal share of the inputs.

What counts
-----------
A clean end is a return or an OeaError. Everything else is unclean: another exception (also a Rust
panic), an abort or a signal, no end within the time limit, memory that grows by more than the limit
on one input, an error line of more than 2,000 characters. Each target runs in processes of its own;
one that dies is started again behind the input that killed it. Unclean inputs are kept in a folder,
with the command that makes them again.
"""
