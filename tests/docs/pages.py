"""A page of documentation as a list of fenced blocks, with what the page says about running them.

What a test has to know, and a reader need not, stands in HTML comments right before a block:

    <!-- before: COMMAND -->     run this first, unseen (the demo's sounds in place of a user's own)
    <!-- file: NAME -->          the block is the content of this file, written where the page runs
    <!-- network -->             needs the network; runs on tiny models of the same layout
    <!-- server: embeddings -->  something listens at localhost:8000 (or: chat)
    <!-- unrun: REASON -->       is parsed only
    <!-- slow -->                the page takes more than a few seconds
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *REPOSITORY.glob("docs/*.md"),
    ]
    if path.name != "commands.md"
)
DIRECTIVE = re.compile(r"<!-- (before|file|network|server|unrun|slow)(?:: (.*?))? -->")
FENCE = re.compile(r"^( *)```(\w*)$")


@dataclass(frozen=True, slots=True)
class Command:
    """What a block types after `$`, and the lines that it shows as the answer."""

    text: str
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `line` is that of its opening fence, `notes` what its comments say."""

    language: str
    lines: tuple[str, ...]
    line: int
    notes: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def note(self, name: str) -> str | None:
        """What the comment of this name says; None where there is no such comment."""
        return next((text for noted, text in self.notes if noted == name), None)

    def commands(self) -> Iterator[Command]:
        """The commands of a console block, lines that end with a backslash joined to one."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            end = next(i for i, line in enumerate(lines) if not line.endswith("\\")) + 1
            yield Command("\n".join(lines[:end]), tuple(lines[end:]))


def page_id(path: Path) -> str:
    """A page's name in the output of the tests: `docs/search.md`."""
    return path.relative_to(REPOSITORY).as_posix()


def read_blocks(path: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    blocks: list[Block] = []
    notes: list[tuple[str, str]] = []
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        if fence := FENCE.match(line):
            inside = _until_fence(lines, indent=fence[1])
            blocks.append(Block(fence[2], inside, number, tuple(notes)))
            notes.clear()
        elif found := DIRECTIVE.fullmatch(line.strip()):
            notes.append((found[1], found[2] or ""))
        elif line.strip():
            assert not notes, f"{path.name}:{number}: a comment that no block follows"
    return blocks


def _until_fence(lines: Iterator[tuple[int, str]], indent: str) -> tuple[str, ...]:
    inside = []
    for _, line in lines:
        if line == f"{indent}```":
            return tuple(inside)
        inside.append(line.removeprefix(indent))
    raise AssertionError("a fence is never closed")
