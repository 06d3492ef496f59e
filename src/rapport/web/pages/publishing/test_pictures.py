"""Pictures in the editor, the calendar and the approval; who may see them, and from where."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rapport.kit import registry
from rapport.listening.contract import KIND, Draft, Pictures, Receipt
from rapport.listening.services import album
from rapport.listening.tests.drawing import drawn
from rapport.messaging.services import drain, posting
from rapport.publishing import selectors, services
from rapport.publishing.tests.conftest import AtOnce
from rapport.web.conftest import MONDAY, logged_in
from rapport.web.pages.publishing.test_page import form, here  # noqa: F401  a fixture

if TYPE_CHECKING:
    from rapport.staff.models import Staff


WEEK = dt.timedelta(days=7)


@pytest.fixture
def shows(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The network takes two pictures."""
    offered: Any = registry.plugin(KIND, "loopback").offers
    monkeypatch.setattr(offered, "manners", replace(offered.manners, pictures=Pictures(most=2)))


def file(name: str = "lamp.jpg", content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, drawn() if content is None else content)


def digests(page: str) -> list[str]:
    return re.findall(r'name="picture" value="([0-9a-f]{64})"', page)


def test_a_picture_is_added_described_planned_and_seen_on_its_day(
    shows: None, alice: Staff, bob: Staff, charlie: Staff
) -> None:
    client = logged_in(alice)
    added = client.post("/publishing/pictures/", form(files=[file()])).content.decode()
    (digest,) = digests(added)
    assert "Picture 1 has no alternative text" in added  # said by the network's own card, at once
    asked = form(picture=[digest], do="submit")
    refused = client.post("/publishing/new/", asked, follow=True).content.decode()
    assert "has those words alone" in refused
    (kept,) = selectors.calendar(MONDAY, MONDAY + WEEK)
    assert (kept.state, kept.pictures[0].digest) == ("draft", digest)
    said = form(picture=[digest], do="submit", version=str(kept.version)) | {f"alt_{digest}": "A lamp <lit>."}
    client.post(f"/publishing/{kept.id}/", said)
    assert selectors.post(kept.id).state == "planned"
    page = client.get("/publishing/").content.decode()
    assert f'/publishing/pictures/{digest}/" alt="A lamp &lt;lit&gt;."' in page
    small, whole = (client.get(f"/publishing/pictures/{digest}/{more}") for more in ("", "?whole"))
    assert small["Content-Type"] == whole["Content-Type"] == "image/jpeg"
    assert whole.content == album.find(digest).path.read_bytes()
    assert len(small.content) > 100
    assert "private" in small["Cache-Control"]
    assert logged_in(bob).get(f"/publishing/pictures/{digest}/").status_code == 200
    assert logged_in(charlie).get(f"/publishing/pictures/{digest}/").status_code == 403
    assert Client().get(f"/publishing/pictures/{digest}/").status_code == 302
    assert logged_in(bob).post("/publishing/pictures/", form(files=[file()])).status_code == 403
    assert client.get(f"/publishing/pictures/{'0' * 64}/").status_code == 404


def test_what_is_no_picture_is_said_and_the_others_stay(shows: None, alice: Staff) -> None:
    client = logged_in(alice)
    (digest,) = digests(client.post("/publishing/pictures/", form(files=[file()])).content.decode())
    chosen = form(picture=[digest], files=[file("notes.pdf", b"%PDF-1.7")]) | {f"alt_{digest}": "A lamp."}
    page = client.post("/publishing/pictures/", chosen).content.decode()
    assert digests(page) == [digest]
    assert "“notes.pdf” is no picture that can be read" in page
    assert "A lamp." in page
    # Without any script the form itself says so, and keeps what was typed.
    answer = client.post("/publishing/new/", chosen | {"files": [file("notes.pdf", b"%PDF-1.7")]})
    assert answer.status_code == 400
    assert digests(answer.content.decode()) == [digest]
    assert "The new blade is in the shop." in answer.content.decode()


def test_a_file_that_is_no_picture_keeps_none_behind_it_out(shows: None, alice: Staff) -> None:
    files = [file("notes.pdf", b"%PDF-1.7"), file()]
    page = logged_in(alice).post("/publishing/pictures/", form(files=files)).content.decode()
    assert len(digests(page)) == 1
    assert "“notes.pdf” is no picture that can be read" in page


