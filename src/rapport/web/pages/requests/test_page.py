from __future__ import annotations

import datetime as dt
import json

import pytest

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.staff.models import Staff
from rapport.web import jobs
from rapport.web.conftest import logged_in


def test_alice_sees_what_is_due_first_and_what_is_late(alice: Staff, ana: int) -> None:
    client = logged_in(alice)
    assert "Nobody waits for an answer." in client.get("/privacy/requests/").content.decode()
    with clock.frozen(clock.now() - dt.timedelta(days=32)):
        services.open_request(ana, "access")
    services.open_request(ana, "erasure")
    html = client.get("/privacy/requests/").content.decode()
    assert html.index("See everything") < html.index("Be forgotten")
    assert "2 days late" in html or "3 days late" in html
    home = client.get("/").content.decode()
    assert "1 request of a person is overdue" in home
    assert "1 request of a person waits for an answer" in home


def test_alice_writes_down_what_was_said_on_the_telephone(alice: Staff, ana: int) -> None:
    client = logged_in(alice)
    told = {"ref": "email:ana@example.org", "kind": "correction", "note": "My name is Anna."}
    answer = client.post("/privacy/requests/new/", told)
    (asked,) = consent.open_requests()
    assert answer.url == f"/privacy/requests/{asked.id}/"  # type: ignore[attr-defined]
    assert "My name is Anna." in client.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert client.post("/privacy/requests/new/", {"ref": "?", "kind": "correction"}).status_code == 400
    assert client.post("/privacy/requests/new/", {**told, "kind": "pizza"}).status_code == 400


def test_an_erasure_runs_as_a_job_and_leaves_a_certificate(alice: Staff, ana: int) -> None:
    client = logged_in(alice)
    asked = services.open_request("email:ana@example.org", "erasure", note="please")
    html = client.get(f"/privacy/requests/{asked.id}/").content.decode()
    assert "customer:1</li>" in html
    assert "Erase them</button>" in html
    client.post(f"/privacy/requests/{asked.id}/", {"do": "carry_out"})
    assert "Being carried out" in client.get(f"/privacy/requests/{asked.id}/").content.decode()
    jobs.run_due()
    html = client.get(f"/privacy/requests/{asked.id}/").content.decode()
    assert "Certificate" in html
    assert "ana@" not in html
    done = consent.request(asked.id)
    printed = client.get(f"/privacy/erasures/{done.erasure}/").content.decode()
    assert "Otter Tools" in printed
    assert "ana@" not in printed
    with pytest.raises(NotFound):
        people.person_id(ana)
    assert "erased" in client.get("/privacy/requests/").content.decode()


def test_an_erasure_that_fails_is_open_again_and_its_job_names_nobody(
    alice: Staff, ana: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_tasks_db.models import DBTaskResult

    asked = services.open_request("email:ana@example.org", "erasure")

    def fails(*_: object, **__: object) -> None:
        raise ValueError("ana@example.org")

    monkeypatch.setattr("rapport.consent.services.erasing.erase", fails)
    logged_in(alice).post(f"/privacy/requests/{asked.id}/", {"do": "carry_out"})
    jobs.run_due()
    assert consent.request(asked.id).state == "open"
    (job,) = DBTaskResult.objects.all()
    assert "ana@" not in f"{job.traceback}{job.args_kwargs}"
    assert "an erasure stopped: ValueError" in job.traceback


def test_the_file_with_everything_is_for_who_may_export(alice: Staff, ana: int) -> None:
    asked = services.open_request(ana, "access")
    answer = logged_in(alice).get(f"/privacy/requests/{asked.id}/everything.json")
    assert "It came late." in json.dumps(json.loads(answer.content))
    assert "attachment" in answer["Content-Disposition"]


def test_an_objection_is_carried_out_at_once(alice: Staff, ana: int) -> None:
    asked = services.open_request(ana, "objection")
    logged_in(alice).post(f"/privacy/requests/{asked.id}/", {"do": "carry_out", "answer": "Done."})
    assert consent.request(asked.id).state == "done"
    assert not consent.allows(ana, "profiling").allowed


def test_a_refusal_needs_its_reason(alice: Staff, ana: int) -> None:
    client = logged_in(alice)
    asked = services.open_request(ana, "erasure")
    assert client.post(f"/privacy/requests/{asked.id}/", {"do": "refuse"}).status_code == 400
    assert client.post(f"/privacy/requests/{asked.id}/", {"do": "dance"}).status_code == 400
    client.post(f"/privacy/requests/{asked.id}/", {"do": "refuse", "answer": "An invoice is open."})
    assert "An invoice is open." in client.get(f"/privacy/requests/{asked.id}/").content.decode()
    assert client.post(f"/privacy/requests/{asked.id}/", {"do": "carry_out"}).status_code == 409


def test_bob_and_charlie_see_no_requests(bob: Staff, charlie: Staff, ana: int) -> None:
    asked = services.open_request(ana, "erasure")
    for staff in (bob, charlie):
        client = logged_in(staff)
        for address in ("/privacy/requests/", f"/privacy/requests/{asked.id}/", "/privacy/requests/new/"):
            assert client.get(address).status_code == 403
        assert client.post(f"/privacy/requests/{asked.id}/", {"do": "carry_out"}).status_code == 403
    assert consent.request(asked.id).state == "open"
