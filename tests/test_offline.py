"""That no test can look up a host without being noticed."""

import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import LOOKED_UP, clean_environment

LOOK_UPS: dict[str, Callable[[str], object]] = {
    "getaddrinfo": lambda host: socket.getaddrinfo(host, 80),
    "gethostbyname": socket.gethostbyname,
    "gethostbyname_ex": socket.gethostbyname_ex,
    "gethostbyaddr": socket.gethostbyaddr,
    "create_connection": lambda host: socket.create_connection((host, 80), timeout=1),
}


def noticed() -> list[str]:
    """What was looked up; forgotten, so that this test does not fail for it."""
    names = LOOKED_UP.read_text().splitlines()
    LOOKED_UP.unlink()
    return names


@pytest.mark.parametrize("look_up", LOOK_UPS.values(), ids=LOOK_UPS)
def test_a_look_up_is_refused_and_noticed(look_up: Callable[[str], object]) -> None:
    with pytest.raises(socket.gaierror, match="no name service in tests"):
        look_up("host.invalid")
    assert noticed() == ["host.invalid"]


def test_a_connection_to_another_machine_is_refused_too() -> None:
    with socket.socket() as client, pytest.raises(socket.gaierror):
        client.connect(("192.0.2.1", 80))  # an address that documents use, of no machine
    assert noticed() == ["192.0.2.1"]


def test_it_is_in_a_process_of_a_test_too() -> None:
    code = (
        "import socket\ntry:\n    socket.getaddrinfo('host.invalid', 80)\nexcept OSError:\n    pass"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    subprocess.run([sys.executable, "-c", code], check=True, env=clean_environment())
    assert noticed() == ["host.invalid", "host.invalid"]


def test_this_machine_is_no_secret() -> None:
    assert socket.getaddrinfo("localhost", 80) and socket.getaddrinfo("127.0.0.1", 80)
    assert socket.getfqdn("127.0.0.1")
    assert not LOOKED_UP.exists()
