from __future__ import annotations

import pytest
from django.test import Client

from rapport.staff.models import Staff
from rapport.surveys import rules, selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters
from rapport.web.conftest import Say, logged_in


@pytest.fixture
def client(alice: Staff, say: Say) -> Client:
    surveys.create("mine", starters.starter("csat", ["en", "de"]).definition, by="alice")
    return logged_in(alice)


def draft() -> rules.Definition:
    return selectors.survey("mine").draft


def test_logic_stands_there_as_sentences(client: Client) -> None:
    html = client.get("/surveys/mine/edit/").content.decode()
    assert "Asked only if the answer to “How satisfied are you with your order?” is at most “3”." in html
    assert "Publish</button>" in html


def test_questions_are_added_moved_and_removed(client: Client) -> None:
    added = client.post("/surveys/mine/change/", {"do": "add", "kind": "single", "text": "Which colour?"})
    assert added.headers["Location"].endswith("/questions/which_colour/")
    client.post("/surveys/mine/change/", {"do": "up:which_colour"})
    client.post("/surveys/mine/change/", {"do": "delete:words"})
    assert [q.key for q in draft().questions] == ["satisfied", "trouble", "which_colour"]
    html = client.get("/surveys/mine/edit/").content.decode()
    assert "“Which colour?”: It needs two choices at least." in html
    assert "Publish</button>" not in html
    assert client.post("/surveys/mine/change/", {"do": "delete:words"}).status_code == 404
    assert client.post("/surveys/mine/change/", {"do": "paint"}).status_code == 400
    assert client.post("/surveys/mine/state/", {"do": "publish"}).status_code == 409


def test_one_question_is_written_in_every_language(client: Client) -> None:
    given = {
        "text_en": "What went wrong?", "text_de": "Was war?", "is_required": "on",
        "choice_0_key": "late", "choice_0_en": "Late", "choice_0_de": "Spät",
        "choice_1_key": "wrong", "choice_1_en": "", "choice_1_de": "",
        "choice_2_key": "", "choice_2_en": "Too dear", "choice_2_de": "Zu teuer",
        "if_0_about": "answer:satisfied", "if_0_operator": "at_most", "if_0_values": "2",
        "if_1_about": "trait:country", "if_1_operator": "one_of", "if_1_values": "DE, AT",
        "jump_0_to": "@end", "jump_0_about": "answer:trouble", "jump_0_operator": "one_of",
        "jump_0_values": "Zu teuer",
        "trait": "", "gives_kind": "",
    }  # fmt: skip
    assert client.post("/surveys/mine/questions/trouble/", given).status_code == 302
    trouble = draft().question("trouble")
    assert trouble is not None
    assert [(c.key, dict(c.text)) for c in trouble.choices] == [  # type: ignore[attr-defined]
        ("late", {"en": "Late", "de": "Spät"}),
        ("too_dear", {"en": "Too dear", "de": "Zu teuer"}),
    ]
    assert trouble.show_if == (
        rules.Condition("answer", "satisfied", "at_most", ("2",)),
        rules.Condition("trait", "country", "one_of", ("DE", "AT")),
    )
    assert trouble.jumps == (
        rules.Jump(rules.END, (rules.Condition("answer", "trouble", "one_of", ("too_dear",)),)),
    )
    assert "What went wrong?" in client.get("/surveys/mine/questions/trouble/").content.decode()


def test_a_question_about_the_person_must_give_something(client: Client) -> None:
    base = {"text_en": "Anything?", "text_de": "Etwas?", "trait": "car"}
    client.post("/surveys/mine/questions/words/", {**base, "gives_kind": ""})
    html = client.get("/surveys/mine/edit/").content.decode()
    assert "gives nothing for it" in html
    given = {**base, "gives_kind": "text", "gives_text_en": "A guide.", "gives_text_de": "Ein Heft."}
    client.post("/surveys/mine/questions/words/", given)
    assert "gives nothing for it" not in client.get("/surveys/mine/edit/").content.decode()


def test_words_around_quotas_and_what_is_promised(client: Client) -> None:
    given = {
        "do": "texts", "languages": ["de"], "title_en": "Well?", "title_de": "Und?", "gives_kind": "",
        "incentive_en": "A voucher", "incentive_de": "Ein Gutschein", "incentive_minor": "500",
        "incentive_currency": "eur",
    }  # fmt: skip
    client.post("/surveys/mine/change/", given)
    assert draft().languages == ("en", "de")  # the one it is written in stays
    assert draft().incentive == rules.Incentive({"en": "A voucher", "de": "Ein Gutschein"}, 500, "EUR")
    assert client.post("/surveys/mine/change/", {**given, "incentive_minor": "5.00"}).status_code == 400
    quota = {"do": "quota", "name": "Happy", "limit": "10", "quota_0_about": "answer:satisfied"}
    client.post("/surveys/mine/change/", {**quota, "quota_0_operator": "at_least", "quota_0_values": "4"})
    assert draft().quotas == (
        rules.Quota("happy", "Happy", 10, (rules.Condition("answer", "satisfied", "at_least", ("4",)),)),
    )
    client.post("/surveys/mine/change/", {"do": "unquota:happy"})
    assert draft().quotas == ()


def test_publishing_pausing_and_throwing_away(client: Client) -> None:
    client.post("/surveys/mine/state/", {"do": "publish"})
    assert selectors.survey("mine").version == 1
    assert "Published as it is" in client.get("/surveys/mine/edit/").content.decode()
    assert client.post("/surveys/mine/state/", {"do": "discard"}).status_code == 409
    for do, state in (("pause", "paused"), ("open_again", "published"), ("close", "closed")):
        client.post("/surveys/mine/state/", {"do": do})
        assert selectors.survey("mine").state == state
    surveys.create("other", starters.starter("blank", ["en"]).definition, by="alice")
    client.post("/surveys/other/state/", {"do": "discard"})
    assert client.get("/surveys/other/edit/").status_code == 404
