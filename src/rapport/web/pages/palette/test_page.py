from __future__ import annotations

from rapport.staff.models import Staff
from rapport.web.conftest import logged_in


def test_a_few_letters_find_pages_and_actions(alice: Staff) -> None:
    html = logged_in(alice).get("/palette/", {"q": "inv"}).content.decode()
    assert "Invite somebody" in html
    assert "Settings" not in html
    assert 'href="/staff/#invite"' in html


def test_it_offers_only_what_the_role_opens(bob: Staff) -> None:
    html = logged_in(bob).get("/palette/").content.decode()
    assert "Settings" in html
    assert "Invite somebody" not in html


def test_nothing_found_is_said_with_what_to_try(alice: Staff) -> None:
    html = logged_in(alice).get("/palette/", {"q": "<zz>"}).content.decode()
    assert "Nothing is called “&lt;zz&gt;”." in html
