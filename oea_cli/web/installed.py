"""Checks that the packages for pages are installed."""

from importlib.util import find_spec

from oea_cli.errors import OeaError


def check_installed(verb: str) -> None:
    """Raise OeaError where Starlette or uvicorn, of the extra `[web]`, is missing."""
    if not (find_spec("starlette") and find_spec("uvicorn")):
        raise OeaError(f"{verb} needs Starlette and uvicorn; pip install 'oea[web]'")
