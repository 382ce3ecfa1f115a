"""A headless Chromium, driven over DevTools' pipe: nothing but the standard library is needed."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)
Message = dict[str, Any]


def find_chromium() -> str | None:
    """The program's path, None where none is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One page of a browser of its own, whose profile lies in `profile`.

    `events` are those that came while answers were waited for.
    """

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # DevTools reads from descriptor 3 and writes to 4; the shell puts them there.
        script = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        arguments = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", script, *arguments],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.events: list[Message] = []
        self._count, self._pending, self._session = 0, b"", ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> Message:
        """Send a command and wait for its answer."""
        self._count += 1
        message: Message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                result: Message = answer["result"]
                return result
            self.events.append(answer)

    def _next(self) -> Message:
        while b"\0" not in self._pending:
            content = os.read(self._in, 1 << 16)
            assert content, "Chromium has gone"
            self._pending += content
        line, _, self._pending = self._pending.partition(b"\0")
        message: Message = json.loads(line)
        return message

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.ask("Page.navigate", url=url)
        ready = (
            "new Promise(r => { if (document.readyState === 'complete') r(1); else onload = r })"
        )
        self.run(f"{ready}.then(() => 1)")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 15) -> Any:
        """The value of an expression once it is true; the page may still be on its way there."""
        until = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < until, f"never true: {script}"
            time.sleep(0.02)
        return value

    def press(self, key: str, **params: Any) -> None:
        """Press and release a key, as `KeyboardEvent.key` names it, where the focus is."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "ArrowLeft": 37, "ArrowRight": 39}.get(key, 0)
        named = {"key": key, "windowsVirtualKeyCode": code, **params}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **named, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **named)

    def look(self, width: int, scheme: str = "light", height: int = 900) -> None:
        """Set the window's size and the preferred colour scheme."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.ask(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def __enter__(self) -> "Page":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        os.close(self._in)
        os.close(self._out)
