from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.insights import services as insights
from rapport.people import selectors as people
from rapport.portfolio import selectors
from rapport.portfolio.rules import Policy
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint
from rapport.web.pages.portfolio import form


def market() -> list[dict[str, Any]]:
    """Thirty who order, every third of whom complains; half of these are answered."""
    rows = []
    for who in range(30):
        rows += [
            touchpoint(
                "order_placed",
                f"customer:{who}",
                ts=MONDAY - dt.timedelta(days=20 * again + who),
                value_minor=1000 * (who + 1),
                currency="EUR",
                properties={"order_id": f"{who}-{again}"},
            )
            for again in range(4)
        ]
        if who % 3 == 0:
            told = {"reason": "late", "conversation": f"k{who}"}
            at = MONDAY - dt.timedelta(days=who)
            rows.append(touchpoint("complaint_raised", f"customer:{who}", ts=at, properties=told))
            if who % 2 == 0:
                answered = at + dt.timedelta(hours=5)
                told = {"purpose": "service", "conversation": f"k{who}"}
                rows.append(touchpoint("message_sent", f"customer:{who}", ts=answered, properties=told))
    return rows


def figures(**changed: Any) -> dict[str, Any]:
    """What the form sends with nothing changed but this."""
    return {
        "longest_wait_hours": "24", "minutes_per_day": "60", "floor_percent": "30", "safety_words": "fire, recall",
        "refund_words": "refund", "need_trait": "extra_help", "complaint_minutes": "15", "message_minutes": "8",
        "question_minutes": "5", "survey_minutes": "1", "refund_minutes": "10", "minute_rate": "0.60",
        "return_cost": "5", "refund_loss_percent": "20", "half_life_hours": "48", "why": "",
        **changed,
    }  # fmt: skip


def test_without_a_standing_the_page_says_what_to_do(alice: Staff, say: Say) -> None:
    html = logged_in(alice).get("/portfolio/").content.decode()
    assert "Nobody has a standing yet." in html
    assert "Everything of the last 30 days has an answer." in html
    assert "Try it on past contacts" in html
    said = logged_in(alice).post("/portfolio/change/", figures(do="try"))
    assert said.status_code == 400
    assert "There is no complaint and no message to us" in said.content.decode()


def test_worth_stands_against_cost_and_every_number_opens_its_people(
    alice: Staff, say: Say, noon: dt.datetime
) -> None:
    say(*market())
    insights.run(["portfolio"])
    client = logged_in(alice)
    page = client.get("/portfolio/")
    html = page.content.decode()
    assert "of all service and bring" in html
    assert "<svg" in html
    corners = page.context["corners"]
    assert sum(corner.n for corner, *_ in corners) == 30
    for corner, label, _advice, url in corners:
        listed = client.get(url)
        assert listed.context["n"] == corner.n
        assert str(label) in listed.content.decode()
    for tier, url in page.context["tiers"]:
        assert client.get(url).context["n"] == tier.n
    bands = selectors.bands(selectors.board())
    (x, y), n = max(
        (((x, y), int(bands.n[x, y])) for x in range(bands.n.shape[0]) for y in range(bands.n.shape[1])),
        key=lambda field: field[1],
    )
    listed = client.get(f"/portfolio/people/?worth={x}&cost={y}")
    assert listed.context["n"] == n
    assert f"/person/{listed.context['lines'][0].id}/" in listed.content.decode()
    # Those who wait, in their order, with the reason.
    assert page.context["n_waiting"] == 5
    assert "Its turn, as people came." in html
    assert client.get("/portfolio/?currency=JPY").status_code == 404


def test_a_policy_is_tried_saved_switched_on_and_off(alice: Staff, say: Say, noon: dt.datetime) -> None:
    say(*market())
    insights.run(["portfolio"])
    client = logged_in(alice)
    tried = client.post("/portfolio/change/", figures(do="try", minutes_per_day="45"), follow=True)
    html = tried.content.decode()
    assert "These are the figures you tried. They are not saved." in html
    assert "With other figures than those in force." in html
    assert tried.context["seen"].n == 9  # one complains at this very moment
    assert selectors.policy().version == 0
    assert "Switch the policy on" not in html
    listed = client.get(f"/portfolio/longer/{tried.context['seen'].id}/")
    assert listed.context["n"] == tried.context["seen"].n_longer
    assert client.get("/portfolio/longer/999/").status_code == 404
    client.post("/portfolio/change/", figures(do="save", minutes_per_day="45", why="quarter of an hour less"))
    assert selectors.policy().minutes_per_day == 45
    html = client.get("/portfolio/").content.decode()
    assert "quarter of an hour less" in html
    assert "minutes a day" in html  # what the version changed
    assert "Switch the policy on" in html
    on = client.post("/portfolio/switch/", {"do": "on"}, follow=True).content.decode()
    assert "On. Turns are taken by the policy from now on." in on
    assert selectors.policy().is_on
    off = client.post("/portfolio/switch/", {"do": "off"}, follow=True).content.decode()
    assert "switched off" in off
    assert not selectors.policy().is_on
    wrong = client.post("/portfolio/change/", figures(do="save", need_trait="health_status"))
    assert wrong.status_code == 400
    assert "Ask what help somebody wants" in wrong.content.decode()
    assert client.post("/portfolio/change/", figures(do="save", minutes_per_day="x")).status_code == 400


