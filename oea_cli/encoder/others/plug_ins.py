"""Encoders of other packages: the entry points of the group `oea.encoders`.

[project.entry-points."oea.encoders"]
mga-clap = "my_package:load"

makes `mga-clap:PLACE`, and the bare name `mga-clap`, load what `load(name, placement)` returns
(see `Loader`). A package is imported when its name is asked for, never before.
"""

from importlib.metadata import EntryPoint, entry_points

from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.protocol import Encoder, Loader
from oea_cli.errors import OeaError

GROUP = "oea.encoders"
MAX_REASON = 300  # characters of a package's message


def plug_in_names() -> list[str]:
    """What installed packages add; none of them is imported."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find_plug_in(key: str) -> Loader | None:
    """The loader that an installed package has for this scheme or short name.

    Raises OeaError, which names the package, where two have one, or where it cannot be imported.
    """
    entries = sorted(set(entry_points(group=GROUP, name=key)), key=_package)
    if not entries:
        return None
    if len(entries) > 1:
        packages = " and ".join(map(_package, entries))
        raise OeaError(f"the packages {packages} both have an encoder '{key}'; uninstall one")
    entry = entries[0]
    try:
        loader = entry.load()
    except Exception as error:  # whatever an import of somebody else's code raises
        raise _broken(entry, "cannot be imported", error) from error
    if not callable(loader):
        raise OeaError(f"the package {_package(entry)}: its encoder '{key}' is not a function")

    def load(name: EncoderName, placement: Placement) -> Encoder:
        try:
            encoder = loader(name, placement)
        except OeaError:
            raise
        except Exception as error:
            raise _broken(entry, "cannot be loaded", error) from error
        if lacking := [attribute for attribute in _ATTRIBUTES if not hasattr(encoder, attribute)]:
            raise OeaError(
                f"the package {_package(entry)}: its encoder '{key}' lacks '{lacking[0]}'; "
                "oea_cli.encoder.others.plain.PlainEncoder has it"
            )
        checked: Encoder = encoder
        return checked

    return load


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


def _broken(entry: EntryPoint, what: str, error: Exception) -> OeaError:
    reason = " ".join(str(error).split())[:MAX_REASON]
    name, kind = _package(entry), type(error).__name__
    return OeaError(f"the package {name}: its encoder '{entry.name}' {what} ({kind}: {reason})")


_ATTRIBUTES = sorted(
    name for name in {**vars(Encoder), **Encoder.__annotations__} if not name.startswith("_")
)
