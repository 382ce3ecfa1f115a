"""Files from web servers, within time limits: a server that says nothing is not waited for."""

import http.client
import io
from typing import BinaryIO, cast
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

SILENT_SECONDS = 30.0
"""How long a server may take to answer, or pause while it sends."""


class _Body(io.RawIOBase):
    """What a server sends; raises OSError where it stops before the end that it announced."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            count = self._response.readinto(buffer)
        except TimeoutError as error:
            raise _silence() from error
        except http.client.HTTPException as error:
            raise OSError(f"the server broke off ({error!r})") from error
        left = self._response.length
        if not count and left:
            raise OSError(f"the server broke off, {left:,} bytes before the end")
        return count

    def close(self) -> None:
        self._response.close()
        super().close()


def open_web(address: str) -> BinaryIO:
    """Open an address for reading.

    Raises FileNotFoundError where the server has no such file, OSError for whatever else it says,
    and where it says nothing within `SILENT_SECONDS`.
    """
    try:
        response = urlopen(Request(address), timeout=SILENT_SECONDS)
    except HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise FileNotFoundError(address) from error
        raise OSError(f"the server answers {error.code} {error.reason}") from error
    except TimeoutError as error:
        raise _silence() from error
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _silence() from error
        raise OSError(str(getattr(error.reason, "strerror", None) or error.reason)) from error
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"no answer that can be read ({error!r:.100})") from error
    return cast(BinaryIO, io.BufferedReader(_Body(response), 2**16))


def _silence() -> OSError:
    return OSError(f"the server has sent nothing for {SILENT_SECONDS:g} s")
