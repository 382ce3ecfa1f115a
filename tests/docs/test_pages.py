"""Every block of every page: console blocks run and print what they show, the others parse."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import PAGES, REPOSITORY, Block, page_id, read_blocks
from tests.docs.running import PageRun
from tests.encoder import embeddings_server

LANGUAGES = {"console", "sh", "yaml", "json", "jsonl", "python", "text"}
BLOCKS = {path: read_blocks(path) for path in PAGES}


def _is_slow(path: Path) -> bool:
    return any(block.note("slow") is not None for block in BLOCKS[path])


def _pages() -> Iterator[object]:
    for path in PAGES:
        if any(block.language == "console" for block in BLOCKS[path]):
            yield pytest.param(
                path, marks=[pytest.mark.slow] if _is_slow(path) else [], id=page_id(path)
            )


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, str]]:
    """The server that pages reach at localhost:8000."""
    with embeddings_server.serving() as vectors:
        yield {"embeddings": f"127.0.0.1:{vectors.server_port}"}


@pytest.mark.parametrize("path", _pages())
def test_console_blocks_print_what_they_show(
    path: Path, page_folder: Path, environment: Mapping[str, str], servers: Mapping[str, str]
) -> None:
    run = PageRun(page_folder, environment, servers)
    for block in BLOCKS[path]:
        try:
            run.run(block)
        except AssertionError as error:
            pytest.fail(f"{path.relative_to(REPOSITORY)}:{block.line}: {error}", pytrace=False)


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_other_blocks_parse(path: Path) -> None:
    for block in BLOCKS[path]:
        assert block.language in LANGUAGES, f"{path.name}:{block.line}: ```{block.language}"
        _parse(block, f"{path.name}:{block.line}")


def _parse(block: Block, where: str) -> None:
    if block.language == "yaml":
        assert list(yaml.safe_load_all(block.text)), where
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "jsonl":
        assert all(isinstance(json.loads(line), dict) for line in block.lines), where
    elif block.language == "python":
        compile(block.text, where, "exec")
    elif block.language in {"sh", "console"}:
        script = "\n".join(c.text for c in block.commands()) or block.text
        subprocess.run(["bash", "-n", "-c", script], check=True)
