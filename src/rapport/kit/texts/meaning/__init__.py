"""What a text means, as a vector: texts that mean alike lie close, whatever their words. English above all.

The network is the sentence transformer all-MiniLM-L6-v2, its weights one byte each; README.md here tells its source,
its terms and what was lost. A text's vector does not depend on the texts beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport.kit.texts.meaning.pieces import Pieces, cut

WEIGHTS = Path(__file__).with_name("weights.onnx")
SIZE = 384
BATCH_TEXTS = 2_048  # cut into pieces at a time
BATCH_PIECES = 1_024  # read by the network at a time: more fall out of the processor's cache

Vectors = NDArray[np.float32]


def vectors(texts: Sequence[str], *, threads: int = 1) -> Vectors:
    """float32 (texts, SIZE): the direction of each text's meaning, of length one; its first 256 pieces are read.

    threads : how many of the processor's cores may work at it
    """
    found = np.empty((len(texts), SIZE), np.float32)
    for at in range(0, len(texts), BATCH_TEXTS):
        batch = cut(texts[at : at + BATCH_TEXTS])
        for chosen in _alike(batch):
            ids, there = batch.padded(chosen)
            (found[at + chosen],) = _session(threads).run(None, {"pieces": ids, "mask": there})
    return found


def _alike(batch: Pieces) -> Iterator[NDArray[np.int64]]:
    """Texts of much the same length together, at most BATCH_PIECES with what is filled up."""
    order = np.argsort(batch.lengths, kind="stable")
    lengths = batch.lengths[order]
    at = 0
    while at < len(order):
        # The last of a batch is its longest, and sets what each takes.
        taken = np.arange(1, len(order) - at + 1) * lengths[at:]
        n = max(1, int(np.searchsorted(taken, BATCH_PIECES, side="right")))
        yield order[at : at + n]
        at += n


@lru_cache(maxsize=2)
def _session(threads: int) -> Any:
    # Only who asks for meaning waits for the network to load.
    import onnxruntime

    asked = onnxruntime.SessionOptions()
    asked.intra_op_num_threads = threads
    asked.inter_op_num_threads = 1
    asked.log_severity_level = 3  # what it would rather run on is nobody's concern
    asked.enable_cpu_mem_arena = False  # it would keep the largest batch ever seen
    return onnxruntime.InferenceSession(str(WEIGHTS), asked, providers=["CPUExecutionProvider"])
