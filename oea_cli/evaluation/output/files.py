"""Where results are written: files by their suffix, the report, a GitHub job's summary."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oea_cli.errors import UsageError
from oea_cli.records.artefacts import check_parent, write_whole

if TYPE_CHECKING:
    from oea_cli.evaluation.setting import Document

FORMATS = {".json": "json", ".md": "markdown", ".xml": "junit", ".txt": "table"}


def checked_files(names: Sequence[str]) -> dict[Path, str]:
    """The format of each file; raises UsageError for an unknown suffix, OeaError for no folder."""
    files = {}
    for name in names:
        path = Path(name)
        if path.suffix.lower() not in FORMATS:
            raise UsageError(f"-o {name}: name it X.json, X.md, X.xml (JUnit) or X.txt")
        check_parent(path)
        files[path] = FORMATS[path.suffix.lower()]
    return files


def checked_page(name: str) -> Path:
    """The report's path; raises UsageError or OeaError, before anything is measured, where it is
    not usable."""
    page = Path(name)
    if page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {name}: name it X.html")
    check_parent(page)
    from oea_cli.evaluation.output.report.page import check_installed

    check_installed()
    return page


def write_files(document: "Document", files: Mapping[Path, str]) -> None:
    """Write the document to each file in its format, each file whole or not at all."""
    from oea_cli.evaluation.output.rendering import render

    for path, format in files.items():
        write_whole(path, render(document, format))


def append_summary(document: "Document", notice: Callable[[str], object]) -> None:
    """Add the results to the summary of a GitHub job, where there is one.

    A summary that cannot be written is only noted: the results must not be lost for it.
    """
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if not page:
        return
    from oea_cli.evaluation.output.rendering import render

    try:
        with Path(page).open("ab") as stream:
            stream.write(render(document, "markdown"))
    except OSError as error:
        notice(f"{page}: no summary written ({error.strerror})")
