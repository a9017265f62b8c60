"""all-MiniLM-L6-v2 as an ONNX graph, built node by node from its tensors; `onnx` is imported for this only.

Three graphs come of it. Documents: F32, any number of texts, those that are shorter padded and masked. Questions: one
text, the matrices in 8 bits, a quarter of the size and two to four times as quick. States: the same in 8 bits, with
what a layer makes of each piece in place of the mean: what reading looks at. What all leave out: [CLS] and
[SEP] (`minilm` adds them), the length of 1 (one division in numpy) and the pooler, which this model does not use.
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
_HIDDEN = -1e9  # what a padded place scores before the softmax

# The oldest that has Gelu; an older ONNX Runtime refuses a newer format than it knows.
_OPSET = 20
_FORMAT = 10

Tensors = Mapping[str, NDArray[np.float32]]


def documents(tensors: Tensors, longest: int) -> onnx.ModelProto:
    """Return the graph (ids, mask) to vectors: int64 (n, pieces), float32 (n, pieces) to float32 (n, width)."""
    return _Builder(tensors, longest, exact=True).model("documents")


def questions(tensors: Tensors, longest: int) -> onnx.ModelProto:
    """Return the graph (ids) to vectors: int64 (1, pieces) to float32 (1, width), the matrices in 8 bits."""
    return _Builder(tensors, longest, exact=False).model("questions")


def states(tensors: Tensors, longest: int, layers: int) -> onnx.ModelProto:
    """Return the graph (ids) to states: int64 (1, pieces) to float32 (1, pieces, width), those of the last of `layers`.

    The matrices are in 8 bits.
    """
    return _Builder(tensors, longest, exact=False).model("states", layers)


class _Builder:
    """Collects the nodes and the weights of one graph; every method returns the name of what it puts out."""

    def __init__(self, tensors: Tensors, longest: int, *, exact: bool) -> None:
        self._tensors = tensors
        self._longest = longest
        self._exact = exact
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}

    def model(self, name: str, states_of: int = 0) -> onnx.ModelProto:
        """Build the graph from the word pieces to the mean of what the last layer makes of them.

        With `states_of` it ends behind so many layers, and puts out their states.
        """
        taken = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "pieces"])]
        if self._exact:
            taken.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["texts", "pieces"]))
        hidden = self._embedded()
        away = self._away() if self._exact else ""
        for number in range(states_of or _LAYERS):
            hidden = self._layer(hidden, f"encoder.layer.{number}", away)
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

    def _away(self) -> str:
        """Return what keeps padded places from being looked at: 0, or very little, for each."""
        padded = self._node("Sub", self._weight("one", np.float32(1)), "mask")
        hidden = self._node("Mul", padded, self._weight("hidden", np.float32(_HIDDEN)))
        return self._node("Unsqueeze", hidden, self._ints("heads and rows", 1, 2))

    def _layer(self, hidden: str, layer: str, away: str) -> str:
        looked = self._attention(hidden, f"{layer}.attention", away)
        hidden = self._norm(self._node("Add", looked, hidden), f"{layer}.attention.output.LayerNorm")
        wide = self._node("Gelu", self._linear(hidden, f"{layer}.intermediate.dense"))
        narrow = self._linear(wide, f"{layer}.output.dense")
        return self._norm(self._node("Add", narrow, hidden), f"{layer}.output.LayerNorm")

    def _attention(self, hidden: str, attention: str, away: str) -> str:
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
        if away:
            scores = self._node("Add", scores, away)
        seen = self._node(
            "MatMul", self._node("Softmax", scores, axis=-1), self._node("Transpose", value, perm=[0, 2, 1, 3])
        )
        joined = self._node("Reshape", self._node("Transpose", seen, perm=[0, 2, 1, 3]), self._ints("whole", 0, 0, -1))
        return self._linear(joined, f"{attention}.output.dense")

    def _pooled(self, hidden: str) -> None:
        pieces = self._ints("pieces", 1)
        if not self._exact:
            self._nodes.append(helper.make_node("ReduceMean", [hidden, pieces], ["vectors"], keepdims=0))
            return
        mask = self._node("Unsqueeze", "mask", self._ints("width", 2))
        total = self._node("ReduceSum", self._node("Mul", hidden, mask), pieces, keepdims=0)
        count = self._node("ReduceSum", mask, pieces, keepdims=0)
        self._nodes.append(helper.make_node("Div", [total, count], ["vectors"]))

    def _norm(self, hidden: str, name: str) -> str:
        weights = (self._weight(f"{name}.{part}", self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self._node("LayerNormalization", hidden, *weights, axis=-1, epsilon=_EPSILON)

    def _linear(self, hidden: str, name: str) -> str:
        matrix = self._tensors[f"{name}.weight"].T
        product = self._product(hidden, name, matrix) if self._exact else self._small_product(hidden, name, matrix)
        return self._node("Add", product, self._weight(f"{name}.bias", self._tensors[f"{name}.bias"]))

    def _product(self, hidden: str, name: str, matrix: NDArray[np.float32]) -> str:
        return self._node("MatMul", hidden, self._weight(f"{name}.weight", matrix))

    def _small_product(self, hidden: str, name: str, matrix: NDArray[np.float32]) -> str:
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
