"""Erase a person on screen while everything runs; afterwards no byte of them is in any file of the data folder."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from rapport.bench.erasure import left_in
from rapport.web.tests.test_browser import CHROMIUM, Path, Site, chromium, page, site

__all__ = ["chromium", "page", "site"]  # fixtures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]

WAIT_MS = 90_000  # an erasure waits for readers, and writes every file anew


def rapport(site: Site, *arguments: str) -> Any:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    done = subprocess.run(
        [sys.executable, "-m", "rapport", *arguments, "--json"],
        env={**kept, "RAPPORT_HOME": str(site.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    with contextlib.suppress(ValueError):
        return json.loads(done.stdout)
    raise AssertionError(done.stdout + done.stderr)


def figures(site: Site, without: int) -> list[Any]:
    """What everybody but one person did, as counted."""
    question = (
        "SELECT name, sum(n), sum(value_minor) FROM subject_day WHERE subject NOT IN"
        f" (SELECT subject FROM identity WHERE person = {without}) AND name NOT IN ('person_erased',"
        " 'subject_requested') GROUP BY name ORDER BY name"
    )
    found: list[Any] = rapport(site, "sql", question)["rows"]
    return found


def somebody(site: Site) -> tuple[int, list[str], list[str]]:
    """A person of the demo with a mail address: their number, what betrays them, and what they wrote."""
    question = (
        "SELECT i.person, count(*) AS n FROM identity AS i JOIN event AS e ON e.subject = i.subject"
        ' WHERE e."text" IS NOT NULL AND i.person IN (SELECT j.person FROM identity AS j JOIN identifier AS f'
        " ON f.subject = j.subject WHERE f.namespace = 'email') GROUP BY i.person ORDER BY n DESC LIMIT 1"
    )
    ((person, _n),) = rapport(site, "sql", question)["rows"]
    document = rapport(site, "people", "export", str(person))
    values = [i.partition(":")[2] for i in document["identifiers"]]
    written = [r["text"] for s in document["sections"] for r in s["rows"] if "text" in r]
    return person, [v for v in values if "@" in v], [t for t in written if len(t) > 40][:5]


def test_alice_erases_somebody_while_everything_runs(site: Site, page: Any) -> None:
    person, addresses, written = somebody(site)
    assert left_in(site.home, addresses)
    before = figures(site, person)
    page.goto(f"/privacy/requests/new/?ref={person}&kind=erasure")
    page.fill("#note", "Please forget me.")
    page.click("button:has-text('Write it down')")
    page.wait_for_selector("text=Certainly theirs")
    page.click("button:has-text('Erase them')")
    page.click("#confirm-yes")
    page.wait_for_selector("h2:has-text('Certificate')", timeout=WAIT_MS)
    assert addresses[0] not in page.content()
    assert figures(site, person) == before
    assert left_in(site.home, addresses) == []
    # Two people may write the same words, case apart; what only they wrote is nowhere.
    words = [t.replace("'", "''").lower() for t in written]
    counted = ", ".join(f"""count(*) FILTER (WHERE contains(lower("text"), '{w}'))""" for w in words)
    (others,) = rapport(site, "sql", f"SELECT {counted} FROM event")["rows"]
    assert left_in(site.home, [t for t, n in zip(written, others, strict=True) if n == 0]) == []
    assert "error" in rapport(site, "people", "show", str(person))
