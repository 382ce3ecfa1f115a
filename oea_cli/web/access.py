"""Access to a page: only the browser that opens the link first is let in.

A link's token is valid once, for a session cookie; then a new token is made for the next browser.
Requests that another site caused are refused: by their host name (DNS rebinding), by the origin of
a POST, and because the cookie is not sent with them.
"""

import secrets
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ["127.0.0.1", "localhost"]
TOKEN = "token"
NO_ENTRY = (
    "This link has already been used or is not valid. "
    "The terminal that runs oea shows a link that works.\n"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Sounds are requested by number, and the numbers of another run mean other sounds.
    "Cache-Control": "no-store",
}

Session = dict[str, str]
"""What a verb stores about one browser."""


class Tokens:
    """The one token that is valid now, and the sessions opened with earlier ones."""

    def __init__(self, announce: Callable[[str], object]) -> None:
        """`announce` receives every further token, when the one before has been used."""
        self._announce = announce
        self._sessions: dict[str, Session] = {}
        self.current = secrets.token_urlsafe(24)

    def session(self, key: str | None) -> Session | None:
        """The session of a cookie's value, None where there is none."""
        return self._sessions.get(key or "")

    def exchange(self, token: str | None) -> str | None:
        """The key of a new session for the valid token, which is used up by this."""
        if token is None or not secrets.compare_digest(token.encode(), self.current.encode()):
            return None
        key = secrets.token_urlsafe(24)
        self._sessions[key] = {}
        self.current = secrets.token_urlsafe(24)
        self._announce(self.current)
        return key


class Access:
    """ASGI middleware: refuses requests without a session, puts the session into the scope, adds
    headers."""

    def __init__(self, app: ASGIApp, tokens: Tokens, cookie: str, policy: str) -> None:
        """`cookie` is the session cookie's name, `policy` the content security policy."""
        self._app, self._tokens, self._cookie = app, tokens, cookie
        self._headers = {**HEADERS, "Content-Security-Policy": policy}
        self._checked = TrustedHostMiddleware(self._admit, HOSTS, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
            await send(message)

        if scope["type"] == "http":
            await self._checked(scope, receive, with_headers)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        if problem := _cross_origin(scope["method"], request.headers):
            await problem(scope, receive, send)
            return
        key = request.cookies.get(self._cookie)
        session = self._tokens.session(key)
        if session is None and scope["path"] == "/" and scope["method"] == "GET":
            key = self._tokens.exchange(request.query_params.get(TOKEN))
            session = self._tokens.session(key)
            send = _with_cookie(send, f"{self._cookie}={key}; HttpOnly; SameSite=Strict; Path=/")
        if session is None:
            await PlainTextResponse(NO_ENTRY, 403)(scope, receive, send)
            return
        scope["session"] = session
        await self._app(scope, receive, send)


def _cross_origin(method: str, headers: Headers) -> Response | None:
    """The refusal of a changing request that another site caused; None where it is this page's."""
    if method in ("GET", "HEAD"):
        return None
    same = headers.get("origin") == f"http://{headers.get('host')}"
    is_json = headers.get("content-type", "").partition(";")[0] == "application/json"
    if same and is_json:
        return None
    return JSONResponse({"problem": "only this page's own requests may change anything"}, 403)


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message).append("Set-Cookie", cookie)
        await send(message)

    return sending
