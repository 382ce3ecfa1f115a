"""The routes of the page: the annotator's own items and verdicts, never anybody else's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from oea_cli.clips.verdicts import RATING, RATINGS, VERDICTS, Value
from oea_cli.web.page import WebPage, read_page
from oea_cli.web.review.items import Item
from oea_cli.web.review.progress import ReviewProgress, annotator_name
from oea_cli.web.sounds import Sound


def review_page() -> WebPage:
    """The page, which is the same for everything that is reviewed."""
    return read_page(Path(__file__).parent)


def sounds_of(items: Sequence[Item]) -> list[Sound]:
    """Every sound of the items once; its place is the number it is served by."""
    sides = [side for item in items for side in item.sides]
    return list(dict.fromkeys(side.found.sound for side in sides if side.found.sound))


class ReviewRoutes:
    """The routes of a review."""

    def __init__(self, progress: ReviewProgress, annotator: str | None, output: str) -> None:
        """`annotator` is the one named on the command line, if any; `output` is the log's name."""
        self._progress, self._annotator, self._output = progress, annotator, output
        if annotator is not None:
            progress.enter(annotator)
        self._numbers = {sound: n for n, sound in enumerate(sounds_of(progress.items))}
        self._item_numbers = {item.key: n for n, item in enumerate(progress.items)}

    def routes(self) -> list[BaseRoute]:
        """All routes, for the application."""
        return [
            Route("/state", self._state),
            Route("/items/{place:int}", self._item),
            Route("/annotator", self._enter, methods=["POST"]),
            Route("/verdicts", self._judge, methods=["POST"]),
            Route("/undo", self._undo, methods=["POST"]),
        ]

    def _state(self, request: Request) -> Response:
        name = self._annotator or request.session.get("annotator")
        return JSONResponse(self._state_of(name, self._progress.next_open(name) if name else None))

    async def _enter(self, request: Request) -> Response:
        """Store who uses this browser; names are not checked."""
        body = await _body(request)
        if self._annotator is not None:
            raise HTTPException(409, f"this review is {self._annotator}'s")
        try:
            name = annotator_name(str(body.get("name", "")))
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        request.session["annotator"] = name
        self._progress.enter(name)
        return JSONResponse(self._state_of(name, self._progress.next_open(name)))

    def _item(self, request: Request) -> Response:
        name = self._known(request)
        order = self._progress.order(name)
        place: int = request.path_params["place"]
        if place >= len(order):
            raise HTTPException(404, "no such item")
        return JSONResponse(self._item_document(name, place, order[place]))

    async def _judge(self, request: Request) -> Response:
        body = await _body(request)
        name = self._known(request, body.get("annotator"))
        number, value = body.get("item"), body.get("value")
        items = self._progress.items
        if type(number) is not int or not 0 <= number < len(items):
            raise HTTPException(422, "no such item")
        allowed: Sequence[Value] = RATINGS if items[number].kind == RATING else VERDICTS
        if type(value) not in (int, str) or value not in allowed:
            raise HTTPException(422, "no such verdict")
        await run_in_threadpool(self._progress.judge, name, items[number], value)
        place = self._progress.order(name).index(items[number])
        return JSONResponse(self._state_of(name, self._progress.next_open(name, place)))

    async def _undo(self, request: Request) -> Response:
        body = await _body(request)
        name = self._known(request, body.get("annotator"))
        place = await run_in_threadpool(self._progress.undo, name)
        if place is None:
            raise HTTPException(409, "there is nothing to undo")
        return JSONResponse(self._state_of(name, place))

    def _known(self, request: Request, expected: Any = None) -> str:
        """The annotator of this browser, whom another tab may have changed."""
        name = self._annotator or request.session.get("annotator")
        if name is None:
            raise HTTPException(409, "no annotator has entered a name; reload the page")
        if expected is not None and expected != name:
            raise HTTPException(409, f"this browser is {name}'s now; reload the page")
        return str(name)

    def _state_of(self, name: str | None, place: int | None) -> dict[str, Any]:
        """An annotator's progress; `place` is the item to show, None where all are judged."""
        progress = self._progress
        return {
            "annotator": name,
            "fixed": self._annotator is not None,
            "kind": progress.items[0].kind,
            "total": len(progress.items),
            "done": progress.num_done(name) if name else 0,
            "place": place,
            "undo": progress.can_undo(name) if name else False,
            "output": self._output,
        }

    def _item_document(self, name: str, place: int, item: Item) -> dict[str, Any]:
        return {
            "place": place,
            "item": self._item_numbers[item.key],
            "text": item.text,
            "type": item.query_type,
            "value": self._progress.value(name, item),
            "sides": [
                {
                    "role": side.role,
                    "id": side.id,
                    "captions": side.captions,
                    "sound": self._numbers[side.found.sound] if side.found.sound else None,
                    "problem": side.found.problem,
                }
                for side in item.sides
            ],
        }


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, "not JSON") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "not a JSON object")
    return body
