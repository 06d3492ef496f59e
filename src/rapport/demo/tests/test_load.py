"""Recorded, the market is in the lake as it was made, and a second time changes nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from rapport.demo import market
from rapport.demo.tests.conftest import END


@pytest.mark.usefixtures("home", "db")
def test_the_market_lands_in_the_lake(tmp_path: Path) -> None:
    from rapport.events import lake, services

    steps: list[tuple[int, int]] = []
    folder = tmp_path / "truth"
    done = market.load(150, 4, folder, lambda n, of: steps.append((n, of)), end=END, events_scale=0.3)
    services.settle(done.last_seq)
    made = sum(table.num_rows for table in market.generate(150, 4, END, events_scale=0.3))
    assert done.n_touchpoints == made == done.last_seq - done.first_seq + 1
    con = lake.connect()
    assert con.execute("SELECT count(*) FROM event").fetchone() == (made,)
    assert con.execute("SELECT sum(n_quarantined) FROM receipt").fetchone() == (0,)
    assert steps == [(150, 150)]
    texts = duckdb.sql(f"SELECT count(*) FROM '{folder}/text.parquet'").fetchone()
    assert texts == (done.n_texts,)
    again = market.load(150, 4, end=END, events_scale=0.3)
    services.settle(again.last_seq)
    assert con.execute("SELECT count(*) FROM event").fetchone() == (made,)
