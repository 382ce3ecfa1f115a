"""Where in its file a hit is, as a player shows it: 4:20."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oea_cli.search.hits import Hit


def moment_of(hit: "Hit") -> str:
    """The span of a window, 4:20–4:30; of a whole file its best moment, 4:20; "" where the hit
    names none."""
    from oea_cli.records.ids import is_window

    start, end = hit.get("start"), hit.get("end")
    if not isinstance(start, int | float):
        return ""
    if not is_window(hit["id"]):
        return clock(int(start))
    return f"{clock(start)}–{clock(end) if isinstance(end, int | float) else ''}"


def clock(seconds: float) -> str:
    """Seconds as 0:09, 4:20, 4:20.5 or 1:04:20."""
    thousandths = round(seconds * 1000)
    whole, fraction = divmod(thousandths, 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    part = f".{fraction:03}".rstrip("0") if fraction else ""
    return f"{f'{hours}:{minute:02}' if hours else minute}:{second:02}{part}"
