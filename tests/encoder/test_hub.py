"""Repositories that cannot be had, each in one line: against a real server that says no."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from oea_cli.encoder.hub import runs_remote_code, snapshot
from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.errors import OeaError, UsageError
from tests.conftest import clean_environment

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"config.json": b'{"a": 1}', "model.safetensors": b"weights", "big.bin": b"not wanted"}
CODE = """
import sys
from oea_cli.encoder.hub import snapshot
from oea_cli.errors import OeaError
for line in sys.argv[1:]:
    repo, _, revision = line.partition("@")
    try:
        folder, commit = snapshot(repo, revision or None, ["*.json", "*.safetensors"])
        print(commit, *sorted(path.name for path in folder.iterdir()))
    except OeaError as error:
        print(error)
"""


class FakeHub(BaseHTTPRequestHandler):
    """As much of the hub's interface as a download needs."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/api/models/").removeprefix("/")
        owner, repo, *rest = path.split("/")
        if repo == "gated" and "resolve" in rest:
            return self.answer(403, b"", {"X-Error-Code": "GatedRepo"})
        if repo == "gated-info":
            return self.answer(401, b"", {"X-Error-Code": "GatedRepo"})
        if repo == "private":
            return self.answer(401, b"")
        if repo == "forbidden":
            return self.answer(403, b"")
        if repo == "busy":
            return self.answer(429, b"")
        if repo == "broken":
            return self.answer(500, b"")
        if repo not in ("good", "gated"):
            return self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})
        if rest[:1] == ["revision"] and rest[1] not in ("main", "v1", COMMIT):
            return self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if rest[:1] == ["tree"]:
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": sha(data)}
                for name, data in FILES.items()
            ]
            return self.answer(200, json.dumps(entries).encode())
        if rest[:1] == ["resolve"]:
            data = FILES[rest[2]]
            return self.answer(200, data, {"ETag": f'"{sha(data)}"', "X-Repo-Commit": COMMIT})
        return self.answer(200, json.dumps({"id": f"{owner}/{repo}", "sha": COMMIT}).encode())

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def sha(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    threading.Thread(target=server.serve_forever, args=(0.02,)).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def ask(endpoint: str, home: Path, *repositories: str, offline: str = "0") -> list[str]:
    """What `snapshot` says of each repository, one line each."""
    environment = {**clean_environment(), "HF_ENDPOINT": endpoint, "HF_HOME": str(home)}
    environment |= {"HF_HUB_OFFLINE": offline, "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *repositories],
        capture_output=True, text=True, env=environment, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_only_the_wanted_files_are_downloaded(hub: str, tmp_path: Path) -> None:
    files = f"{COMMIT} config.json model.safetensors"
    wanted = ("a/good", "a/good@v1", f"a/good@{COMMIT}")
    assert ask(hub, tmp_path, *wanted) == [files] * 3
    assert not list(tmp_path.rglob("big.bin"))
    assert ask("http://127.0.0.1:9", tmp_path, *wanted, offline="1") == [files] * 3


def test_refusals_say_what_to_do(hub: str, tmp_path: Path) -> None:
    names = ("gated", "gated-info", "private", "forbidden", "nothing", "good@v9", "broken")
    gated, gated_info, private, forbidden, nothing, revision, broken = ask(
        hub, tmp_path, *(f"a/{name}" for name in names)
    )
    for line, name in ((gated, "gated"), (gated_info, "gated-info")):
        assert line == (
            f"a/{name} is gated: accept its terms at {hub}/a/{name}, then log in with "
            "`hf auth login` or set HF_TOKEN"
        )
    for line, name in ((private, "private"), (nothing, "nothing")):
        assert line.startswith(f"no folder and no repository 'a/{name}' on {hub}; if it is private")
    assert forbidden.startswith(f"{hub} gives this token no access to a/forbidden")
    assert revision == f"a/good has no revision 'v9'; see {hub}/a/good/commits"
    assert broken == f"a/broken: {hub} answered 500; try again later"


def test_no_network_and_offline(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    (line,) = ask(nowhere, tmp_path, "a/good")
    assert line.startswith(f"a/good cannot be downloaded: no connection to {nowhere} (")
    (line,) = ask(nowhere, tmp_path, "a/good@v1", offline="1")
    assert line.startswith("a/good at revision 'v1' is missing or incomplete in ")
    assert "HF_HUB_OFFLINE forbids downloading it; unset it" in line


def test_folders_and_names_that_are_neither(tmp_path: Path) -> None:
    assert snapshot(str(tmp_path)) == (tmp_path, None)
    with pytest.raises(UsageError, match="a folder has no revision 'v1'"):
        snapshot(str(tmp_path), "v1")
    with pytest.raises(OeaError, match=r"^\./nowhere: no such folder$"):
        snapshot("./nowhere")
    with pytest.raises(OeaError, match=r"^no folder 'a/b/c', and it is no repository's name"):
        snapshot("a/b/c")


def test_remote_code_is_allowed_by_name_and_commit(tmp_path: Path) -> None:
    def of(revision: str | None) -> EncoderName:
        return EncoderName("st", "a/b", {"revision": revision} if revision else {})

    def write(name: str, content: object) -> None:
        (tmp_path / name).write_text(json.dumps(content))

    trusting = Placement(trust_remote_code=True)
    assert not runs_remote_code(of(None), tmp_path, Placement())
    write("config.json", {"model_type": "new", "auto_map": {"AutoModel": "modeling_x.X"}})
    with pytest.raises(OeaError, match=r"a/b runs Python that comes with it \(modeling_x\.X\)"):
        runs_remote_code(of(COMMIT), tmp_path, Placement())
    for loose in (None, "main", COMMIT[:12]):
        with pytest.raises(UsageError, match="--revision has to pin it"):
            runs_remote_code(of(loose), tmp_path, trusting)
    assert runs_remote_code(of(COMMIT), tmp_path, trusting)
    write("config.json", {"model_type": "new", "auto_map": {"AutoModel": "c/d--modeling_x.X"}})
    with pytest.raises(OeaError, match="of another repository, unpinned: c/d--modeling_x"):
        runs_remote_code(of(COMMIT), tmp_path, trusting)
    write("config.json", {"model_type": "bert", "auto_map": {"AutoModel": "modeling_x.X"}})
    assert not runs_remote_code(of(None), tmp_path, trusting), "transformers knows it itself"
    modules = [{"type": "sentence_transformers.models.Pooling"}, {"type": "mine.Layer"}]
    write("modules.json", modules)
    with pytest.raises(OeaError, match=r"mine\.Layer"):
        runs_remote_code(of(COMMIT), tmp_path, Placement())
    mine = EncoderName("st", str(tmp_path))
    assert runs_remote_code(mine, tmp_path, trusting), "a folder on disk has no revision"


def test_a_token_that_is_refused(hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    gated, private = ask(hub, tmp_path, "a/gated", "a/private")
    assert (
        private
        == f"{hub} does not accept the token for a/private; see HF_TOKEN and `hf auth whoami`"
    )
    assert "hf_secret" not in gated + private
