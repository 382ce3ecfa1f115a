"""The application: a page, sounds by their numbers, and a verb's own routes, for browsers that have
the link.

No part of a request's path is ever a path on disk: a sound is requested by its number.
"""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from oea_cli.audio.sources import AudioError
from oea_cli.errors import OeaError
from oea_cli.web.access import Access, Tokens
from oea_cli.web.page import WebPage
from oea_cli.web.sounds import PageSounds

LONGEST_BODY = 16_384
Problem = Callable[[str], object]


def make_app(
    page: WebPage,
    sounds: PageSounds,
    routes: Sequence[BaseRoute],
    tokens: Tokens,
    cookie: str,
    problem: Problem,
) -> Starlette:
    """Put the application together; `problem` receives errors on the server's side."""

    def failed(request: Request, error: Exception) -> Response:
        text = str(error) if isinstance(error, OeaError) else f"{type(error).__name__}: {error}"
        problem(text)
        return JSONResponse({"problem": text}, 500)

    def show(request: Request) -> Response:
        return HTMLResponse(page.html)

    return Starlette(
        routes=[Route("/", show), *_sound_routes(sounds), *routes],
        middleware=[Middleware(Access, tokens=tokens, cookie=cookie, policy=page.policy)],
        exception_handlers={HTTPException: _refused, OeaError: failed, Exception: failed},
        max_body_size=LONGEST_BODY,
    )


def _sound_routes(sounds: PageSounds) -> list[BaseRoute]:
    def number_of(request: Request) -> int:
        number: int = request.path_params["number"]
        if number >= len(sounds):
            raise HTTPException(404, "no such sound")
        return number

    def play(request: Request, convert: bool = False) -> Response:
        try:
            file = sounds.playable(number_of(request), convert=convert)
        except AudioError as error:
            return JSONResponse({"problem": str(error)}, 415)
        return FileResponse(file.path, media_type=file.media_type)

    def play_wav(request: Request) -> Response:
        return play(request, convert=True)

    def picture(request: Request) -> Response:
        """The picture of a sound, or the reason why there is none, both with status 200."""
        try:
            return JSONResponse(sounds.picture(number_of(request)).to_json())
        except AudioError as error:
            return JSONResponse({"problem": str(error)})

    return [
        Route("/sounds/{number:int}", play),
        Route("/sounds/{number:int}/wav", play_wav),
        Route("/sounds/{number:int}/picture", picture),
    ]


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"problem": error.detail}, error.status_code)
