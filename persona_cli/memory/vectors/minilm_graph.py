"""all-MiniLM-L6-v2 as an ONNX graph, built node by node from its tensors; `onnx` is imported for this only.

Two graphs come of it, for one text at a time, the matrices in 8 bits: a quarter of the size of F32 and two to four
times as quick. Vectors: the mean of what the last layer makes of the pieces. States: what a layer makes of each piece,
which is what reading looks at. What both leave out: [CLS] and [SEP] (`minilm` adds them), the length of 1 (one division
in numpy) and the pooler, which this model does not use.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_HEADS = 12
_LAYERS = 6
_EPSILON = 1e-12

# The oldest that has Gelu; an older ONNX Runtime refuses a newer format than it knows.
_OPSET = 20
_FORMAT = 10

Tensors = Mapping[str, NDArray[np.float32]]


def vectors(tensors: Tensors, longest: int) -> onnx.ModelProto:
    """Return the graph (ids) to vectors: int64 (1, pieces) to float32 (1, width)."""
    return _Builder(tensors, longest).model("vectors")


def states(tensors: Tensors, longest: int, layers: int) -> onnx.ModelProto:
    """Return the graph (ids) to states of the last of `layers`: int64 (1, pieces) to float32 (1, pieces, width)."""
    return _Builder(tensors, longest).model("states", layers)


class _Builder:
    """Collects the nodes and the weights of one graph; every method returns the name of what it puts out."""

    def __init__(self, tensors: Tensors, longest: int) -> None:
        self._tensors = tensors
        self._longest = longest
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}

    def model(self, name: str, states_of: int = 0) -> onnx.ModelProto:
        """Build the graph from the word pieces to the mean of what the last layer makes of them.

        With `states_of` it ends behind so many layers, and puts out their states.
        """
        taken = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "pieces"])]
        hidden = self._embedded()
        for number in range(states_of or _LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{number}")
        width = self._tensors["embeddings.LayerNorm.bias"].size
        if states_of:
            self._nodes.append(helper.make_node("Identity", [hidden], ["states"]))
            given = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["texts", "pieces", width])
        else:
            self._pooled(hidden)
            given = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", width])
        graph = helper.make_graph(self._nodes, name, taken, [given], list(self._weights.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_FORMAT)

    def _embedded(self) -> str:
        # F16 halves what is read and kept, and moves no vector by more than a cosine of 0.000001
        words = self._tensors["embeddings.word_embeddings.weight"].astype(np.float16)
        word = self._node("Cast", self._node("Gather", self._weight("words", words), "ids"), to=TensorProto.FLOAT)
        # every piece is of type 0: its row goes into the places
        kind = self._tensors["embeddings.token_type_embeddings.weight"][0]
        places = self._tensors["embeddings.position_embeddings.weight"][: self._longest] + kind
        count = self._node("Shape", "ids", start=1, end=2)
        place = self._node("Slice", self._weight("places", places), self._ints("start", 0), count)
        return self._norm(self._node("Add", word, place), "embeddings.LayerNorm")

    def _layer(self, hidden: str, layer: str) -> str:
        looked = self._attention(hidden, f"{layer}.attention")
        hidden = self._norm(self._node("Add", looked, hidden), f"{layer}.attention.output.LayerNorm")
        wide = self._node("Gelu", self._linear(hidden, f"{layer}.intermediate.dense"))
        narrow = self._linear(wide, f"{layer}.output.dense")
        return self._norm(self._node("Add", narrow, hidden), f"{layer}.output.LayerNorm")

    def _attention(self, hidden: str, attention: str) -> str:
        heads = self._ints("as heads", 0, 0, _HEADS, -1)
        query, key, value = (
            self._node("Reshape", self._linear(hidden, f"{attention}.self.{part}"), heads)
            for part in ("query", "key", "value")
        )
        scores = self._node(
            "MatMul",
            self._node("Transpose", query, perm=[0, 2, 1, 3]),
            self._node("Transpose", key, perm=[0, 2, 3, 1]),
        )
        width = self._tensors[f"{attention}.self.query.bias"].size // _HEADS
        scores = self._node("Mul", scores, self._weight("scale", np.float32(width**-0.5)))
        seen = self._node(
            "MatMul", self._node("Softmax", scores, axis=-1), self._node("Transpose", value, perm=[0, 2, 1, 3])
        )
        joined = self._node("Reshape", self._node("Transpose", seen, perm=[0, 2, 1, 3]), self._ints("whole", 0, 0, -1))
        return self._linear(joined, f"{attention}.output.dense")

    def _pooled(self, hidden: str) -> None:
        pieces = self._ints("pieces", 1)
        self._nodes.append(helper.make_node("ReduceMean", [hidden, pieces], ["vectors"], keepdims=0))

    def _norm(self, hidden: str, name: str) -> str:
        weights = (self._weight(f"{name}.{part}", self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self._node("LayerNormalization", hidden, *weights, axis=-1, epsilon=_EPSILON)

    def _linear(self, hidden: str, name: str) -> str:
        matrix = self._tensors[f"{name}.weight"].T
        product = self._product(hidden, name, matrix)
        return self._node("Add", product, self._weight(f"{name}.bias", self._tensors[f"{name}.bias"]))

    def _product(self, hidden: str, name: str, matrix: NDArray[np.float32]) -> str:
        """Multiply by a matrix in 8 bits; what it is multiplied with is brought to 8 bits as it comes."""
        # 7 bits of the 8: a processor that has AVX2 and no VNNI adds two products in 16 bits, where 255 * 127 * 2
        # overflows without a word and 255 * 63 * 2 does not
        scale = np.abs(matrix).max(axis=0) / 63
        whole = np.rint(matrix / scale).astype(np.int8)
        small, by, zero = (f"{hidden}.{part}" for part in ("small", "scale", "zero"))
        if not any(small in node.output for node in self._nodes):
            self._nodes.append(helper.make_node("DynamicQuantizeLinear", [hidden], [small, by, zero]))
        product = self._node("MatMulInteger", small, self._weight(f"{name}.weight", whole), zero)
        scales = self._node("Mul", by, self._weight(f"{name}.scale", scale))
        return self._node("Mul", self._node("Cast", product, to=TensorProto.FLOAT), scales)

    def _node(self, kind: str, *inputs: str, **attributes: int | float | list[int]) -> str:
        name = f"{kind}.{len(self._nodes)}"
        node = helper.make_node(kind, list(inputs), [name], name=name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
        return name

    def _weight(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name)
        return name

    def _ints(self, name: str, *values: int) -> str:
        return self._weight(name, np.array(values, dtype=np.int64))
