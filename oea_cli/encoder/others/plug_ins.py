"""Loading the encoders of other packages: the entry points of the group `oea.encoders`.

[project.entry-points."oea.encoders"]
mga-clap = "my_package:load"

makes `mga-clap:PLACE`, and the bare name `mga-clap`, load what `load(name, placement)` returns
(see `Loader`). A package is imported when its name is asked for, never before.
"""

from importlib.metadata import EntryPoint

from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.names.plug_ins import package_of, plug_in_entry
from oea_cli.encoder.protocol import Encoder, Loader
from oea_cli.errors import OeaError

MAX_REASON = 300  # characters of a package's message


def find_plug_in(key: str) -> Loader | None:
    """The loader that an installed package has for this scheme or short name.

    Raises OeaError, which names the package, where two have one, or where it cannot be imported.
    """
    entry = plug_in_entry(key)
    if entry is None:
        return None
    try:
        loader = entry.load()
    except Exception as error:  # whatever an import of somebody else's code raises
        raise _broken(entry, "cannot be imported", error) from error
    if not callable(loader):
        raise OeaError(f"the package {package_of(entry)}: its encoder '{key}' is not a function")

    def load(name: EncoderName, placement: Placement) -> Encoder:
        try:
            encoder = loader(name, placement)
        except OeaError:
            raise
        except Exception as error:
            raise _broken(entry, "cannot be loaded", error) from error
        if lacking := [attribute for attribute in _ATTRIBUTES if not hasattr(encoder, attribute)]:
            raise OeaError(
                f"the package {package_of(entry)}: its encoder '{key}' lacks '{lacking[0]}'; "
                "oea_cli.encoder.others.plain.PlainEncoder has it"
            )
        checked: Encoder = encoder
        return checked

    return load


def _broken(entry: EntryPoint, what: str, error: Exception) -> OeaError:
    reason = " ".join(str(error).split())[:MAX_REASON]
    name, kind = package_of(entry), type(error).__name__
    return OeaError(f"the package {name}: its encoder '{entry.name}' {what} ({kind}: {reason})")


_ATTRIBUTES = sorted(
    name for name in {**vars(Encoder), **Encoder.__annotations__} if not name.startswith("_")
)
