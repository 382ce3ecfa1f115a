"""A graph of ONNX, node by node, whose weights stay in the safetensors files they are in."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.errors import OeaError

OPSET, IR_VERSION = 20, 9
DTYPES = {"F32": "FLOAT", "F16": "FLOAT16", "BF16": "BFLOAT16"}


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies: a file, and bytes of it."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def stored_tensors(path: Path) -> dict[str, Stored]:
    """The tensors of a safetensors file by their names; only its header is read."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        found[name] = Stored(
            path.name, entry["dtype"], tuple(entry["shape"]), 8 + size + start, end - start
        )
    return found


class Graph:
    """Nodes in the order they are added; values are named by strings."""

    def __init__(self, name: str, tensors: dict[str, Stored]) -> None:
        import onnx

        self._onnx, self._name, self._tensors = onnx, name, tensors
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._initializers: dict[str, Any] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._casts: dict[str, str] = {}

    def input(self, name: str, dtype: str, *dims: str | int) -> str:
        """An input of the graph; a dimension that is a word may be of any size."""
        kind = getattr(self._onnx.TensorProto, dtype)
        self._inputs.append(self._onnx.helper.make_tensor_value_info(name, kind, dims))
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output, which is returned."""
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """A node with several outputs."""
        names = [f"{len(self._nodes)}.{number}" for number in range(outputs)]
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, names, **attributes))
        return names

    def constant(self, value: Any, dtype: type = np.int64) -> str:
        """A constant, kept once."""
        array: np.ndarray = np.asarray(value, dtype)
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            name = self._constants[key] = f"constant.{len(self._constants)}"
            self._initializers[name] = self._onnx.numpy_helper.from_array(array, name)
        return self._constants[key]

    def number(self, value: float) -> str:
        """A float32 constant."""
        return self.constant(value, np.float32)

    def weight(self, name: str) -> str:
        """A stored tensor, as float32."""
        stored = self.stored(name)
        if self._tensors[name].dtype == "F32":
            return stored
        if name not in self._casts:
            self._casts[name] = self.cast(stored)
        return self._casts[name]

    def stored(self, name: str) -> str:
        """A stored tensor in its own number format."""
        if name not in self._tensors:
            raise OeaError(f"no tensor {name} among the weights; it does not fit config.json")
        if name not in self._initializers:
            self._initializers[name] = self._external(name, self._tensors[name])
        return name

    def cast(self, value: str) -> str:
        """A value as float32."""
        return self.op("Cast", value, to=self._onnx.TensorProto.FLOAT)

    def model(self, output: str, *dims: str | int) -> bytes:
        """The finished model, whose one float32 output is called `vectors`."""
        helper, proto = self._onnx.helper, self._onnx.TensorProto
        self._nodes.append(helper.make_node("Identity", [output], ["vectors"]))
        result = helper.make_tensor_value_info("vectors", proto.FLOAT, dims)
        constants = list(self._initializers.values())
        graph = helper.make_graph(self._nodes, self._name, self._inputs, [result], constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="oea")
        model.ir_version = IR_VERSION
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _external(self, name: str, stored: Stored) -> Any:
        if stored.dtype not in DTYPES:
            raise OeaError(f"{stored.file}: {name} is of the number format {stored.dtype}")
        proto = self._onnx.TensorProto
        tensor = proto(name=name, data_type=getattr(proto, DTYPES[stored.dtype]))
        tensor.dims.extend(stored.shape)
        tensor.data_location = proto.EXTERNAL
        place = {"location": stored.file, "offset": stored.offset, "length": stored.length}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor
