from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pyarrow as pa

from rapport.people import selectors as people
from rapport.people import services
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint


def test_who_ana_is_and_why_we_think_so(alice: Staff, ana: int) -> None:
    html = logged_in(alice).get(f"/person/{ana}/").content.decode()
    assert "<h1>Ana Ruiz</h1>" in html
    for text in (
        "ana@example.org",
        "one row of an imported file carried both",
        "somebody logged in with both",
    ):
        assert text in html
    assert "declared" in html
    assert "84.50\u00a0EUR" in html
    assert "Does anyone know &lt;why&gt;?" in html


def test_every_identifier_is_explained_step_by_step(alice: Staff, ana: int) -> None:
    page = logged_in(alice).get(f"/person/{ana}/")
    assert "From customer:1 to each of the others" in page.content.decode()
    steps = {p.identifier: [to for to, _, _ in p.steps] for p in page.context["paths"]}
    assert steps == {
        "email:ana@example.org": ["email:ana@example.org"],
        "mastodon:ana@example.social": ["email:ana@example.org", "mastodon:ana@example.social"],
    }


def test_a_shared_device_says_whose_it_was_when(alice: Staff, ana: int, say: Say) -> None:
    say(identified("customer:2", name="Bo Berg"))
    for hour, who in enumerate(("customer:1", "customer:2")):
        at = MONDAY + dt.timedelta(hours=hour)
        say(touchpoint("page_viewed", "anonymous:tablet", also=[who], evidence="login", ts=at))
    html = logged_in(alice).get(f"/person/{ana}/").content.decode()
    assert "Shared devices" in html
    assert "Bo Berg" in html
    assert people.person_id("customer:2") != ana


def test_any_identifier_and_any_old_number_finds_her(alice: Staff, ana: int) -> None:
    client = logged_in(alice)
    for ref in ("email:ana@example.org", "customer:1", str(people.subject_of("mastodon:ana@example.social"))):
        assert client.get(f"/person/{ref}/")["Location"] == f"/person/{ana}/"
    assert client.get("/person/email:nobody@example.org/").status_code == 404


def test_the_timeline_filters_and_goes_on(alice: Staff, ana: int, say: Say) -> None:
    client = logged_in(alice)
    bought = client.get(f"/person/{ana}/", {"kind": "bought"})
    assert [e.label for e in bought.context["events"]] == ["Order"]
    assert client.get(f"/person/{ana}/", {"kind": "sent"}).context["events"] == []
    assert client.get(f"/person/{ana}/", {"kind": "danced"}).status_code == 400
    say(*(touchpoint("site_searched", "customer:1", properties={"query": f"q{i}"}) for i in range(70)))
    first = client.get(f"/person/{ana}/", {"kind": "asked"})
    assert len(first.context["events"]) == 50
    rest = client.get(first.context["more_url"], headers={"HX-Request": "true"})
    assert len(rest.context["events"]) == 20
    assert "<html" not in rest.content.decode()
    whole = client.get(first.context["more_url"])  # without script the link opens a page
    assert "<html" in whole.content.decode()


def test_pages_read_in_a_row_are_one_line(alice: Staff, ana: int, say: Say) -> None:
    def read(path: str, minute: int) -> dict[str, Any]:
        at = MONDAY + dt.timedelta(minutes=minute)
        return touchpoint("page_viewed", "customer:1", ts=at, properties={"path": path})

    say(read("/a", 0), read("/b", 4), read("/a", 10), read("/c", 45), read("/d", 50))
    lines = logged_in(alice).get(f"/person/{ana}/", {"kind": "read"}).context["events"]
    assert [line.headline for line in lines] == ["/d", "/c", "3 pages in 10\u00a0min: /a, /b"]
    assert len(lines[-1].details) == 3


def test_alice_takes_an_assertion_back_and_undoes_it(alice: Staff, ana: int) -> None:
    client = logged_in(alice)
    edge = next(e for e in people.person(ana).edges if e.evidence == "login")
    done = client.post(f"/person/unmerge/{edge.id}/", {"person": str(ana)}, follow=True)
    html = done.content.decode()
    assert "Separated. Each has what came with it." in html
    other = people.person_id("mastodon:ana@example.social")
    assert other != people.person_id("customer:1")
    assert "Does anyone know" not in html
    (undo,) = re.findall(r'action="(/person/merge/\?[^"]+)"', html)
    again = client.post(undo.replace("&amp;", "&"), follow=True)
    assert people.person_id("mastodon:ana@example.social") == people.person_id("customer:1")
    assert "Does anyone know" in again.content.decode()


