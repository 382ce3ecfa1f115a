"""Runs an application that only this machine reaches, until Ctrl-C."""

import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from typing import Any

import uvicorn

from oea_cli.errors import OeaError

ADDRESS = "127.0.0.1"
GRACE_SECONDS = 2
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listening(port: int) -> socket.socket:
    """A socket that accepts connections from this machine; port 0 is any free one.

    Raises OeaError where the port is taken or not permitted.
    """
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere two programs could then share one port
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ADDRESS, port))
        server.listen()
    except OSError as error:
        server.close()
        raise OeaError(f"port {port}: {error.strerror}; --port 0 takes a free one") from error
    return server


def serve(app: Callable[..., Any], server: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM; both are raised as KeyboardInterrupt, so that
    callers can clean up."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # the application reports what fails
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # uvicorn shuts down, and then raises the signal again for the handler that was set before.
    before = {name: signal.signal(name, signal.default_int_handler) for name in SIGNALS}
    try:
        uvicorn.Server(config).run(sockets=[server])
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def open_browser(link: str) -> None:
    """Show a page in the person's browser, where there is a screen to show it on."""
    has_screen = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    # Without a screen, webbrowser would start a text browser in this terminal. The thread is for
    # browsers that block until they are closed.
    if has_screen:
        threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
