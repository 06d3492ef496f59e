from __future__ import annotations

import html
import json
import uuid
from typing import Any

import pytest

from rapport.explore import selectors, services
from rapport.explore.rules import parsing
from rapport.people.rules import sensitive
from rapport.staff import services as staff_services
from rapport.staff.models import Staff
from rapport.web import jobs
from rapport.web.conftest import Say, logged_in, touchpoint

QUESTION = {"measures": ["orders"], "period": {"first_day": "2026-02-01", "last_day": "2026-03-31"}}


@pytest.fixture
def saved(alice: Staff, say: Say) -> uuid.UUID:
    """Alice's question, asked once."""
    say(touchpoint("order_placed", "customer:1", properties={"order_id": "1"}))
    key = services.save("Orders of spring", parsing.parse(QUESTION), by=alice.email)
    services.run_saved(key, by=alice.email)
    return key


@pytest.fixture
def analyst(alice: Staff) -> Staff:
    return staff_services.invite(alice, email="ida@example.com", name="Ida", role="analyst")[0]


def once_allowed(dimension: str, *keys: uuid.UUID) -> None:
    """Make these ask by something sensitive, as they could before it was refused."""
    with pytest.MonkeyPatch.context() as before:
        before.setattr(sensitive, "category_of", lambda _name: None)
        for key in keys:
            services.change(key, question=parsing.parse({"measures": ["orders"], "by": [dimension]}))


