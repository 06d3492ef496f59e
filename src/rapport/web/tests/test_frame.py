"""What holds for every page: who may open it, what its headers say, how an error is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import URLPattern, get_resolver

from rapport.kit import errors as kit_errors
from rapport.staff import services
from rapport.staff.models import Staff
from rapport.web import errors
from rapport.web.conftest import logged_in

WEB = Path(errors.__file__).parent


def patterns() -> Iterator[URLPattern]:
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            assert str(pattern.pattern) == "api/"  # asks for a token by itself, see its own tests


@pytest.mark.parametrize("pattern", list(patterns()), ids=lambda p: str(p.pattern) or "/")
def test_every_page_says_who_may_open_it(pattern: URLPattern) -> None:
    view = pattern.callback
    is_public = getattr(view, "login_required", True) is False
    assert is_public or hasattr(view, "right"), "use access.needs, access.for_all_staff or access.public"


def test_only_these_and_customers_own_pages_are_open_to_everybody() -> None:
    views = {p.name: p.callback for p in patterns() if getattr(p.callback, "login_required", True) is False}
    public = {name for name, view in views.items() if ".pages.customer_" not in view.__module__}
    assert public == {
        *("livez", "readyz", "metrics", "favicon", "set_language", "login", "login_link", "enter", "setup"),
        "followed",  # a link in a message
        "picture_fetched",  # a network fetches it while a post leaves; its address cannot be guessed
        "source_hook",  # networks call it; each source's connector checks the signature
        "source_place",  # what lies behind it: an inbox, an account, a post
        "webfinger",  # how others find an account of ours
        None,  # what is not there below /api/
    }


def test_alice_bob_and_charlie_see_what_their_role_opens(alice: Staff, bob: Staff, charlie: Staff) -> None:
    def rail(staff: Staff) -> set[str]:
        html = logged_in(staff).get("/settings/").content.decode()
        nav = html[html.index("<nav") : html.index("</nav>")]
        return set(re.findall(r'<a [^>]*href="(/[^"]*)"', nav))

    assert {"/", "/staff/", "/settings/"} <= rail(alice)
    assert "/staff/" not in rail(bob)
    assert "/" in rail(bob)
    assert rail(charlie) == {"/", "/settings/"}  # the name of the product leads home, where he is told


def test_charlie_is_told_whom_to_ask(charlie: Staff) -> None:
    answer = logged_in(charlie).get("/")
    assert answer.status_code == 403
    assert "Your role does not open this page." in answer.content.decode()
    html = answer.content.decode()
    assert "Ask Alice to change your role." in html
    assert '<a class="button" href="/settings/">' in html  # the way out leads somewhere he may go


def test_bob_may_not_manage_staff_even_by_hand(alice: Staff, bob: Staff) -> None:
    client = logged_in(bob)
    assert client.get("/staff/").status_code == 403
    assert client.post(f"/staff/{bob.pk}/", {"do": "role", "role": "owner"}).status_code == 403
    bob.refresh_from_db()
    assert bob.role == "answers"


@pytest.mark.django_db
def test_a_stranger_is_sent_to_log_in_and_back() -> None:
    answer = Client().get("/settings/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/settings/")
    fragment = Client().get(
        "/palette/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/"}
    )
    assert fragment.headers["HX-Redirect"] == "/login/?next=%2Fsettings%2F"


# Content Security Policy


def test_every_answer_carries_the_policy(alice: Staff) -> None:
    for path in ("/settings/", "/login/", "/nowhere/", "/static/rapport.css"):
        client = logged_in(alice) if path != "/login/" else Client()
        answer = client.get(path)
        answer.close()
        policy = answer.headers["Content-Security-Policy"]
        directives = dict(part.split(" ", 1) for part in policy.split("; "))
        assert directives["default-src"] == "'none'"
        assert directives["script-src"] == "'self'"
        assert directives["style-src"] == "'self'"
        assert directives["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy


@pytest.mark.parametrize("template", sorted(WEB.rglob("*.html")), ids=lambda p: str(p.relative_to(WEB)))
def test_no_template_has_what_the_policy_refuses(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(
        r"<style|\sstyle=|javascript:|\son[a-z]+=|hx-on|<script(?![^>]*(\ssrc=|\stype=.application/json))",
        text,
    )


def test_our_script_needs_no_evaluation() -> None:
    script = (WEB / "static" / "rapport.js").read_text("utf-8")
    assert not re.search(r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|\.style\b", script)


def test_every_key_of_the_script_is_in_the_list_of_keys() -> None:
    script = (WEB / "static" / "rapport.js").read_text("utf-8")
    block = script[script.index("const keys = {") :]
    keys = re.findall(r'^\s+"?([^\s":]+)"?: \(\)', block[: block.index("};")], re.MULTILINE)
    assert set(keys) == {"/", "?", "j", "k"}
    for template in WEB.rglob("*.html"):
        keys += re.findall(r'data-key="([a-z])"', template.read_text("utf-8"))
    assert {"n", "p"} <= set(keys)
    listed = (WEB / "components" / "dialogs.html").read_text("utf-8")
    for key in keys:
        assert f"<kbd>{key.upper()}</kbd>" in listed


# Errors


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (kit_errors.Invalid("bad", "do"), 400),
        (kit_errors.Denied("bad", "do"), 403),
        (kit_errors.NotFound("bad", "do"), 404),
        (kit_errors.Conflict("bad", "do"), 409),
        (kit_errors.Unavailable("bad", "do", retry_after_s=7), 503),
        (kit_errors.RapportError("bad", "do"), 500),
    ],
)
@pytest.mark.django_db
def test_a_domains_error_is_a_page_and_for_htmx_a_toast(
    error: kit_errors.RapportError, status: int, rf: RequestFactory
) -> None:
    from django_htmx.middleware import HtmxMiddleware

    for is_fragment in (False, True):
        request = rf.get("/x/", headers={"HX-Request": "true"} if is_fragment else None)
        seen: list[HttpResponse] = []

        def raises(request: HttpRequest, seen: list[HttpResponse] = seen) -> HttpResponse:
            answer = errors.DomainErrors(lambda r: HttpResponse()).process_exception(request, error)
            assert answer is not None
            seen.append(answer)
            return answer

        HtmxMiddleware(raises)(request)
        html = seen[0].content.decode()
        assert seen[0].status_code == status
        assert "Bad." in html
        assert "Do." in html
        assert ("<html" in html) is not is_fragment
        assert seen[0].headers.get("HX-Retarget") == ("#toasts" if is_fragment else None)
        assert ("Retry-After" in seen[0].headers) == (status == 503)


def test_another_exception_is_not_ours_to_tell(rf: RequestFactory) -> None:
    handler = errors.DomainErrors(lambda r: HttpResponse())
    assert handler.process_exception(rf.get("/"), ValueError("x")) is None


def test_a_page_that_is_not_there(alice: Staff) -> None:
    answer = logged_in(alice).get("/nowhere/")
    html = answer.content.decode()
    assert answer.status_code == 404
    assert "There is no page at /nowhere/." in html
    assert "<nav" in html  # within the frame
    outside = Client().get("/nowhere/").content.decode()
    assert "<nav" not in outside


def test_our_own_fault_is_told_without_the_frame(alice: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("rapport.web.layout.actions", broken)
    client = logged_in(alice)
    client.raise_request_exception = False
    answer = client.get("/palette/")
    html = answer.content.decode()
    assert answer.status_code == 500
    assert "rapport doctor" in html
    assert "secret detail" not in html


def test_our_own_fault_is_a_toast_where_only_a_part_was_asked_for(
    alice: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in(alice)
    client.raise_request_exception = False
    monkeypatch.setattr("rapport.people.selectors.people_page", lambda *_given, **_named: 1 / 0)
    answer = client.get("/people/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (500, "#toasts")
    html = answer.content.decode()
    assert "Something went wrong on our side." in html
    assert "<html" not in html


def test_a_form_without_its_cookie_is_told_what_to_do(alice: Staff) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post("/settings/", {"form": "mine", "name": "x"})
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("it broke", "It broke."),
        ("Why?", "Why?"),
        ("", ""),
        ("done.", "Done."),
        ("mine.csv is empty", "mine.csv is empty."),
    ],
)
def test_messages_become_sentences(text: str, told: str) -> None:
    assert errors.sentence(text) == told


# Language, zone, theme


def test_a_page_speaks_the_readers_language(alice: Staff) -> None:
    services.change_settings(alice, language="de")
    services.change_theme(alice, "dark")
    answer = logged_in(alice).get("/settings/")
    html = answer.content.decode()
    assert '<html lang="de" data-theme="dark">' in html
    assert "Einstellungen" in html


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/people/?q=a%26b", "/people/?q=a%26b"),
        ("http://testserver/not/a/page/", ""),  # this one
        ("http://testserver//elsewhere.example/", ""),
        ("http://elsewhere.example/people/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_an_error_leads_back_to_our_own_page_alone(alice: Staff, referer: str, back: str) -> None:
    answer = logged_in(alice).get("/not/a/page/", headers={"Referer": referer})
    assert answer.status_code == 404
    assert answer.context["back_url"] == back


def test_a_zone_that_no_longer_exists_shows_utc(alice: Staff) -> None:
    Staff.objects.filter(pk=alice.pk).update(timezone="Mars/Olympus")
    assert logged_in(alice).get("/staff/").status_code == 200


# Probes


@pytest.mark.django_db
def test_livez_and_readyz(home: Path) -> None:
    assert Client().get("/livez").content == b"ok\n"
    assert Client().get("/readyz").content == b"ok\n"
    (home / "lake" / "catalogue.sqlite").rename(home / "lake" / "gone")
    from rapport.events import lake

    lake.forget()
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert b"rapport init" in answer.content


def test_metrics_are_for_health_staff_or_the_token(
    home: Path, alice: Staff, bob: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = logged_in(alice).get("/metrics").content.decode()
    assert "# TYPE rapport_events_waiting gauge\nrapport_events_waiting 0\n" in text
    monkeypatch.setenv("RAPPORT_METRICS_TOKEN", "abc")
    assert logged_in(bob).get("/metrics").status_code == 403
    assert Client().get("/metrics").status_code == 403
    assert Client().get("/metrics", headers={"Authorization": "Bearer abd"}).status_code == 403
    assert Client().get("/metrics", headers={"Authorization": "Bearer abc"}).status_code == 200
    monkeypatch.delenv("RAPPORT_METRICS_TOKEN")
    assert Client().get("/metrics").status_code == 200
    assert Client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    assert Client(REMOTE_ADDR="203.0.113.9").get("/metrics").status_code == 403


@override_settings(ALLOWED_HOSTS=["localhost"])
@pytest.mark.django_db
def test_a_wrong_host_name_is_refused_in_our_words() -> None:
    answer = Client().get("/login/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
