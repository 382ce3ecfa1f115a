"""One `oea` for all pages, and what stands in for the network."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, clean_environment
from tests.docs.program import program
from tests.docs.stand_ins import fill_hub_cache


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Where the blocks run: `oea` on PATH, a hub cache of tiny models, a plain terminal."""
    folder = tmp_path_factory.mktemp("docs")
    fill_hub_cache(folder / "hub_home")
    plain = {
        **clean_environment(),
        "HF_HOME": str(folder / "hub_home"),
        "OEA_CACHE": str(folder / "adapters"),
        "HOME": str(folder),
        "TERM": "dumb",
        "OMP_NUM_THREADS": "1",
        "RECIPES": str(REPOSITORY / "recipes"),
    }
    with program(folder, plain) as path:
        yield {**plain, "PATH": f"{path}:{plain['PATH']}"}


@pytest.fixture
def page_folder(tmp_path: Path) -> Path:
    """A folder with the repository's recipes in it, as in a checkout."""
    (tmp_path / "recipes").symlink_to(REPOSITORY / "recipes")
    return tmp_path