def test_a_question_is_kept_under_a_name(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    given = {"q": json.dumps(QUESTION), "name": "Orders"}
    kept = client.post("/explore/save/", given)
    (view,) = selectors.saved_for(alice.email, "owner")
    assert kept.headers["Location"] == f"/explore/saved/{view.key}/"
    again = client.post("/explore/save/", given, follow=True)
    assert "Choose another name." in again.content.decode()
    page = client.get(f"/explore/saved/{view.key}/").content.decode()
    assert "No answer is kept yet." in page
    assert "not sent by mail" in page


def test_it_shows_its_newest_answer_and_those_before(alice: Staff, saved: uuid.UUID) -> None:
    client = logged_in(alice)
    page = client.get(f"/explore/saved/{saved}/").content.decode()
    (kept,) = selectors.history(saved)
    assert f"/explore/saved/{saved}/at/{kept.id}/" in page
    past = client.get(f"/explore/saved/{saved}/at/{kept.id}/").content.decode()
    assert "As it was" in past
    assert "Orders of spring" in client.get("/explore/").content.decode()


def test_it_is_shared_by_role_or_by_its_address(alice: Staff, analyst: Staff, saved: uuid.UUID) -> None:
    mine, theirs = logged_in(alice), logged_in(analyst)
    address = f"/explore/saved/{saved}/"
    form: dict[str, Any] = {"name": "Orders", "schedule": "nightly", "pinned": "1"}
    assert theirs.get(address).status_code == 403
    assert theirs.post(f"{address}change/", {**form, "shared": "roles"}).status_code == 403
    mine.post(f"{address}change/", {**form, "shared": "roles", "roles": ["analyst"]})
    assert theirs.get(address).status_code == 200
    assert f"{address}card/" in theirs.get("/").content.decode()
    card = theirs.get(f"{address}card/").content.decode()
    assert ">1<" in card
    mine.post(f"{address}change/", {**form, "shared": "link", "pinned": ""})
    assert theirs.get(address).status_code == 200
    assert f"{address}card/" not in theirs.get("/").content.decode()
    assert "Orders" not in [v.name for v in selectors.saved_for(analyst.email, "analyst")]
    assert selectors.saved(saved).schedule == "nightly"


def test_it_is_asked_now_beside_the_other_jobs(alice: Staff, saved: uuid.UUID) -> None:
    logged_in(alice).post(f"/explore/saved/{saved}/run/")
    jobs.run_due()
    assert len(selectors.history(saved)) == 2


def test_what_is_put_on_home_is_asked_so_that_home_can_show_it(alice: Staff, say: Say) -> None:
    say(touchpoint("order_placed", "customer:1", properties={"order_id": "1"}))
    key = services.save("Orders", parsing.parse(QUESTION), by=alice.email)
    client = logged_in(alice)
    assert "Not asked yet." in client.get(f"/explore/saved/{key}/card/").content.decode()
    client.post(f"/explore/saved/{key}/change/", {"name": "Orders", "shared": "mine", "pinned": "1"})
    jobs.run_due()
    assert "Not asked yet." not in client.get(f"/explore/saved/{key}/card/").content.decode()


def test_whoever_it_is_shared_with_does_not_change_it(alice: Staff, analyst: Staff, saved: uuid.UUID) -> None:
    services.change(saved, shared="link")
    mine, theirs = logged_in(alice), logged_in(analyst)
    address = f"/explore/saved/{saved}/"
    assert f"{address}change/" in mine.get(address).content.decode()
    assert f"{address}change/" not in theirs.get(address).content.decode()
    refused = theirs.post(f"{address}change/", {"name": "Theirs", "shared": "mine"})
    assert refused.status_code == 403
    assert "or an owner may change this question" in refused.content.decode()
    assert theirs.post(f"{address}remove/").status_code == 403
    assert selectors.saved(saved).name == "Orders of spring"


def test_it_can_be_removed(alice: Staff, bob: Staff, saved: uuid.UUID) -> None:
    address = f"/explore/saved/{saved}/"
    assert logged_in(bob).post(f"{address}remove/").status_code == 403
    assert logged_in(alice).post(f"{address}remove/").headers["Location"] == "/explore/"
    assert logged_in(alice).get(address).status_code == 404


def test_what_may_not_be_asked_any_more_says_why_and_can_be_removed(
    alice: Staff, analyst: Staff, saved: uuid.UUID
) -> None:
    services.change(saved, shared="roles", roles=["analyst"], is_pinned=True)
    once_allowed("property:religion", saved)
    address = f"/explore/saved/{saved}/"
    mine, theirs = logged_in(alice), logged_in(analyst)
    listed = html.unescape(mine.get("/explore/").content.decode())
    assert "Saved, and not to be asked any more" in listed
    assert f'href="{address}"' in listed
    shown = html.unescape(mine.get(address).content.decode())
    assert "it is sensitive. Choose another dimension." in shown
    assert f"{address}remove/" in shown
    assert address not in mine.get("/").content.decode()  # Home does not lead to it
    assert mine.post(f"{address}change/", {"name": "Orders", "shared": "mine"}).status_code == 400
    # Shared with her, which is no leave to remove it.
    read = theirs.get(address).content.decode()
    assert f"{address}remove/" not in read
    assert alice.email in read
    assert theirs.post(f"{address}remove/").status_code == 403
    assert mine.post(f"{address}remove/").status_code == 302
    assert mine.get(address).status_code == 404
    assert "not to be asked any more" not in mine.get("/explore/").content.decode()


def test_an_owner_tidies_up_what_a_colleague_left(alice: Staff, analyst: Staff, saved: uuid.UUID) -> None:
    key = services.save("Hers alone", parsing.parse(QUESTION), by=analyst.email)
    other = services.save("Hers still", parsing.parse(QUESTION), by=analyst.email)
    once_allowed("trait:religion", key)
    mine = logged_in(alice)
    assert "Hers alone" in mine.get("/explore/").content.decode()
    assert mine.get(f"/explore/saved/{other}/").status_code == 403  # hers, and nothing is wrong with it
    assert mine.post(f"/explore/saved/{key}/remove/").status_code == 302
    assert [one.key for one in selectors.saved_for(analyst.email, "analyst")] == [other]
    assert mine.get(f"/explore/saved/{key}/").status_code == 404
    once_allowed("trait:religion", saved)
    assert logged_in(analyst).get(f"/explore/saved/{saved}/").status_code == 403
