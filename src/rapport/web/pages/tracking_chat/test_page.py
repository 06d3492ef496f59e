from __future__ import annotations

from pathlib import Path

import pytest

from rapport.onsite import services as sites
from rapport.onsite.chat import rules, selectors
from rapport.staff.models import Staff
from rapport.web.conftest import logged_in

CHAT = "/tracking/web-shop/chat/"
FORM = {
    "is_on": "on",
    "within_min": "30",
    "zone": "Europe/Madrid",
    "day0": "09:00-17:00",
    "greeting_de": "Moin.",
}


@pytest.fixture(autouse=True)
def site(home: Path, db: None) -> None:
    sites.add_site("web-shop", origins=["https://shop.example"])


def test_alice_switches_the_chat_on_and_sees_what_to_paste(alice: Staff) -> None:
    client = logged_in(alice)
    assert "chat.js" not in client.get(CHAT).content.decode()
    assert client.post(CHAT, FORM).status_code == 302
    desk = selectors.desk("web-shop")
    assert (desk.is_on, desk.within_min, desk.hours) == (True, 30, {"0": [["09:00", "17:00"]]})
    assert desk.greeting == {"de": "Moin."}
    html = client.get(CHAT).content.decode()
    assert f"/chat.js&quot; data-key=&quot;{desk.key}&quot;" in html.replace('"', "&quot;")
    page = client.get("/c/try/web-shop").content.decode()
    assert f'/chat.js" data-key="{desk.key}"' in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"day0": "nine"}, "09:00-18:00"), ({"within_min": "0"}, "greater"), ({"zone": "Mars"}, "valid choice")],
)
def test_what_cannot_be_is_said_and_nothing_changes(alice: Staff, changed: dict[str, str], said: str) -> None:
    answer = logged_in(alice).post(CHAT, FORM | changed)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not selectors.desk("web-shop").is_on


def test_only_who_may_change_tracking_changes_it(bob: Staff, charlie: Staff) -> None:
    for stranger in (bob, charlie):
        assert logged_in(stranger).get(CHAT).status_code == 403
        assert logged_in(stranger).post(CHAT, FORM).status_code == 403
    assert not selectors.desk("web-shop").is_on


def test_every_language_of_the_window_has_a_name() -> None:
    from rapport.web.pages.tracking_chat.page import NAMES

    assert set(NAMES) == set(rules.languages())
