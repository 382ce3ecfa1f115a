"""A review session, from its first link to Ctrl-C: the items, the log of verdicts, the page."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.applications import Starlette

from oea_cli.clips.verdicts import VerdictLog
from oea_cli.errors import UsageError
from oea_cli.web.access import Tokens
from oea_cli.web.app import make_app
from oea_cli.web.review.app import ReviewRoutes, review_page, sounds_of
from oea_cli.web.review.items import Item
from oea_cli.web.review.progress import ReviewProgress, annotator_name
from oea_cli.web.server import listening, open_browser, serve
from oea_cli.web.sounds import PageSounds

Say = Callable[[str], object]


class Session:
    """Items, annotators, and the log of verdicts at `output`, which may hold earlier ones.

    Raises UsageError for an invalid annotator name.
    """

    def __init__(
        self, items: Sequence[Item], output: Path, annotator: str | None, seed: int
    ) -> None:
        try:
            self._annotator = None if annotator is None else annotator_name(annotator)
        except ValueError as error:
            raise UsageError(f"--annotator {annotator!r}: {error}") from error
        self._output = output
        self._log = VerdictLog(output)
        self._progress = ReviewProgress(items, self._log, seed)

    @property
    def num_stored(self) -> int:
        """How many verdicts the log holds."""
        return self._progress.num_stored()

    @property
    def is_complete(self) -> bool:
        """True where nothing is left to judge."""
        return self._progress.is_complete()

    def show(self, port: int, *, in_browser: bool, say: Say, notice: Say) -> None:
        """Serve the page until KeyboardInterrupt, which is raised again.

        `say` receives the links, the only way to open the page; `notice` what may be left out.
        """
        with (
            closing(self._log),
            listening(port) as server,
            TemporaryDirectory(prefix="oea-review-") as folder,
        ):
            address = f"http://127.0.0.1:{server.getsockname()[1]}/?token="
            tokens = Tokens(lambda token: say(f"for one more browser: {address}{token}"))
            app = self._app(Path(folder), tokens, server.getsockname()[1], say)
            items = self._progress.items
            missing = sum(side.found.sound is None for item in items for side in item.sides)
            if missing:
                notice(f"{missing} sounds are missing; the page says which")
            first = f"{address}{tokens.current}"
            say(f"{len(items)} to judge, Ctrl-C ends: {first}")
            if in_browser:
                open_browser(first)
            serve(app, server)

    def _app(self, folder: Path, tokens: Tokens, port: int, say: Say) -> Starlette:
        sounds = PageSounds(sounds_of(self._progress.items), folder)
        routes = ReviewRoutes(self._progress, self._annotator, str(self._output)).routes()
        return make_app(review_page(), sounds, routes, tokens, f"oea-{port}", say)
