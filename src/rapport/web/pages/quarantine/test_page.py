from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from rapport.events import quarantine, services, upkeep
from rapport.events import selectors as events
from rapport.listening import services as listening
from rapport.staff.models import Staff
from rapport.web.conftest import Say, logged_in, touchpoint


@pytest.fixture
def refused(say: Say) -> events.QuarantineRow:
    """An order without its number, refused by the plan."""
    say(touchpoint("order_placed", "customer:1", value_minor=100, currency="EUR", properties={"n_items": 1}))
    (row,) = events.quarantine_page()
    return row


def settle() -> None:
    upkeep.drain()


def test_refusals_by_reason_newest_first(alice: Staff, refused: events.QuarantineRow) -> None:
    quarantine.keep(
        [quarantine.Refused(source="s", kind="touchpoint", body="{}", reason="bad_time", message="no time")]
    )
    client = logged_in(alice)
    html = client.get("/sources/quarantine/").content.decode()
    assert "Something required is missing" in html
    assert "Time not understood" in html
    only = client.get("/sources/quarantine/", {"reason": "bad_time"})
    assert [row.reason for row, _label in only.context["rows"]] == ["bad_time"]
    assert client.get("/sources/quarantine/", {"state": "eaten"}).status_code == 400


def test_corrected_in_its_fields_it_becomes_an_event(alice: Staff, refused: events.QuarantineRow) -> None:
    client = logged_in(alice)
    path = f"/sources/quarantine/{refused.key}/"
    cells = {cell.name: cell.text for cell in client.get(path).context["cells"]}
    properties = json.dumps({"order_id": "77", "n_items": 1})
    form = {f"cell-{name}": text for name, text in cells.items()} | {"cell-properties": properties}
    done = client.post(path, {**form, "do": "replay_cells"}, follow=True)
    assert "Sent again." in done.content.decode()
    settle()
    (event,) = events.events_page(events.Filter(name="order_placed"))
    assert json.loads(event.properties or "")["order_id"] == "77"
    (row,) = events.quarantine_page(state="replayed")
    assert row.resolved_by == "alice@example.com"
    assert "Replay</button>" not in client.get(path).content.decode()
    again = client.post(path, {**form, "do": "replay_cells"})
    assert again.status_code == 409


def test_corrected_as_text_too(alice: Staff, refused: events.QuarantineRow) -> None:
    client = logged_in(alice)
    path = f"/sources/quarantine/{refused.key}/"
    body = json.loads(client.get(path).context["body"])
    wrong = client.post(path, {"body": "{not json", "do": "replay_text"})
    assert wrong.status_code == 400
    assert "not JSON" in wrong.content.decode()
    assert "{not json" in wrong.content.decode()  # what was typed is not lost
    body["properties"] = json.dumps({"order_id": "78"})
    client.post(path, {"body": json.dumps(body), "do": "replay_text"})
    settle()
    assert len(events.events_page(events.Filter(name="order_placed"))) == 1


def test_still_wrong_it_comes_back_with_the_new_reason(alice: Staff, refused: events.QuarantineRow) -> None:
    client = logged_in(alice)
    body = json.loads(refused.body)
    body["ts"] = "1970-01-01T00:00:00Z"
    client.post(f"/sources/quarantine/{refused.key}/", {"body": json.dumps(body), "do": "replay_text"})
    settle()
    (row,) = events.quarantine_page()
    assert row.reason == "ancient"


def test_discarded_it_stays_readable(alice: Staff, refused: events.QuarantineRow) -> None:
    client = logged_in(alice)
    client.post(f"/sources/quarantine/{refused.key}/", {"do": "discard"})
    assert "Nothing waits." in client.get("/sources/quarantine/").content.decode()
    listed = client.get("/sources/quarantine/", {"state": "discarded"})
    assert len(listed.context["rows"]) == 1
    html = client.get(f"/sources/quarantine/{refused.key}/").content.decode()
    assert "Settled by alice@example.com" in html


def test_a_row_of_a_file_is_corrected_by_its_columns(alice: Staff, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    file.write_text("No,When,Who,Qty,Price\n5,2026-02-03,1003,four,89.00\n6,2026-02-03,1004,1,9.00\n")
    mapping = {
        "No": "order_id",
        "When": "ordered_at",
        "Who": "customer_id",
        "Qty": "quantity",
        "Price": "unit_price",
    }
    listening.import_file("orders", file, mapping=mapping)
    (row,) = events.quarantine_page()
    client = logged_in(alice)
    path = f"/sources/quarantine/{row.key}/"
    cells = {cell.name: cell for cell in client.get(path).context["cells"]}
    assert cells["Qty"].is_wrong
    assert not cells["No"].is_wrong
    form = {f"cell-{name}": cell.text for name, cell in cells.items()}
    still = client.post(path, {**form, "cell-Qty": "vier", "do": "replay_cells"})
    assert still.status_code == 400
    assert "which is not a number" in still.content.decode()
    client.post(path, {**form, "cell-Qty": "4", "do": "replay_cells"})
    settle()
    placed = {e.value_minor for e in events.events_page(events.Filter(name="order_placed"))}
    assert placed == {35_600, 900}


def test_an_analyst_looks_but_decides_nothing(
    alice: Staff, bob: Staff, refused: events.QuarantineRow
) -> None:
    Staff.objects.filter(pk=bob.pk).update(role="analyst")
    client: Client = logged_in(bob)
    path = f"/sources/quarantine/{refused.key}/"
    assert "Replay</button>" not in client.get(path).content.decode()
    assert client.post(path, {"do": "discard"}).status_code == 403
    assert len(events.quarantine_page()) == 1


def test_pages_go_on_where_the_last_one_ended(alice: Staff, home: Path) -> None:
    services.quarantine_rows(
        quarantine.Refused(source="s", kind="touchpoint", body=str(i), reason="nul", message="m")
        for i in range(60)
    )
    client = logged_in(alice)
    first = client.get("/sources/quarantine/")
    second = client.get(first.context["next_url"])
    keys = [row.key for page in (first, second) for row, _label in page.context["rows"]]
    assert len(keys) == len(set(keys)) == 60
    assert client.get("/sources/quarantine/", {"before": "x.y"}).status_code == 400
