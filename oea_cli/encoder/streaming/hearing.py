"""How the streams of one verb hear sounds, and who is told what they notice.

A verb encodes in several places (queries, captions, what is excluded); what is to be said of all of
them together is said once, with counts.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.inputs import Notice
from oea_cli.records.sections import CHANNELS, names_channel

Tell = Callable[[Notice], object]


@dataclass(slots=True)
class Tally:
    """Passes notices on, and counts those that would come for every other input."""

    tell: Tell
    _cut: Counter[int] = field(default_factory=Counter)  # texts, by the limit in tokens
    _no_channel: Counter[str] = field(default_factory=Counter)  # records, by what they say

    def note_channel(self, value: object) -> None:
        """Note a record whose `channel` names none."""
        if value is not None and not names_channel(value):
            self._no_channel[str(value)] += 1

    def note_cut(self, encoder: Encoder) -> None:
        """Take over how many texts an encoder has cut."""
        cut = getattr(encoder, "cut_texts", None)
        if cut is not None and (count := cut.take()):
            self._cut[cut.limit] += count

    def finish(self) -> None:
        """Say what was counted."""
        for limit, count in self._cut.items():
            text = f"longer than the encoder's {limit} tokens; what is beyond them does not count"
            self.tell(Notice("1 text" if count == 1 else f"{count} texts", text))
        if count := self._no_channel.total():
            text = f"a 'channel' such as {next(iter(self._no_channel))!r:.40} is not {CHANNELS}"
            records = "1 record" if count == 1 else f"{count} records"
            self.tell(Notice(records, f"{text}; it was not used"))
        self._cut.clear()
        self._no_channel.clear()


@dataclass(frozen=True, slots=True)
class Hearing:
    """The channel of sounds whose record names none, and where notices go."""

    channel: str
    tally: Tally


_current: ContextVar[Hearing] = ContextVar("hearing")


@contextmanager
def hearing(channel: str, tell: Tell) -> Iterator[None]:
    """Within it, streams that are not told otherwise hear and tell so."""
    current = Hearing(channel, Tally(tell))
    token = _current.set(current)
    try:
        yield
    finally:
        _current.reset(token)
        current.tally.finish()


def current_hearing() -> Hearing:
    """What `hearing` set; else the mix, and nobody is told."""
    return _current.get(Hearing("mix", Tally(lambda _: None)))
