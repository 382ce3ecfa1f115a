"""The Qwen2.5-Omni Thinker with heads as two ONNX graphs, one for texts and one for sounds.

They compute what `omni.OmniModel` does. Which frames make a chunk, which positions a token and
where tokens stand in a prompt are inputs (`onnx/packing.py` makes them), so no shape in a graph
depends on data, and nothing is computed for padding but a prompt's right end.
"""

from typing import Any

import numpy as np

from oea_cli.encoder.tools.graph import Graph, Stored
from oea_cli.errors import OeaError

Tensors = dict[str, Stored]
LAYER_NORM_EPSILON = 1e-5
MASKED = -1e9


def text_graph(config: dict[str, Any], tensors: Tensors, dim: int) -> bytes:
    """input_ids (B, T) int64 and weights (B, T) float32 -> vectors (B, dim)."""
    graph = Graph("text", tensors)
    ids = graph.input("input_ids", "INT64", "batch", "time")
    model = _LanguageModel(graph, config["text_config"], ids)
    return graph.model(_vectors(graph, model, model.embedded(ids), "text_head"), "batch", dim)


def audio_graph(config: dict[str, Any], tensors: Tensors, dim: int) -> bytes:
    """What `onnx.packing.pack` makes of mel and prompts -> vectors (B, dim)."""
    graph = Graph("audio", tensors)
    sounds = _AudioTower(graph, config["audio_config"]).tokens()
    ids = graph.input("input_ids", "INT64", "batch", "time")
    index = graph.input("token_index", "INT64", "batch", "time")
    model = _LanguageModel(graph, config["text_config"], ids)
    is_sound = graph.op("Equal", ids, graph.constant(config["audio_token_index"]))
    is_sound = graph.op("Unsqueeze", is_sound, graph.constant([-1]))
    sound = graph.op("Gather", sounds, index)
    embedded = graph.op("Where", is_sound, sound, model.embedded(ids))
    return graph.model(_vectors(graph, model, embedded, "audio_head"), "batch", dim)


def check_supported(config: dict[str, Any], where: str) -> None:
    """Raise OeaError for a configuration that the graphs would not follow."""
    text, audio = config["text_config"], config["audio_config"]
    rope = text.get("rope_parameters") or {}
    expected = {
        "text_config.rope_parameters.rope_type": (rope.get("rope_type"), "default"),
        "text_config.hidden_act": (text.get("hidden_act"), "silu"),
        "text_config.use_sliding_window": (bool(text.get("use_sliding_window")), False),
        "audio_config.activation_function": (audio.get("activation_function"), "gelu"),
    }
    for name, (value, wanted) in expected.items():
        if value != wanted:
            raise OeaError(f"{where}: {name} must be {wanted!r} for an ONNX form; got {value!r}")


def _linear(graph: Graph, x: str, name: str, bias: bool = True) -> str:
    """(N, in) -> (N, out)."""
    more = [graph.weight(f"{name}.bias")] if bias else []
    return graph.op("Gemm", x, graph.weight(f"{name}.weight"), *more, transB=1)


def _layer_norm(graph: Graph, x: str, name: str) -> str:
    scale, shift = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
    return graph.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=LAYER_NORM_EPSILON)


def _unit(graph: Graph, x: str) -> str:
    """Rows of length 1."""
    length = graph.op("ReduceL2", x, graph.constant([-1]), keepdims=1)
    return graph.op("Div", x, graph.op("Max", length, graph.number(1e-12)))


def _attended(graph: Graph, query: str, key: str, value: str, bias: str, width: int) -> str:
    """Attention over the last two axes: query and value (.., T, width), key (.., width, T)."""
    scaled = graph.op("Mul", query, graph.number(width**-0.5))
    scores = graph.op("Add", graph.op("MatMul", scaled, key), bias)
    return graph.op("MatMul", graph.op("Softmax", scores, axis=-1), value)


def _vectors(graph: Graph, model: "_LanguageModel", embedded: str, head: str) -> str:
    """(B, T, hidden) embeddings -> (B, dim), pooled by the input `weights` (B, T)."""
    weights = graph.input("weights", "FLOAT", "batch", "time")
    rows = graph.op("Unsqueeze", weights, graph.constant([1]))
    pooled = graph.op("MatMul", rows, model.hidden(embedded))
    pooled = _unit(graph, graph.op("Squeeze", pooled, graph.constant([1])))
    projected = _linear(graph, pooled, f"{head}.linear", bias=False)
    return _unit(graph, _layer_norm(graph, projected, f"{head}.norm"))


