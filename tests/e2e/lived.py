"""Somebody leaves a trace in every room of a data folder: run beside the test that erases them.

Usage: python lived.py EMAIL SURNAME, with RAPPORT_HOME and Django's settings in the environment.
"""

# ruff: noqa: E402  Django must be set up before its models are imported

from __future__ import annotations

import json
import sys

import django
from django.test.utils import setup_test_environment

django.setup()
setup_test_environment()  # so that a page's own values can be read

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rapport.consent import services as consent
from rapport.events import selectors, spool, subscriptions
from rapport.events import services as log
from rapport.insights import services as insights
from rapport.messaging import services as messaging
from rapport.pacing import services as pacing
from rapport.people import selectors as people
from rapport.segments.services import columns as people_in_columns
from rapport.staff import services as staff
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters
from rapport.web import jobs
from rapport.web.stores import initialise

EMAIL, SURNAME = sys.argv[1:]
CSV = f"id,email,name,city\n77,{EMAIL},Ana {SURNAME},{SURNAME}ville\n78,bo@example.org,Bo Berg,Malmo\n"
BAD = f"order_id,ordered_at,email,product_code,quantity,unit_price\n9,2026-01-02,{EMAIL},w,four {SURNAME},1\n"


def settle() -> None:
    log.settle(spool.current().next_seq() - 1)
    subscriptions.drain()


def segment(**message: object) -> None:
    body = json.dumps({"batch": [{"userId": "77", **message}]}).encode()
    spool.current().append([spool.Body(kind=spool.SEGMENT, source="site", n=1, body=body)])


def upload(client: Client, kind: str, text: str, do: str) -> None:
    file = SimpleUploadedFile("file.csv", text.encode())
    path = client.post("/sources/upload/", {"kind": kind, "source": "crm", "file": file})["Location"]
    columns = client.get(path).context["columns"]
    form = {"column": [c.name for c in columns], "field": [c.chosen for c in columns], "source": "crm"}
    answer = client.post(path, {**form, "do": do, "mapping_name": "m"})
    assert answer.status_code in (200, 302), answer.content[:500]
    jobs.run_due()


def main() -> None:
    initialise()
    owner = staff.create_owner(
        name="Alice",
        email="alice@example.com",
        password="seven quiet otters swim",
        organisation="Otter Tools",
        timezone="Europe/Madrid",
        language="en",
        currency="EUR",
    )
    client = Client(HTTP_HOST="localhost")
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")

    upload(client, "people", CSV, "import")
    upload(client, "people", CSV, "check")  # tried dry, and left lying
    upload(client, "orders", BAD, "import")  # refused, with what it said
    segment(
        type="identify",
        messageId="i1",
        anonymousId=f"anon{SURNAME}",
        traits={"email": EMAIL, "name": f"Ana {SURNAME}"},
    )
    segment(
        type="track", messageId="t1", event="Complaint Raised", properties={"text": f"{SURNAME} is angry"}
    )
    segment(type="track", messageId="t2", event="order_placed", properties={"order_id": 5, "note": SURNAME})
    settle()

    consent.grant(f"email:{EMAIL}", "marketing", "email", how="form", shown=f"https://shop/{SURNAME}")
    consent.grant(f"email:{EMAIL}", "research", "email", how="form")
    consent.state_preference(f"email:{EMAIL}", "language", "de")
    consent.open_request(f"email:{EMAIL}", "access", note=f"I am {SURNAME}")
    consent.suppress(f"email:{EMAIL}", "phone", "staff")
    messaging.send(
        messaging.Outgoing(
            to=f"email:{EMAIL}",
            purpose="service",
            template="receipt",
            key=f"receipt {SURNAME}",
            context={"number": "5", "what": f"Wipers for {SURNAME}", "amount": "8 EUR", "date": "2026-03-02"},
        )
    )
    begun = starters.starter("nps", ("en",))
    surveys.create("nps", begun.definition, by="alice", reach=surveys.Reach(begun.places))
    surveys.publish("nps", by="alice")
    response = surveys.begin("nps", identifier=f"email:{EMAIL}", place="link", language="en")
    surveys.answer(response, 0, {"recommend": ["3"]})
    surveys.answer(response, 1, {"why": [f"{SURNAME} waited too long"]})
    log.touchpoint("post_published", f"mastodon:{SURNAME}@social.example", source="m", text=f"{SURNAME} said")
    log.touchpoint(
        "person_identified",
        "customer:77",
        source="site",
        also=[f"mastodon:{SURNAME}@social.example"],
        evidence="login",
        properties={"traits": {}},
    )
    settle()
    pacing.define("everything", 0.5)
    pacing.holdout(people.person_id("customer:77"), "everything")
    insights.run(["rfm", "language", "sentiment"])
    settle()
    people_in_columns.renew()
    log.touchpoint("page_viewed", "customer:77", source="shop", properties={"path": f"/account/{SURNAME}"})
    settle()
    people_in_columns.renew()
    client.get("/people/", {"q": SURNAME})
    client.get(f"/people/{people.person_id('customer:77')}/")
    print(
        json.dumps(
            {
                "person": people.person_id("customer:77"),
                "events": len(selectors.events_page(selectors.Filter())),
            }
        )
    )


main()
