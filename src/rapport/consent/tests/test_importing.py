"""Answers from a file stand in the ledger with their evidence, once."""

from __future__ import annotations

from pathlib import Path

from rapport.consent import selectors
from rapport.events import subscriptions
from rapport.listening import services


def test_an_imported_answer_is_in_the_ledger_once(home: Path, db: None, tmp_path: Path) -> None:
    path = tmp_path / "consents.csv"
    path.write_text(
        "identifier,purpose,channel,state,at,evidence\n"
        "email:ana@example.org,marketing,email,granted,2025-04-05,form 3\n"
        "email:bo@example.org,marketing,email,granted,2025-04-05,form 3\n"
        "email:bo@example.org,marketing,,withdrawn,2025-05-06,letter\n",
    )
    for _ in range(2):
        services.import_file("consents", path)
        subscriptions.drain(["people", "consent"])
    assert selectors.allows("email:ana@example.org", "marketing", "email").allowed
    assert selectors.allows("email:bo@example.org", "marketing", "email").reason == "withdrawn"
    rows = selectors.ledger("email:bo@example.org")
    assert [(r.state, r.channel, r.how, r.shown) for r in rows] == [
        ("withdrawn", "", "import", "letter"),
        ("granted", "email", "import", "form 3"),
    ]