class _LanguageModel:
    """The causal language model over prompts padded on the right."""

    def __init__(self, graph: Graph, config: dict[str, Any], ids: str) -> None:
        self._graph, self._epsilon = graph, config["rms_norm_eps"]
        self._layers = config["num_hidden_layers"]
        self._size, heads = config["hidden_size"], config["num_attention_heads"]
        self._groups = config["num_key_value_heads"]
        self._each = heads // self._groups
        self._width = config.get("head_dim") or self._size // heads
        shape = graph.op("Shape", ids)
        sizes = graph.constant([self._groups, -1, self._width])
        self._heads = graph.op("Concat", shape, sizes, axis=0)
        self._hidden = graph.op("Concat", shape, graph.constant([self._size]), axis=0)
        self._rotation(graph.op("Squeeze", graph.op("Shape", ids, start=1)), config)

    def embedded(self, ids: str) -> str:
        """(B, T) ids -> (B, T, hidden)."""
        table = self._graph.stored("language_model.embed_tokens.weight")
        return self._graph.cast(self._graph.op("Gather", table, ids))

    def hidden(self, embedded: str) -> str:
        """The last hidden layer (B, T, hidden)."""
        graph = self._graph
        x = graph.op("Reshape", embedded, graph.constant([-1, self._size]))
        for number in range(self._layers):
            layer = f"language_model.layers.{number}"
            x = graph.op(
                "Add", x, self._attention(self._norm(x, f"{layer}.input_layernorm"), layer)
            )
            x = graph.op(
                "Add", x, self._mlp(self._norm(x, f"{layer}.post_attention_layernorm"), layer)
            )
        return graph.op("Reshape", self._norm(x, "language_model.norm"), self._hidden)

    def _rotation(self, time: str, config: dict[str, Any]) -> None:
        """cos, sin (T, 1, 1, width) and the causal bias (T, T).

        The three sections of the rotary embedding have equal positions here, and so are one.
        """
        graph, base = self._graph, config["rope_parameters"]["rope_theta"]
        steps = graph.op("Range", graph.constant(0), time, graph.constant(1))
        inverse = 1.0 / base ** (np.arange(0, self._width, 2) / self._width)
        positions = graph.op("Unsqueeze", graph.cast(steps), graph.constant([1, 2, 3]))
        angles = graph.op("Mul", positions, graph.constant(np.tile(inverse, 2), np.float32))
        self._cos, self._sin = graph.op("Cos", angles), graph.op("Sin", angles)
        rows = graph.op("Unsqueeze", steps, graph.constant([1]))
        later = graph.op("Greater", steps, rows)
        self._causal = graph.op("Where", later, graph.number(MASKED), graph.number(0.0))

    def _norm(self, x: str, name: str) -> str:
        graph = self._graph
        square = graph.op("Pow", x, graph.number(2.0))
        mean = graph.op("ReduceMean", square, graph.constant([-1]), keepdims=1)
        root = graph.op("Sqrt", graph.op("Add", mean, graph.number(self._epsilon)))
        return graph.op("Mul", graph.op("Div", x, root), graph.weight(f"{name}.weight"))

    def _attention(self, x: str, layer: str) -> str:
        """(B T, hidden) -> (B T, hidden); heads share keys and values in groups."""
        graph, name = self._graph, f"{layer}.self_attn"
        query, key, value = (
            graph.op("Reshape", _linear(graph, x, f"{name}.{part}_proj"), self._heads)
            for part in "qkv"
        )  # (B, T, groups, heads of each, width)
        query = graph.op("Transpose", self._rotated(query), perm=[0, 2, 3, 1, 4])
        key = graph.op("Transpose", self._rotated(key), perm=[0, 2, 3, 4, 1])
        value = graph.op("Transpose", value, perm=[0, 2, 3, 1, 4])
        found = _attended(graph, query, key, value, self._causal, self._width)
        found = graph.op("Transpose", found, perm=[0, 3, 1, 2, 4])
        total = self._groups * self._each * self._width
        found = graph.op("Reshape", found, graph.constant([-1, total]))
        return _linear(graph, found, f"{name}.o_proj", bias=False)

    def _rotated(self, x: str) -> str:
        graph = self._graph
        first, second = graph.ops("Split", 2, x, axis=-1, num_outputs=2)
        turned = graph.op("Concat", graph.op("Neg", second), first, axis=-1)
        return graph.op("Add", graph.op("Mul", x, self._cos), graph.op("Mul", turned, self._sin))

    def _mlp(self, x: str, layer: str) -> str:
        graph = self._graph
        gate = _linear(graph, x, f"{layer}.mlp.gate_proj", bias=False)
        gate = graph.op("Mul", gate, graph.op("Sigmoid", gate))
        up = _linear(graph, x, f"{layer}.mlp.up_proj", bias=False)
        return _linear(graph, graph.op("Mul", gate, up), f"{layer}.mlp.down_proj", bias=False)


