from __future__ import annotations

import datetime as dt

from rapport.kit import clock
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint


def test_what_a_source_may_report_and_how_often_it_did(alice: Staff, say: Say) -> None:
    say(*(touchpoint("page_viewed", "customer:1") for _ in range(3)))
    with clock.frozen(MONDAY + dt.timedelta(days=2)):
        page = logged_in(alice).get("/sources/plan/")
    counts = {event.name: n for event, _label, n in page.context["planned"]}
    assert counts["page_viewed"] == 3
    assert counts["order_placed"] is None
    html = page.content.decode()
    assert "Somebody bought something." in html
    assert "order_id" in html


def test_names_outside_the_plan_are_kept_and_shown(alice: Staff, say: Say) -> None:
    say(touchpoint("lamp_lit", "customer:1"), touchpoint("page_viewed", "customer:1"))
    html = logged_in(alice).get("/sources/plan/", headers={"HX-Request": "true"}).content.decode()
    assert "lamp_lit" in html
    assert "page_viewed" not in html
