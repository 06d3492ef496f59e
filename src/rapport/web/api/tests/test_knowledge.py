"""What the firm knows, by the API: with the scope for it, and as the inbox would propose it."""

from __future__ import annotations

from django.test import Client

from rapport.knowledge import services as knowledge
from rapport.staff import services as staff
from rapport.staff.models import Staff
from rapport.staff.rules import Scope


def test_answers_are_proposed_to_whoever_may_read_them(alice: Staff) -> None:
    wordings = [("en", "My wipers judder"), ("en", "The blades jump over the glass")]
    knowledge.write_entry(
        "wipers",
        knowledge.Written("Wipers judder", {"en": "Clean the glass."}, wordings, state="published"),
        by="a",
    )
    _row, text = staff.create_token(alice, name="site", scopes=[Scope.KNOWLEDGE_READ])
    client = Client(headers={"authorization": f"Bearer {text}"})
    said = client.get("/api/knowledge/answers", {"question": "why do my wipers judder?"}).json()
    assert [p["key"] for p in said["proposals"]] == ["wipers"]
    assert said["proposals"][0]["text"] == "Clean the glass."
    assert (said["abstains"], said["asks"]) == (False, None)
    assert client.get("/api/knowledge/answers", {"question": "brass band sponsors"}).json()["abstains"]
    assert client.get("/api/knowledge/answers").status_code == 400
    _row, other = staff.create_token(alice, name="other", scopes=[Scope.PEOPLE_READ])
    refused = Client(headers={"authorization": f"Bearer {other}"})
    assert refused.get("/api/knowledge/answers", {"question": "x"}).status_code == 403
