"""The wrong changes can still be made: `python -m tests.wrong_changes` makes them."""

import pytest

from tests.conftest import REPOSITORY
from tests.wrong_changes.changes import CHANGES, WrongChange


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_wrong_change_can_be_made(change: WrongChange) -> None:
    content = (REPOSITORY / "oea_cli" / change.file).read_text(encoding="utf-8")
    assert content.count(change.right) == 1, f"{change.file} reads otherwise now; follow it"
    assert (REPOSITORY / change.tests.split()[0]).exists()
