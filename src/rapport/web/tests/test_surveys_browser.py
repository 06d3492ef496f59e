"""Surveys in a real browser: axe-core finds nothing serious, they fit, keys suffice, script is not needed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rapport.kit import signing
from rapport.staff.models import Staff
from rapport.surveys import rules, selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters
from rapport.web.conftest import PASSWORD
from rapport.web.tests.test_customers_browser import AXE, CHROMIUM, RULES, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run scripts/node.sh"),
]
ANA = "email:ana@example.org"
KINDS = ("single", "multiple", "scale", "open", "date", "number")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"):
        pytest.skip("the pages are the same there, and the other run looks at them")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # The browser's own loop runs in this thread, which is no reason for Django to refuse its queries.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(
    transactional_db: None, home: Path, alice: Staff, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A site with surveys of every kind of question."""
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", live_server.url)
    for name in ("nps", "csat", "registration", "ces"):
        begun = starters.starter(name, ["en", "de"])
        surveys.create(name, begun.definition, by="alice", reach=surveys.Reach(("link", "mail", "site")))
        surveys.publish(name, by="alice")
    surveys.pause("ces")
    surveys.create("every-kind", every_kind(), by="alice")
    surveys.publish("every-kind", by="alice")
    return str(live_server.url)


def every_kind() -> rules.Definition:
    questions = []
    for n, kind in enumerate(KINDS):
        more: dict[str, Any] = {}
        if kind in {"single", "multiple"}:
            more["choices"] = tuple(rules.Choice(k, {"en": f"Choice {k}"}) for k in "abc")
        if kind == "scale":
            more |= {"low_text": {"en": "Not at all"}, "high_text": {"en": "Very much so, without any doubt"}}
        questions.append(
            rules.KINDS[kind](
                key=kind, text={"en": f"What about {kind}?"}, help={"en": "In short."},
                is_required=True, with_previous=n > 0, **more,
            )
        )  # fmt: skip
    return rules.Definition(languages=("en",), title={"en": "Every kind"}, questions=tuple(questions))


def serious(page: Any) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:200]})"
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_serious_and_every_page_fits(
    site: str, chromium: Any, width: int, scheme: str
) -> None:
    page = opened(chromium, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    wrong: dict[str, list[str]] = {}

    def look(name: str) -> None:
        assert page.locator("h1").count() == 1, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if found := serious(page):
            wrong[name] = found

    for slug in ("nps", "csat", "registration", "every-kind", "ces", "nps/inline"):
        page.goto(f"{site}/s/{slug}")
        look(slug)
    page.goto(f"{site}/s/every-kind")
    page.click("button.primary")
    page.wait_for_selector(f".question .wrong >> nth={len(KINDS) - 1}")
    assert page.locator(".question .wrong").count() == len(KINDS)
    look("nothing answered")
    page.goto(f"{site}/s/nps/{surveys.survey_token('nps', ANA)}")
    page.check("input[value='9']")
    page.click("button.primary")
    page.wait_for_selector("textarea")
    look("second page")
    page.fill("textarea", "Fast.")
    page.click("button.primary")
    page.wait_for_selector("text=Your answers are kept.")
    look("end")
    page.context.close()
    assert wrong == {}


def test_keys_alone_and_no_script_answer_a_survey_and_go_back(site: str, chromium: Any) -> None:
    page = opened(chromium, java_script_enabled=False, locale="en-GB")
    page.goto(f"{site}/s/csat")
    page.locator("input[value='1']").focus()
    page.keyboard.press("ArrowRight")  # from 1 to 2
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=What went wrong?")
    page.locator("input[value=late]").focus()
    page.keyboard.press("Space")
    page.click("button.primary")
    page.wait_for_selector("textarea")
    page.click("a:has-text('Back')")
    assert page.locator("input[value=late]").is_checked()
    page.go_back()
    page.fill("textarea", "The parcel lay in the rain.")
    page.click("button.primary")
    page.wait_for_selector("text=Your answers are kept.")
    (token,) = signing.read("response", page.url.partition("?")[0].rpartition("/")[2])
    assert selectors.response(uuid.UUID(token)).answers == {
        "satisfied": 2,
        "trouble": ("late",),
        "words": "The parcel lay in the rain.",
    }
    assert page.context.cookies() == []
    page.context.close()


def logged_in(chromium: Any, site: str, **options: Any) -> Any:
    page = opened(chromium, base_url=site, **options)
    page.goto("/login/")
    page.fill("[name=username]", "alice@example.com")
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_selector("h1")
    return page


@pytest.mark.parametrize("script", [True, False])
def test_a_survey_is_built_and_published_with_and_without_script(
    site: str, chromium: Any, script: bool
) -> None:
    page = logged_in(chromium, site, java_script_enabled=script)
    page.goto("/surveys/new/")
    page.check("input[name=starter][value=blank]")
    page.fill("[name=slug]", "mine")
    page.click("main button.primary")
    page.wait_for_selector("text=There is no question yet. Add one.")
    page.fill("#title_en", "Mine")
    page.click("button[value=texts]")
    page.wait_for_selector("text=The title is missing", state="detached")
    for text, kind in (("How was it?", "csat"), ("Why?", "open")):
        page.wait_for_selector("#add-text")
        page.fill("#add-text", text)
        page.select_option("#add-kind", kind)
        page.click("button[value=add]")
        page.wait_for_selector("#text_en")
        page.click("button[value=keep]")
    page.wait_for_selector("li#q-why")
    page.click("li#q-why button:has-text('Up')")
    page.wait_for_selector("ol.questions > li:first-child#q-why")
    page.click("li#q-why button:has-text('Down')")
    page.wait_for_selector("ol.questions > li:first-child#q-how_was_it")
    page.click("li#q-why h3 a")
    page.select_option("#if_0_about", "answer:how_was_it")
    page.select_option("#if_0_operator", "at_most")
    page.fill("#if_0_values", "3")
    page.click("button[value=keep]")
    page.wait_for_selector("text=Asked only if the answer to “How was it?” is at most “3”.")
    page.click("button[value=publish]")
    page.wait_for_selector("text=Version 1 is open for answers.")
    definition = selectors.asked("mine").definition
    assert [q.key for q in definition.questions] == ["how_was_it", "why"]
    assert definition.questions[1].show_if == (rules.Condition("answer", "how_was_it", "at_most", ("3",)),)
    page.context.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_staffs_pages_fit_and_axe_finds_nothing_serious(site: str, chromium: Any, width: int) -> None:
    client = Client()
    onward = client.post("/s/nps", {"page": "0", "q-recommend": "9"}).headers["Location"]
    client.post(onward, {"page": "1", "q-why": "Fast."})
    from rapport.surveys.tests.conftest import settle

    settle()
    page = logged_in(chromium, site, viewport={"width": width, "height": 800}, bypass_csp=True)
    wrong: dict[str, list[str]] = {}
    for path in (
        "/surveys/",
        "/surveys/new/",
        "/surveys/csat/edit/",
        "/surveys/csat/questions/trouble/",
        "/surveys/csat/preview/?width=320",
        "/surveys/nps/ask/",
        "/surveys/nps/results/",
        "/surveys/nps/results/bias/",
        "/surveys/nps/answers/",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if found := serious(page):
            wrong[path] = found
    page.context.close()
    assert wrong == {}