class _AudioTower:
    """The audio tower over the packed chunks of a batch."""

    def __init__(self, graph: Graph, config: dict[str, Any]) -> None:
        self._graph, self._config = graph, config
        self._spread = graph.input("spread", "INT64", "chunks", "longest")
        bias = graph.input("chunk_bias", "FLOAT", "chunks", "longest")
        self._bias = graph.op("Unsqueeze", bias, graph.constant([1, 2]))
        self._back = graph.input("back", "INT64", "positions")

    def tokens(self) -> str:
        """(tokens, hidden): two positions make one."""
        graph, x = self._graph, self._convolved()
        for number in range(self._config["encoder_layers"]):
            layer = f"audio_tower.layers.{number}"
            normed = _layer_norm(graph, x, f"{layer}.self_attn_layer_norm")
            x = graph.op("Add", x, self._attention(normed, f"{layer}.self_attn"))
            normed = _layer_norm(graph, x, f"{layer}.final_layer_norm")
            wide = graph.op("Gelu", _linear(graph, normed, f"{layer}.fc1"))
            x = graph.op("Add", x, _linear(graph, wide, f"{layer}.fc2"))
        first = graph.input("first_of_pair", "INT64", "tokens")
        second = graph.op("Gather", x, graph.op("Add", first, graph.constant(1)))
        both = graph.op("Add", graph.op("Gather", x, first), second)
        pooled = _layer_norm(graph, graph.op("Mul", both, graph.number(0.5)), "audio_tower.ln_post")
        return _linear(graph, pooled, "audio_tower.proj")

    def _convolved(self) -> str:
        """Mel frames, chunk after chunk with zeros between them -> (positions, width)."""
        graph, config = self._graph, self._config
        mel = graph.input("mel", "FLOAT", "frames", config["num_mel_bins"])
        mask = graph.input("frame_mask", "FLOAT", "frames")
        row = graph.op("Unsqueeze", graph.op("Transpose", mel, perm=[1, 0]), graph.constant([0]))
        x = self._convolution(row, "audio_tower.conv1", 1)
        x = graph.op("Mul", x, mask)  # the zeros are none any more
        x = self._convolution(x, "audio_tower.conv2", 2)
        x = graph.op("Transpose", graph.op("Squeeze", x, graph.constant([0])), perm=[1, 0])
        x = graph.op("Gather", x, graph.input("positions", "INT64", "positions"))
        place = graph.input("place_in_chunk", "INT64", "positions")
        return graph.op("Add", x, _sinusoids(graph, place, config["d_model"]))

    def _convolution(self, x: str, name: str, stride: int) -> str:
        weights = [self._graph.weight(f"{name}.{part}") for part in ("weight", "bias")]
        options = {"pads": [1, 1], "strides": [stride], "kernel_shape": [3]}
        return self._graph.op("Gelu", self._graph.op("Conv", x, *weights, **options))

    def _attention(self, x: str, name: str) -> str:
        """(positions, width), spread to (chunks, longest) and back."""
        graph, heads = self._graph, self._config["encoder_attention_heads"]
        width = self._config["d_model"] // heads
        parts = []
        for part, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
            projected = _linear(graph, x, f"{name}.{part}_proj", bias=part != "k")
            chunks = graph.op("Gather", projected, self._spread)
            chunks = graph.op("Reshape", chunks, graph.constant([0, 0, heads, width]))
            parts.append(graph.op("Transpose", chunks, perm=perm))
        query, key, value = parts
        found = _attended(graph, query, key, value, self._bias, width)
        found = graph.op("Transpose", found, perm=[0, 2, 1, 3])
        found = graph.op("Reshape", found, graph.constant([-1, heads * width]))
        return _linear(graph, graph.op("Gather", found, self._back), f"{name}.out_proj")


def _sinusoids(graph: Graph, place: str, width: int) -> str:
    """(positions,) -> (positions, width): sines, then cosines."""
    half = width // 2
    scales = np.exp(-np.log(10_000) / (half - 1) * np.arange(half))
    column = graph.op("Unsqueeze", graph.cast(place), graph.constant([1]))
    angles = graph.op("Mul", column, graph.constant(scales, np.float32))
    return graph.op("Concat", graph.op("Sin", angles), graph.op("Cos", angles), axis=-1)
