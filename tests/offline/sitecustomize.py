"""The network's name service, refused: in the process of the tests and in all that they start.

Python imports a module of this name when it starts, where its folder is on PYTHONPATH, as
`tests/conftest.py` puts it. A look-up of any other host than this machine fails as it does without
a network, and is written down, so that the test fails even where the program bears it. So is a
connection by number. torchrun asks for this machine's own name, and does without an answer: that is
refused, too, but no test fails for it.
"""

import os
import sys
from typing import Any

NAMES_FILE = "TESTS_LOOKED_UP"  # the variable that names the file of what was looked up
LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
THIS_MACHINE = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"}


def refuse_look_ups(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook; raises socket.gaierror."""
    if event in LOOK_UPS:
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name in THIS_MACHINE:
        return
    socket = sys.modules["socket"]
    if name != socket.gethostname():
        with open(os.environ[NAMES_FILE], "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(f"{name}\n")
    raise socket.gaierror(-3, f"{name}: no name service in tests")


sys.addaudithook(refuse_look_ups)
