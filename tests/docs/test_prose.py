"""The pages hold together: links lead somewhere, nothing is left out, the README is short."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, REPOSITORY, page_id

REFERENCE = REPOSITORY / "docs" / "commands.md"
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
PLACE = re.compile(r"`((?:oea_cli|tests|recipes|shell_examples|docs)/[\w/.-]*)`")
"""A file as pages name it; `mine.py` is the reader's own."""
TEXTS = {".py", ".md", ".toml", ".yaml", ".sh", ".txt"}


def test_the_readme_is_read_in_a_minute() -> None:
    assert (REPOSITORY / "README.md").stat().st_size <= 10_000


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_lead_to_files_and_headings(path: Path) -> None:
    for file, heading in LINK.findall(path.read_text(encoding="utf-8")):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), file
        assert not heading or heading in headings(target), f"{file}#{heading}"


def headings(path: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in kept}


def test_every_guide_stands_in_the_table_of_contents() -> None:
    contents = (REPOSITORY / "docs" / "README.md").read_text(encoding="utf-8")
    for path in [*PAGES, REFERENCE]:
        if path.parent == REFERENCE.parent and path.name != "README.md":
            assert f"({path.name})" in contents, path.name


def test_files_that_pages_name_exist() -> None:
    for path in PAGES:
        for name in PLACE.findall(path.read_text(encoding="utf-8")):
            assert (REPOSITORY / name).exists() or "mine" in name, f"{path.name}: {name}"


def test_nothing_is_left_to_fill_in() -> None:
    for path in PAGES:
        assert not re.search(r"@@|TODO|FIXME|lorem ipsum", path.read_text(encoding="utf-8")), path


def test_no_machine_paths_or_registry_addresses() -> None:
    wrong = re.compile("/" + "(?:work|root|farm)/|pypi" + r"\.org|files\.pythonhosted")
    for path in REPOSITORY.rglob("*"):
        if path.suffix in TEXTS and path.is_file():
            if {".venv", ".git", "demo"} & set(path.relative_to(REPOSITORY).parts):
                continue
            assert not wrong.search(path.read_text(encoding="utf-8")), path