def test_what_other_evidence_holds_together_stays_and_is_said(alice: Staff, ana: int, say: Say) -> None:
    say(
        touchpoint(
            "order_placed",
            "customer:1",
            also=["email:ana@example.org"],
            evidence="order",
            properties={"order_id": "2"},
            ts=MONDAY,
        )
    )
    edge = next(e for e in people.person(ana).edges if e.evidence == "import")
    done = logged_in(alice).post(f"/person/unmerge/{edge.id}/", {"person": str(ana)}, follow=True)
    assert "other evidence still holds them together" in done.content.decode()


def test_an_edge_of_somebody_else_is_refused(alice: Staff, ana: int, say: Say) -> None:
    say(identified("customer:2", "email:bo@example.org", name="Bo"))
    theirs = people.person("customer:2").edges[0]
    answer = logged_in(alice).post(f"/person/unmerge/{theirs.id}/", {"person": str(ana)})
    assert answer.status_code == 400
    assert people.person("customer:2").edges[0].state == "accepted"


def test_alice_makes_two_one_and_bob_may_not(alice: Staff, bob: Staff, ana: int, say: Say) -> None:
    say(identified("customer:2", name="Ana R."))
    form = {"a": str(ana), "b": "customer:2"}
    assert logged_in(bob).post("/person/merge/", form).status_code == 403
    page = logged_in(bob).get(f"/person/{ana}/").content.decode()
    assert "Not one person" not in page
    assert logged_in(alice).post("/person/merge/", form).status_code == 302
    assert people.person_id("customer:2") == ana
    assert logged_in(alice).post("/person/merge/", form).status_code == 409
    assert logged_in(alice).get("/person/merge/").status_code == 405


def test_scores_show_their_interval_reason_and_age(alice: Staff, ana: int) -> None:
    import pyarrow as pa

    from rapport.people.services import scoring

    row = {
        "person": ana,
        "name": "alive",
        "value": 0.93,
        "unit": "probability",
        "as_of": MONDAY,
        "model": "bgnbd",
        "version": "1",
        "low": 0.9,
        "high": 0.96,
        "label": "",
        "reason": "Bought 3 times, last 12 days ago",
    }
    fields = {key: [value] for key, value in row.items()}
    services.write_scores(
        pa.table(fields).select([n for n in scoring.SCORE.names if n in fields]).cast(scoring.SCORE)
    )
    html = logged_in(alice).get(f"/person/{ana}/").content.decode()
    assert "Still a customer" in html
    assert "90 to 96\u00a0%, likely 93" in html
    assert "Bought 3 times, last 12 days ago" in html


def test_charlie_sees_nobody(charlie: Staff, ana: int) -> None:
    assert logged_in(charlie).get(f"/person/{ana}/").status_code == 403


def test_of_many_figures_the_telling_ones_stand_first_and_all_are_there_with_reasons(
    alice: Staff, bob: Staff, say: Say
) -> None:
    say(identified("customer:7", name="Ana Ruiz"))
    ana = people.person_id("customer:7")
    figures = [
        ("alive", 0.93, "probability", "", "value"),
        ("next_category", 0.34, "probability", "wiper blades", "next_need"),
        ("next_category_days", 12.0, "days", "", "next_need"),
        ("recency_days", 9.0, "days", "", "rfm"),
    ]
    services.write_scores(
        pa.Table.from_pylist(
            [
                {"person": ana, "name": n, "value": v, "unit": u, "as_of": MONDAY, "model": m,
                 "version": "1", "label": label, "reason": f"why {n}"}
                for n, v, u, label, m in figures
            ]
        )
    )  # fmt: skip
    page = logged_in(alice).get(f"/person/{ana}/")
    assert [f.label for f in page.context["figures"]] == ["Still a customer", "Next need"]
    assert [f.value for f in page.context["figures"]][1] == "wiper blades"
    assert {m.title: len(m.figures) for m in page.context["models"]}["Recency, frequency, money"] == 1
    html = page.content.decode()
    assert "All 4 figures, with their reasons" in html
    assert all(f"why {name}" in html for name, *_rest in figures)
    assert "/insights/rfm/" in html
    assert "/insights/rfm/" not in logged_in(bob).get(f"/person/{ana}/").content.decode()