def test_one_that_is_no_longer_kept_takes_no_other_along(shows: None, alice: Staff) -> None:
    client = logged_in(alice)
    files = [file(), file("other.jpg", drawn(99, 99))]
    gone, other = digests(client.post("/publishing/pictures/", form(files=files)).content.decode())
    album.take_away(gone)  # as a day after it was chosen for a post that nobody kept
    given = form(picture=[gone, other]) | {f"alt_{gone}": "A lamp.", f"alt_{other}": "Another lamp."}
    answer = client.post("/publishing/new/", given | {"files": [file("third.jpg", drawn(120, 90))]})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "This picture is no longer kept" in page
    assert len(digests(page)) == 2
    assert digests(page)[0] == other
    assert "Another lamp." in page


def test_one_is_taken_away_again_and_more_than_four_are_refused(shows: None, alice: Staff) -> None:
    client = logged_in(alice)
    files = [file(f"{n}.jpg", drawn(100 + n, 80)) for n in range(5)]
    page = client.post("/publishing/pictures/", form(files=files)).content.decode()
    found = digests(page)
    assert len(found) == 4
    assert "4 pictures at most" in page
    assert 'type="file"' not in page
    page = client.post(
        "/publishing/pictures/", form(picture=found, do=f"without:{found[1]}")
    ).content.decode()
    assert digests(page) == [found[0], *found[2:]]
    assert "takes 2 pictures at most" in page
    # The same without any script: nothing is kept yet, and nothing that was typed is lost.
    answer = client.post("/publishing/new/", form(picture=found, do=f"without:{found[0]}"))
    assert answer.status_code == 200
    assert digests(answer.content.decode()) == found[1:]
    assert selectors.calendar(MONDAY, MONDAY + WEEK) == []


def test_who_approves_sees_pictures_and_their_words_and_a_draft_can_be_deleted(
    shows: None, alice: Staff, bob: Staff
) -> None:
    kept = album.keep(drawn())
    shown = [services.Shown(kept.digest, "A lamp on a desk.")]
    post = services.write(
        services.Written("Open on Sunday.", ["here"], language="en", pictures=shown), by=bob.email
    )
    services.submit(post.pk, by=bob.email)
    client = logged_in(alice)
    page = client.get(f"/publishing/{post.pk}/").content.decode()
    approval = page[page.index("May this leave?") : page.index("</form>", page.index("May this leave?"))]
    assert "A lamp on a desk." in approval
    assert f"/publishing/pictures/{kept.digest}/" in approval
    assert "data-confirm" not in approval
    client.post(f"/publishing/{post.pk}/do/", {"do": "send_back", "because": "Which Sunday?"})
    assert 'value="discard"' in client.get(f"/publishing/{post.pk}/").content.decode()
    client.post(f"/publishing/{post.pk}/do/", {"do": "discard"})
    assert client.get(f"/publishing/{post.pk}/").status_code == 404
    assert client.get(f"/publishing/pictures/{kept.digest}/").status_code == 404


def test_anybody_may_fetch_a_picture_while_its_post_is_on_its_way_and_nobody_after(
    shows: None, home: Path, alice: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = album.keep(drawn())
    post = services.write(
        services.Written(
            "Open.",
            ["here"],
            language="en",
            pictures=[services.Shown(kept.digest, "A lamp.")],
            planned_at=MONDAY,
        ),
        by=alice.email,
    )
    services.submit(post.pk, by=alice.email)
    stranger, seen = Client(), dict[str, Any]()

    def publish(_config: Any, draft: Draft, _context: Any) -> Receipt:
        seen["address"] = draft.media[0].url.partition("8000")[2]
        seen["got"] = stranger.get(seen["address"])
        seen["cut"] = stranger.get(seen["address"][:-3])
        return Receipt("p1")

    monkeypatch.setattr(registry.plugin(KIND, "loopback").offers, "publish", publish)
    monkeypatch.setattr(posting, "ThreadPoolExecutor", lambda *_, **__: AtOnce())
    services.leave_due()
    drain()
    got = seen["got"]
    assert (got.status_code, got["Content-Type"], got["Cache-Control"]) == (200, "image/jpeg", "no-store")
    assert got.content == kept.path.read_bytes()
    assert seen["cut"].status_code == 404
    services.follow_up()
    assert selectors.post(post.pk).state == "published"
    assert stranger.get(seen["address"]).status_code == 404
