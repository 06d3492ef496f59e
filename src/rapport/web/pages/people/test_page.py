from __future__ import annotations

from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified, logged_in, touchpoint


def names(response: object) -> list[str]:
    return [row.display_name for row, _life in response.context["rows"]]  # type: ignore[attr-defined]


def test_people_are_found_by_what_somebody_types(alice: Staff, ana: int, say: Say) -> None:
    say(identified("customer:2", "email:bo@example.org", name="Bo Berg", country="DE", language="de"))
    client = logged_in(alice)
    assert names(client.get("/people/")) == ["Bo Berg", "Ana Ruiz"]
    for sought in ("rui", "ana@exam", "customer:1", "@ana@example.social"):
        assert names(client.get("/people/", {"q": sought})) == ["Ana Ruiz"], sought
    assert names(client.get("/people/", {"country": "DE"})) == ["Bo Berg"]
    assert names(client.get("/people/", {"language": "es"})) == ["Ana Ruiz"]
    assert names(client.get("/people/", {"order": "name"})) == ["Ana Ruiz", "Bo Berg"]


def test_public_authors_and_visitors_are_kinds_of_their_own(alice: Staff, say: Say) -> None:
    say(
        touchpoint("post_published", "mastodon:chi@example.social", text="hello"),
        touchpoint("page_viewed", "anonymous:7"),
    )
    client = logged_in(alice)
    assert names(client.get("/people/")) == []
    assert len(names(client.get("/people/", {"kind": "author"}))) == 1
    assert len(names(client.get("/people/", {"kind": "visitor"}))) == 1
    assert client.get("/people/", {"kind": "robot"}).status_code == 400


def test_a_fragment_is_the_list_alone_and_keeps_its_filters(alice: Staff, ana: int) -> None:
    answer = logged_in(alice).get("/people/", {"q": "ana"}, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert html.strip().startswith('<div id="list">')
    assert "<html" not in html


def test_pages_walk_forth_and_back(alice: Staff, say: Say) -> None:
    say(*(identified(f"customer:{i}", name=f"Person {i:03}") for i in range(120)))
    client = logged_in(alice)
    first = client.get("/people/", {"order": "name"})
    assert first.context["previous_url"] == ""
    second = client.get(first.context["next_url"])
    assert names(second)[0] == "Person 050"
    assert names(client.get(second.context["previous_url"])) == names(first)


def test_empty_says_what_to_do(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    assert "Nobody of this kind is known yet." in client.get("/people/").content.decode()
    assert "Nobody fits." in client.get("/people/", {"q": "zz"}).content.decode()


def test_bob_may_look_and_charlie_may_not(bob: Staff, charlie: Staff, ana: int) -> None:
    assert names(logged_in(bob).get("/people/")) == ["Ana Ruiz"]
    assert logged_in(charlie).get("/people/").status_code == 403
