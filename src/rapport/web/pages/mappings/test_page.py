from __future__ import annotations

from pathlib import Path

from rapport.listening import selectors, services
from rapport.staff.models import Staff
from rapport.web.conftest import logged_in


def test_a_mapping_is_shown_and_forgotten(alice: Staff, home: Path) -> None:
    services.save_mapping("Shop", "orders", {"InvoiceNo": "order_id"}, by="alice@example.com")
    client = logged_in(alice)
    html = client.get("/sources/mappings/").content.decode()
    assert "InvoiceNo → order_id" in html
    assert client.post("/sources/mappings/delete/", {"name": "Shop"}).status_code == 302
    assert selectors.mappings() == []
    assert "No mapping is saved." in client.get("/sources/mappings/").content.decode()
    assert client.post("/sources/mappings/delete/", {"name": "Shop"}).status_code == 404


def test_an_analyst_looks_only(alice: Staff, bob: Staff, home: Path) -> None:
    Staff.objects.filter(pk=bob.pk).update(role="analyst")
    services.save_mapping("Shop", "orders", {"InvoiceNo": "order_id"})
    client = logged_in(bob)
    assert "Forget</button>" not in client.get("/sources/mappings/").content.decode()
    assert client.post("/sources/mappings/delete/", {"name": "Shop"}).status_code == 403
