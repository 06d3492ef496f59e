"""Links to the customer's own pages: whose they are, what they open, and for how long."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.consent import links
from rapport.kit import clock
from rapport.kit.errors import Denied, Invalid

ANA = "email:ana@example.org"


def token_of(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.mark.parametrize("page", sorted(links.PAGES))
def test_every_page_has_an_address_that_tells_whose_it_is(page: str) -> None:
    url = links.url_for(ANA, page)
    assert url.startswith(f"http://localhost:8000/my/{page}/")
    assert links.holder(token_of(url)) == ANA
    assert "ana" not in url


def test_only_pages_that_show_or_erase_need_a_fresh_link() -> None:
    fresh = {page for page in links.PAGES if links.fresh_holder(token_of(links.url_for(ANA, page)))}
    assert fresh == {"everything", "correct", "take", "forget"}


def test_a_standing_link_outlives_a_year_and_a_fresh_one_a_week(noon: dt.datetime) -> None:
    wishes, everything = links.url_for(ANA), links.url_for(ANA, "everything")
    with clock.frozen(noon + dt.timedelta(days=6)):
        assert links.fresh_holder(token_of(everything)) == ANA
    with clock.frozen(noon + dt.timedelta(days=7)):
        assert links.fresh_holder(token_of(everything)) is None
        with pytest.raises(Denied):
            links.holder(token_of(everything))
        assert links.past_holder(token_of(everything)) == ANA, "it may still ask for a new one"
    with clock.frozen(noon + dt.timedelta(days=399)):
        assert links.holder(token_of(wishes)) == ANA
    with clock.frozen(noon + dt.timedelta(days=400)), pytest.raises(Denied):
        links.holder(token_of(wishes))


def test_the_way_out_of_an_old_message_never_closes(noon: dt.datetime) -> None:
    url = links.one_click_url(ANA, "marketing", "email", "m-1")
    assert links.one_click(token_of(url)) == links.OneClick(ANA, "marketing", "email", "m-1", is_old=False)
    with clock.frozen(noon + dt.timedelta(days=4_000)):
        asked = links.one_click(token_of(url))
    assert asked == links.OneClick(ANA, "marketing", "email", "m-1", is_old=True)


def test_no_kind_of_link_passes_for_another() -> None:
    one_click = token_of(links.one_click_url(ANA, "marketing", "email", "m-1"))
    for read in (links.holder, links.past_holder):
        with pytest.raises(Invalid):
            read(one_click)
    assert links.fresh_holder(one_click) is None
    assert links.fresh_holder(links.standing_token(ANA)) is None
    with pytest.raises(Invalid):
        links.one_click(links.standing_token(ANA))


def test_the_address_is_the_one_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", "https://kind.example.org/")
    assert links.url_for(ANA, lang="ko").startswith("https://kind.example.org/my/preferences/")
    assert links.url_for(ANA, lang="ko").endswith("?lang=ko")
    assert links.one_click_url(ANA, "marketing", "").startswith("https://kind.example.org/u/")


def test_a_page_that_is_not_there_is_said() -> None:
    with pytest.raises(Invalid, match="no page 'cart'"):
        links.url_for(ANA, "cart")
