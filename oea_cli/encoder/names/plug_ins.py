"""The encoders that other packages add: entry points, of which none is imported here."""

from importlib.metadata import EntryPoint, entry_points

from oea_cli.errors import OeaError

GROUP = "oea.encoders"


def plug_in_names() -> list[str]:
    """The names that installed packages add."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def plug_in_entry(name: str) -> EntryPoint | None:
    """The entry point of this scheme or short name; raises OeaError where two packages have one."""
    entries = sorted(set(entry_points(group=GROUP, name=name)), key=package_of)
    if len(entries) > 1:
        packages = " and ".join(map(package_of, entries))
        raise OeaError(f"the packages {packages} both have an encoder '{name}'; uninstall one")
    return entries[0] if entries else None


def package_of(entry: EntryPoint) -> str:
    """The package that an entry point comes from."""
    return entry.dist.name if entry.dist else entry.value
