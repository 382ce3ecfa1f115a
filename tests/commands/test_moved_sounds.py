"""Sounds that are no longer where the records say: where they were looked for, what mends it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from oea_cli.commands.console.player import play
from oea_cli.errors import OeaError
from oea_cli.web.review.clip_sounds import ClipSounds


def test_a_hit_says_where_its_sound_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OeaError, match=rf"^w/a\.wav: no such file in {tmp_path}, where it was "):
        play("ffplay", "w/a.wav")
    with pytest.raises(OeaError, match=r"^/gone/a\.wav: no such file; .*index --replace`\)$"):
        play("ffplay", "/gone/a.wav")


def test_clips_say_where_the_sounds_of_pairs_are_now(
    tmp_path: Path, tone: Callable[..., Path]
) -> None:
    now = tone(tmp_path / "new" / "a.wav")
    sounds = ClipSounds([{"id": "a.wav", "path": str(now)}])
    found = sounds.find("a.wav", "old/a.wav", str(tmp_path)).sound
    assert found is not None and found.path == str(now)
