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


def test_people_are_found_by_name_mail_and_handle(alice: Staff, charlie: Staff, ana: int) -> None:
    for sought in ("ana r", "ana@example.org", "@ana@example.social"):
        html = logged_in(alice).get("/palette/", {"q": sought}).content.decode()
        assert f'href="/person/{ana}/"' in html, sought
    assert "Ana Ruiz" not in logged_in(charlie).get("/palette/", {"q": "ana"}).content.decode()


def test_nothing_found_is_said_with_what_to_try(alice: Staff) -> None:
    html = logged_in(alice).get("/palette/", {"q": "<zz>"}).content.decode()
    assert "Nothing is called “&lt;zz&gt;”." in html
