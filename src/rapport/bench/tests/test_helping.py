"""Whom the shipped model of asking for help finds among posts that a reader labelled who never saw it."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from rapport.bench import intents

READ = Path(__file__).parents[4] / "scripts" / "help_read.csv"


@pytest.mark.shared
def test_nine_in_ten_whom_it_names_ask_and_two_in_five_who_ask_are_named(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_BENCH_DATA", str(shared))
    with READ.open(encoding="utf-8", newline="") as file:
        labels = {r["text"]: r["asks"] == "yes" for r in csv.DictReader(file) if r["reader"] == "judge"}
    texts = intents.airline()[0]
    with (shared / "twcs_spotify" / "support_requests.csv").open(encoding="utf-8", newline="") as file:
        texts += [row["text"] or "" for row in csv.DictReader(file)]
    for book in sorted((shared / "twcs_labeled").glob("*inbound.xlsx")):
        texts += [row.get("text") or "" for row in intents._sheet(book)]
    found = {key: text for text in texts if (key := _key(text)) in labels}
    assert len(found) == len(labels)
    asks = np.array([labels[key] for key in found])
    named = np.array(intents.said("intent", list(found.values()), "help_request")) == "yes"
    assert (named & asks).sum() / named.sum() >= 0.9
    assert (named & asks).sum() / asks.sum() > 0.4


def _key(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
