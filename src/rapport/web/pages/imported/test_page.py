from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

from rapport.kit import clock
from rapport.listening import services as listening
from rapport.staff.models import Staff
from rapport.web import jobs
from rapport.web.conftest import logged_in

ORDERS = b"order_id,ordered_at,customer_id,product_code,quantity,unit_price,currency\n1,2026-02-01,7,w,2,24.50,SEK\n"


def queued() -> uuid.UUID:
    return listening.keep_upload("orders", "o.csv", [ORDERS], options={"currency": "SEK"}, by="alice")


def test_an_import_that_nobody_runs_says_so_after_a_minute(alice: Staff, home: Path) -> None:
    path = f"/sources/imports/{queued()}/"
    client = logged_in(alice)
    assert "Waits for the worker." in client.get(path).content.decode()
    with clock.frozen(clock.now() + dt.timedelta(minutes=2)):
        client = logged_in(alice)
        assert "It has waited for over a minute." in client.get(path).content.decode()


def test_progress_is_asked_for_until_it_is_done(alice: Staff, home: Path) -> None:
    import_id = queued()
    client = logged_in(alice)
    fragment = client.get(f"/sources/imports/{import_id}/", headers={"HX-Request": "true"})
    assert "every 1s" in fragment.content.decode()
    jobs.import_upload.enqueue(str(import_id))
    jobs.run_due()
    fragment = client.get(f"/sources/imports/{import_id}/", headers={"HX-Request": "true"})
    html = fragment.content.decode()
    assert "every 1s" not in html
    assert "<html" not in html
    assert "49.00\u00a0SEK" in html  # what the file sums up to, in its own currency


def test_an_import_that_failed_says_why_and_goes_on(alice: Staff, home: Path) -> None:
    import_id = listening.keep_upload("orders", "o.csv", [b"a,b\n1,2\n"], by="alice")
    jobs.import_upload.enqueue(str(import_id))
    jobs.run_due()
    client = logged_in(alice)
    html = client.get(f"/sources/imports/{import_id}/").content.decode()
    assert "no column is order_id" in html
    assert "Go on where it stopped" in html
    again = client.post(f"/sources/imports/{import_id}/again/")
    assert again.status_code == 302
    jobs.run_due()
    assert jobs.failed()
    assert "import_upload" in logged_in(alice).get("/health/").content.decode()


def test_an_import_that_is_not_there(alice: Staff, home: Path) -> None:
    assert logged_in(alice).get(f"/sources/imports/{uuid.UUID(int=1)}/").status_code == 404
