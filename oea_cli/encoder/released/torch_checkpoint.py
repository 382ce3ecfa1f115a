"""A checkpoint written by `torch.save`, read without executing anything in it.

Such a file is an uncompressed zip: one record per tensor, and a pickle that says which is which. A
pickle is a program. This one is scanned first, and refused unless every name it asks for is on the
short list below; then torch's weights-only unpickler builds the structure on the meta device, where
a tensor has a shape and no numbers. `read` fetches the numbers of one tensor from its record, so
that the few used tensors of an 18 GB file cost what they weigh.
"""

import io
import pickletools
import zipfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

import torch
from torch import Tensor

from oea_cli.errors import OeaError

MAX_PICKLE_BYTES = 64 * 2**20  # a released one has well under a million
WEIGHTS = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch.storage UntypedStorage",
    "torch Size",
    "_codecs encode",  # how protocol 2 spells bytes
    "__builtin__ set",
    *(f"torch {name}Storage" for name in ("Float", "Double", "Half", "BFloat16", "Byte", "Bool")),
    *(f"torch {name}Storage" for name in ("Char", "Short", "Int", "Long")),
}
"""What a checkpoint of weights needs, as `module name`; torch's own unpickler loads them."""
PATHS = {
    f"{module} {flavour}Path": PurePosixPath if "Posix" in flavour else PureWindowsPath
    for module in ("pathlib", "pathlib._local")  # the latter is how Python 3.13 spells it
    for flavour in ("Posix", "PurePosix", "Windows", "PureWindows")
}
NUMPY_SCALARS = {"numpy dtype", "numpy.core.multiarray scalar", "numpy._core.multiarray scalar"}
TRAINERS_OWN = ("__main__", "AudioRetrieval")  # where OEA's training program defines its classes


class StandIn:
    """Takes the place of an object whose class is not to be imported; remembers its fields."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


class TorchCheckpoint:
    """The structure of a checkpoint, and its tensors one at a time.

    `content` is what was pickled, with every tensor on the meta device.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Scan and load the structure. Raises OeaError unless it is a torch checkpoint and safe."""
        self.name = name
        self._archive = _open_zip(file, name)
        self._records = sorted(self._archive.infolist(), key=lambda record: record.header_offset)
        self._starts = [record.header_offset for record in self._records]
        stand_ins = self._checked_stand_ins()
        file.seek(0)
        try:
            with torch.serialization.safe_globals(stand_ins):
                self.content: Any = torch.load(file, map_location="meta", weights_only=True)
        except Exception as error:  # what a damaged or hostile pickle may raise has no bounds
            raise OeaError(f"{name}: its pickle cannot be read ({_first_line(error)})") from error

    def read(self, tensor: Tensor) -> Tensor:
        """The numbers of a tensor of `content`, in its own dtype and shape, on the CPU."""
        storage = tensor.untyped_storage()
        offset = getattr(storage, "_checkpoint_offset", None)
        if offset is None:
            raise OeaError(f"{self.name}: a tensor in it has no record of its own")
        record = self._records[bisect_left(self._starts, offset) - 1]
        data = bytearray(_content(self._archive, record, self.name))
        try:
            if len(data) != storage.nbytes():
                raise ValueError(f"{len(data)} bytes where {storage.nbytes()} should be")
            flat = torch.frombuffer(data, dtype=tensor.dtype)
            return flat.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())
        except (ValueError, RuntimeError) as error:
            raise OeaError(f"{self.name}: {record.filename} is damaged ({error})") from error

    def _checked_stand_ins(self) -> list[Any]:
        """Pairs: what to put in the place of a name that torch does not know; refuses most."""
        pickled = [r for r in self._records if r.filename.lower().endswith("/data.pkl")]
        if len(pickled) != 1:
            raise OeaError(f"{self.name}: a zip file, but none that torch.save writes")
        if pickled[0].file_size > MAX_PICKLE_BYTES:
            raise OeaError(f"{self.name}: its pickle has {pickled[0].file_size:,} bytes; refused")
        stand_ins: list[Any] = []
        data = _content(self._archive, pickled[0], self.name)
        try:
            asked = sorted(names_in_pickle(data))
        except ValueError as error:
            message = f"{self.name}: its pickle cannot be read ({_first_line(error)})"
            raise OeaError(message) from error
        for name in asked:
            spelled = name.replace(" ", ".")
            if name in PATHS:
                stand_ins.append((PATHS[name], spelled))
            elif name in NUMPY_SCALARS or name.split(".")[0].split(" ")[0] in TRAINERS_OWN:
                stand_ins.append((StandIn, spelled))
            elif name not in WEIGHTS:
                raise OeaError(
                    f"{self.name}: its pickle asks for {spelled}, which no weights need; "
                    "refused, nothing in it was run"
                )
        return stand_ins


@contextmanager
def open_checkpoint(path: Path) -> Iterator[TorchCheckpoint]:
    """Open a checkpoint on disk; raises OeaError as `TorchCheckpoint` does."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise OeaError(f"{path}: {error.strerror}") from error
    with file:
        yield TorchCheckpoint(file, str(path))


def names_in_pickle(data: bytes) -> set[str]:
    """Every `module name` that a pickle of protocol 2 would import. Nothing is executed.

    Raises ValueError for what torch.save never writes: later protocols name things by their stack.
    """
    names = set()
    for opcode, argument, _ in pickletools.genops(io.BytesIO(data)):
        if opcode.name == "GLOBAL":
            names.add(str(argument))
        elif opcode.name in {"STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "NEWOBJ_EX"}:
            raise ValueError(f"it uses {opcode.name}, which torch.save does not write")
    return names


def _open_zip(file: IO[bytes], name: str) -> zipfile.ZipFile:
    """The zip directory, checked: uncompressed, no record twice, none that claims a false size."""
    looks_like_one = file.read(4) == b"PK\x03\x04"
    try:
        archive = zipfile.ZipFile(file)
        records = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        if looks_like_one:
            raise OeaError(f"{name}: is cut off or damaged; download it again") from error
        raise OeaError(f"{name}: is not a torch checkpoint (those are zip files)") from error
    if not looks_like_one:
        raise OeaError(f"{name}: is not a torch checkpoint (those begin as a zip file does)")
    seen: set[str] = set()
    for record in records:
        stored = record.compress_type == zipfile.ZIP_STORED
        if not stored or record.file_size != record.compress_size:
            raise OeaError(f"{name}: {record.filename} is compressed; torch.save never does that")
        if record.filename.lower() in seen:  # torch's reader does not tell the case apart
            raise OeaError(f"{name}: holds {record.filename} twice; torch.save never does that")
        seen.add(record.filename.lower())
        is_order = record.filename.endswith("/byteorder")
        if is_order and _content(archive, record, name) != b"little":
            raise OeaError(f"{name}: was written on a big-endian machine, which is not supported")
    return archive


def _content(archive: zipfile.ZipFile, record: zipfile.ZipInfo, name: str) -> bytes:
    """What a record holds, as its sum says; raises OeaError for a damaged one."""
    try:
        return archive.read(record)
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise OeaError(f"{name}: {record.filename} is damaged ({error})") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
