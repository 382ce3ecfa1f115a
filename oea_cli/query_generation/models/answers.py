"""Paid answers: each one is stored on disk before it is used.

One JSON object per line, appended and synced as it arrives. The key is a hash of the whole
request (row, type, model, messages, settings, server): the same request is never sent twice, even
after a process was killed. Two servers do not share answers, whatever their models are called;
answers of earlier versions, which did not say where they came from, stand for any. The incomplete
last line that a killed process may leave is skipped.
"""

import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from oea_cli.errors import OeaError
from oea_cli.records.artefacts import check_parent
from oea_cli.records.lines import read_text


@dataclass(frozen=True, slots=True)
class Answer:
    """A writer's answer, and the tokens that it took (0 where they were not counted)."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0


def key_of(task_id: str, query_type: str, request: Mapping[str, Any], server: str = "") -> str:
    """The key of an answer: a hash of the row, the type, all that is sent, model included, and the
    server that it is sent to, where there is one."""
    parts = [task_id, query_type, request, *([server] if server else [])]
    content = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()


class AnswerFile:
    """The answers in a file, by key; new ones are appended. May be used by several threads."""

    def __init__(self, path: Path) -> None:
        """Read the answers in the file, if it exists; raises OeaError where it cannot be read, and
        where its folder is not there."""
        check_parent(path)
        self.path = path
        self.num_unreadable = 0
        self._answers: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        content = read_text(path) if path.exists() else b""
        self._is_torn = bool(content) and not content.endswith(b"\n")
        for line in content.splitlines():
            self._read(line)

    def _read(self, line: bytes) -> None:
        try:
            row = orjson.loads(line)
            answer = Answer(row["text"], int(row["tokens_in"]), int(row["tokens_out"]))
            self._answers[row["key"]] = answer
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            self.num_unreadable += 1

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, key: str) -> Answer | None:
        """The answer with this key; None where there is none."""
        return self._answers.get(key)

    def add(self, key: str, answer: Answer, notes: Mapping[str, str]) -> None:
        """Store an answer on disk; `notes` (row, type, model) are for people who read the file."""
        row = {
            "key": key,
            **notes,
            "text": answer.text,
            "tokens_in": answer.tokens_in,
            "tokens_out": answer.tokens_out,
        }
        line = orjson.dumps(row) + b"\n"
        with self._lock:
            descriptor = self._open()
            try:
                self._append(descriptor, line)
            except OSError as error:
                raise OeaError(f"{self.path}: {error.strerror}") from error
            self._answers[key] = answer

    def prepare(self) -> None:
        """Open the file for writing; raises OeaError where that fails, before anything is paid."""
        with self._lock:
            self._open()

    def _open(self) -> int:
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            try:
                self._descriptor = os.open(self.path, flags, 0o600)
            except OSError as error:
                raise OeaError(f"{self.path}: {error.strerror}") from error
        return self._descriptor

    def _append(self, descriptor: int, line: bytes) -> None:
        if self._is_torn:
            line, self._is_torn = b"\n" + line, False
        # One write, so that two programs that append to one file do not mix their lines.
        written = os.write(descriptor, line)
        if written != len(line):
            raise OSError(28, "no space left on the device")
        os.fsync(descriptor)

    def close(self) -> None:
        """Close the file; answers can still be looked up."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