def test_money_is_written_as_the_firm_writes_it(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    html = client.get("/portfolio/").content.decode()
    assert "cents" not in html
    assert "Cost of a minute, in EUR" in html
    assert 'name="minute_rate" value="0.60"' in html
    assert 'name="return_cost" value="5.00"' in html
    client.post("/portfolio/change/", figures(do="save", minute_rate="0.605", return_cost="4.9"))
    costs = selectors.policy().costs
    assert (costs.minute_rate_minor, costs.return_cost_minor) == (60.5, 490.0)
    html = client.get("/portfolio/").content.decode()
    assert 'name="minute_rate" value="0.605"' in html
    assert 'name="return_cost" value="4.90"' in html
    assert client.post("/portfolio/change/", figures(do="save", minute_rate="-1")).status_code == 400
    assert client.post("/portfolio/change/", figures(do="save", return_cost="1,000 EUR")).status_code == 400
    assert client.post("/portfolio/change/", figures(do="save", return_cost="NaN")).status_code == 400


@pytest.mark.parametrize(
    ("currency", "minute", "back"), [("JPY", "60", "500"), ("KWD", "0.060", "0.500"), ("EUR", "0.60", "5.00")]
)
def test_a_currency_has_its_own_decimals(currency: str, minute: str, back: str) -> None:
    shown = form.filled(Policy(), currency)
    assert (shown.initial["minute_rate"], shown.initial["return_cost"]) == (minute, back)
    sent = form.PolicyForm({**figures(), "minute_rate": minute, "return_cost": back}, currency=currency)
    assert sent.is_valid(), sent.errors
    assert sent.policy(Policy()).costs == Policy().costs


def test_unseen_figures_are_not_switched_on(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    client.post("/portfolio/change/", figures(do="save"))
    said = client.post("/portfolio/switch/", {"do": "on"}, follow=True).content.decode()
    assert "Nobody has looked at what this policy would change" in said
    assert not selectors.policy().is_on


def test_an_analyst_sees_and_does_not_change_and_bob_sees_none(alice: Staff, bob: Staff, say: Say) -> None:
    from rapport.staff.rules import Right, may

    say(*market())
    role = next(r for r in ("analyst", "marketer", "answers") if may(r, Right.SEE_PORTFOLIO))
    Staff.objects.filter(pk=bob.pk).update(role=role)
    client = logged_in(bob)
    assert client.get("/portfolio/").status_code == 200
    changes = may(role, Right.CHANGE_PORTFOLIO)
    assert (client.post("/portfolio/change/", figures(do="save")).status_code == 302) is changes
    Staff.objects.filter(pk=bob.pk).update(role="none")
    assert client.get("/portfolio/").status_code == 403
    assert client.get("/portfolio/people/").status_code == 403
    assert client.post("/portfolio/switch/", {"do": "on"}).status_code == 403


def test_a_standing_explains_itself_on_the_persons_page(alice: Staff, say: Say, noon: dt.datetime) -> None:
    say(*market())
    insights.run(["portfolio"])
    who = people.person_id("customer:3")
    html = logged_in(alice).get(f"/person/{who}/").content.decode()
    assert "Cost to serve in a year" in html
    assert [s.name for s in selectors.standing(who)] == list(selectors.NAMES)


def test_those_without_a_currency_have_a_board_of_their_own(
    alice: Staff, say: Say, noon: dt.datetime
) -> None:
    told = {"reason": "late", "conversation": "k"}
    at = MONDAY - dt.timedelta(days=5)
    say(*market(), touchpoint("complaint_raised", "customer:writer", ts=at, properties=told))
    insights.run(["portfolio"])
    client = logged_in(alice)
    html = client.get("/portfolio/").content.decode()
    assert 'href="?currency="' in html
    page = client.get("/portfolio/?currency=")
    assert (page.context["board"].currency, len(page.context["board"])) == ("", 1)
    listed = client.get("/portfolio/people/?tier=C&currency=")
    assert (listed.context["currency"], listed.context["n"]) == ("", 1)
