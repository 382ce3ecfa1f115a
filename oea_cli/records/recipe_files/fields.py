"""The types of a recipe's fields: sections of keys, numbers in a range, paths, choices.

A recipe is a `RecipeFile` of `Section`s. The docstring beneath a field is its description: in the
reference page, in the JSON Schema, in the editor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from oea_cli.errors import UsageError

CONTRADICTION, OUT_OF_RANGE = "contradiction", "out_of_range"
T = TypeVar("T")


class Section(BaseModel):
    """Some keys of a recipe. Nothing is converted silently, and unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    def changed(self, **values: Any) -> Self:
        """The same with other values, checked again; raises pydantic's ValidationError."""
        return type(self).model_validate({**dict(self), **values})


class RecipeFile(Section):
    """All keys of a recipe."""

    name: str
    """What the recipe is called."""

    def contradictions(self) -> Iterator[str]:
        """Lines such as `stages.a.patience: needs validate_every` about values that do not fit
        each other."""
        yield from ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if found := list(self.contradictions()):
            raise PydanticCustomError(CONTRADICTION, "{text}", {"text": "\n".join(found)})
        return self


# --- numbers ---


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()  # pydantic would take it for 1
    # YAML 1.1 reads 2e-3 (without a dot) as a text.
    if not isinstance(value, int | str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        text = "must be between 0 and 1; got {value}"
        raise PydanticCustomError(OUT_OF_RANGE, text, {"value": value})
    return value


def _span(ends: tuple[float, ...]) -> tuple[float, ...]:
    if len(ends) != 2 or ends[0] > ends[1]:
        text = "must be two numbers, from and to; got {ends}"
        raise PydanticCustomError(OUT_OF_RANGE, text, {"ends": str(list(ends))})
    return ends


Number = Annotated[float, BeforeValidator(_number)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_number)]
NotNegative = Annotated[float, Field(ge=0), BeforeValidator(_number)]
Count = Annotated[int, Field(gt=0)]
CountOrZero = Annotated[int, Field(ge=0)]
Share = Annotated[
    float,
    AfterValidator(_share),
    BeforeValidator(_number),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
"""Between 0 and 1."""
Items = Annotated[tuple[T, ...], Strict(False)]
"""A YAML list."""
Span = Annotated[
    tuple[Number, ...],
    Strict(False),
    AfterValidator(_span),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
"""Two numbers, from and to."""


# --- paths ---


@dataclass(frozen=True, slots=True)
class PathMark:
    """Marks a field as a path, relative to the file that names it.

    With `may_be_a_name`, it is a path only where a folder of that name exists.
    """

    may_be_a_name: bool = False


def _folder(value: Any) -> Any:
    return expanded(value) if isinstance(value, str) else value


def expanded(name: str) -> Path:
    """A path with `~` replaced; raises UsageError for what no path can be."""
    try:
        if "\x00" not in name:
            return Path(name).expanduser()
        reason = "it contains a NUL character"
    except RuntimeError as error:  # nobody's home
        reason = str(error)
    raise UsageError(f"{name[:80]!r}: not a path ({reason})")


def full_path(name: str, folder: Path) -> Path:
    """The absolute path of a name that is meant from a folder; raises UsageError as above."""
    try:
        found = (folder / expanded(name)).resolve()
        found.exists()  # raises where a name is too long
        return found
    except OSError as error:
        raise UsageError(f"{name[:80]!r}: not a path ({error.strerror})") from error


FilePath = Annotated[str, PathMark(), Field(json_schema_extra={"format": "path"})]
"""A file, a folder, a pattern or an address."""
FolderOrName = Annotated[str, PathMark(may_be_a_name=True)]
Folder = Annotated[Path, BeforeValidator(_folder), PathMark()]

Move = Callable[[str, PathMark], str]


def with_paths(kind: Any, value: Any, move: Move) -> Any:
    """A tree of plain values with every path of a `kind` of recipe changed by `move`."""
    if (mark := _mark_of(kind)) and isinstance(value, str):
        return move(value, mark)
    inner = _inner(kind)
    if isinstance(value, list) and get_origin(inner) is tuple:
        return [with_paths(get_args(inner)[0], item, move) for item in value]
    if isinstance(value, dict) and (keys := keys_of(inner)):
        return {k: with_paths(keys[k], v, move) if k in keys else v for k, v in value.items()}
    return value


def keys_of(kind: Any) -> dict[str, Any]:
    """The type of each key of a section, with its marks; none for anything else."""
    inner = _inner(kind)
    if not (isinstance(inner, type) and issubclass(inner, Section)):
        return {}
    return {
        name: Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        for name, field in inner.model_fields.items()
    }


def item_of(kind: Any) -> Any:
    """The type of a list's items; None for anything else."""
    inner = _inner(kind)
    return get_args(inner)[0] if get_origin(inner) is tuple else None


def _inner(kind: Any) -> Any:
    """The type without its marks, and without the None that it may be."""
    if get_origin(kind) is Annotated:
        return _inner(get_args(kind)[0])
    others = [one for one in get_args(kind) if one is not type(None)]
    return _inner(others[0]) if _is_optional(kind) else kind


def _mark_of(kind: Any) -> PathMark | None:
    if _is_optional(kind):
        return next(filter(None, map(_mark_of, get_args(kind))), None)
    if get_origin(kind) is not Annotated:
        return None
    first, *marks = get_args(kind)
    return next((one for one in marks if isinstance(one, PathMark)), None) or _mark_of(first)


def _is_optional(kind: Any) -> bool:
    return type(None) in get_args(kind) and get_origin(kind) in (Union, type(int | None))
