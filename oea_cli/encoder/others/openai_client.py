"""The openai client as every server is asked: in time, where it was told, its key never shown.

The client's own timeout ends a silence; a server that sends a byte now and then would never meet
it, so an answer must also be whole within that time.
"""

import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import openai

from oea_cli.errors import UsageError
from oea_cli.records.secrets import redacted

MAX_REASON = 300  # characters of a server's message


def check_address(address: str, key_variable: str) -> None:
    """Raise UsageError for an address that carries a key or a password, which files would keep."""
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise UsageError(f"an address must not contain a password; set {key_variable} instead")
    if not parts.hostname:
        raise UsageError(f"{address}: names no server; http://HOST/v1 does")
    if parts.query:
        raise UsageError(
            f"a server's address must end before its '?'; a key goes in {key_variable}"
        )


def open_client(address: str, key: str, *, timeout: float, retries: int) -> openai.OpenAI:
    """A client that asks this address, follows no redirection, and waits `timeout` seconds."""
    connections = _TimedClient(timeout)
    client = openai.OpenAI(
        base_url=address,
        api_key=key or "none",  # local servers accept any key, but the client needs one
        max_retries=retries,
        timeout=timeout,
        http_client=connections,
    )
    weakref.finalize(client, connections.close)
    return client


class _TimedClient(openai.DefaultHttpxClient):  # type: ignore[misc]
    """A client whose answers are whole in time, or not there."""

    def __init__(self, seconds: float) -> None:
        super().__init__(follow_redirects=False)
        self._seconds = seconds

    def send(self, request: Any, **options: Any) -> Any:
        """The response; raises APITimeoutError where it is not whole in time."""
        outcomes: queue.SimpleQueue[Any] = queue.SimpleQueue()
        ask = super().send

        def work() -> None:
            outcomes.put(_outcome(lambda: ask(request, **options)))

        threading.Thread(target=work, daemon=True).start()
        try:
            outcome = outcomes.get(timeout=self._seconds)
        except queue.Empty:
            raise openai.APITimeoutError(request) from None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def _outcome(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except BaseException as error:
        return error


def is_timeout(error: BaseException) -> bool:
    """Whether the client, or the one above, has waited too long."""
    return isinstance(error, openai.APITimeoutError) or isinstance(
        error.__cause__, openai.APITimeoutError
    )


def message_of(error: BaseException) -> str:
    """What a server, or the client, says: one line of bounded length, without keys."""
    body = getattr(error, "body", None)
    text = str(body.get("message") or body) if isinstance(body, dict) else str(error)
    line = redacted(" ".join(text.split())) or type(error).__name__
    return line if len(line) <= MAX_REASON else f"{line[:MAX_REASON]} ..."
