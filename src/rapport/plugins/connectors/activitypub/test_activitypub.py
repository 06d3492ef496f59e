"""The account on the Fediverse, against two servers in this process."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Draft, Failed, Said
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.playing import ADDRESS
from rapport.listening.tests.serving import Answered, Fault
from rapport.plugins.connectors.activitypub import account as accounts
from rapport.plugins.connectors.activitypub import actors, signatures, writing
from rapport.plugins.connectors.activitypub.account import Config
from rapport.plugins.connectors.activitypub.plugin import plugin
from rapport.plugins.connectors.activitypub.simulator import PUBLIC, US, Fediverse, Person

CONFIG = Config("help", "Otter Tools", "We answer by day.", private_key=signatures.new_key())
HTML = "text/html,application/xhtml+xml"


class Otter(Reader):
    """The account under test, and what others read of it."""

    network: Fediverse

    def shown(self, place: str, accept: str = "application/activity+json") -> Any:
        got = self.receive({"accept": accept}, b"", method="GET", place=place)
        return json.loads(got.body) if got.status == 200 and "json" in got.content_type else got

    def hears(self, person: Person, activity: Any, **spoilt: str) -> list[Said]:
        got = self.receive(*person.signed(activity, **spoilt), place="inbox")
        assert got.status == 202
        return list(got.said)

    def delivers(self) -> None:
        self.plugin.deliver(self.config, self.context)


@pytest.fixture
def network() -> Fediverse:
    return Fediverse(Day(), lambda url: {"id": url})


@pytest.fixture
def otter(network: Fediverse) -> Otter:
    found = Otter(plugin, CONFIG, network)
    network.ours = lambda url: found.shown(url.removeprefix(ADDRESS))
    return found


@pytest.fixture
def ana(network: Fediverse) -> Person:
    return network.person("ana")


def draft(text: str, said: Said | None = None, *, id: str = "0190f5c8c0de7000a000000000000001") -> Draft:
    if said is None:
        return Draft(id, text, language="en")
    return Draft(id, text, in_reply_to=said.id, to=said.author, language="en", is_private=said.is_private)


def test_a_mention_arrives_whole(otter: Otter, ana: Person) -> None:
    note = ana.note(
        "My lantern<br>flickers &amp; smokes",
        contentMap={"en-GB": "other"},
        url=["https://lake.example/@ana/1"],
    )
    (said,) = otter.hears(ana, ana.does("Create", note))
    assert said == Said(
        id=note["id"],
        kind="post",
        ts=otter.network.day(),
        author="ana@lake.example",
        author_name="Ana",
        text="@help My lantern\nflickers & smokes",
        thread=note["id"],
        venue="mastodon:lake.example",
        language="en",
        url="https://lake.example/@ana/1",
        asks_us=True,
    )
    assert otter.hears(ana, ana.does("Create", note)) == [said], "what comes twice has the same id"
    assert otter.network.paths == ["/users/ana"], "a key is asked for once"
    secret = ana.note("Only you", number=2, to=[US], answers=note["id"], summary="Hush", cc=[])
    (said,) = otter.hears(ana, ana.does("Create", secret))
    assert (said.is_private, said.in_reply_to, said.thread) == (True, note["id"], "")
    assert said.text == "Hush\n\n@help Only you"


def test_what_is_not_about_us_costs_nothing(otter: Otter, ana: Person) -> None:
    aside = {**ana.note("Hello"), "tag": [], "cc": []}
    vote = ana.note("", number=2, name="Yes", content="")
    for activity in (
        ana.does("Create", aside),
        ana.does("Create", vote),
        ana.does("Create", {**ana.note("?", number=3), "type": "Question"}),
        ana.does("Delete", "https://lake.example/notes/1"),
        ana.does("Delete", ana.id),
        ana.does("Like", "https://hill.example/notes/1"),
        ana.does("Like", f"{ADDRESS}posts/none"),
        ana.does("Follow", "https://hill.example/users/bo"),
        ana.does("Undo", ana.does("Like", "https://hill.example/notes/1")),
        ana.does("Flag", [US]),
        ana.does("Move", ana.id),
    ):
        assert otter.hears(ana, activity) == []
    assert otter.network.paths == []
    assert otter.kept.values == {}


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"date": "Mon, 02 Mar 2026 10:59:00 GMT"}, "too old"),
        ({"date": "Mon, 02 Mar 2026 12:06:00 GMT"}, "too old"),
        ({"date": "yesterday"}, "too old"),
        ({"date": f"Mon, 02 Mar {'9' * 30} 12:00:00 GMT"}, "too old"),
        ({"date": f"Mon, 02 Mar 2026 12:00:00 +{'9' * 30}"}, "too old"),
        ({"digest": "SHA-256=AAAA"}, "digest"),
        ({"target": "post /hooks/other/inbox"}, "does not hold"),
        ({"host": "other.example"}, "does not hold"),
        ({"names": "(request-target) host date"}, "covers too little"),
        ({"names": "date digest host"}, "covers too little"),
        ({"key": "https://lake.example/users/bo#main-key"}, "signed what"),
        ({"key": "https://lake.example/users/nobody#main-key"}, "not there"),
        ({"key": "https://lake.example/users/ana#other-key"}, "does not say"),
        ({"key": "lantern"}, "no address"),
    ],
)
def test_what_is_signed_wrongly_is_refused(
    otter: Otter, ana: Person, spoilt: dict[str, str], why: str
) -> None:
    bo = otter.network.person("bo")
    bo.key = ana.key  # so that what names his key is signed by it
    with pytest.raises(Denied, match=why):
        otter.hears(ana, ana.does("Create", ana.note("Hello")), **spoilt)
    assert otter.kept.values == {}


def test_what_is_not_signed_or_was_changed_is_refused_before_anybody_is_asked(
    otter: Otter, ana: Person
) -> None:
    headers, body = ana.signed(ana.does("Create", ana.note("Hello")))
    for given, sent in (
        ({}, body),
        (headers, body.replace(b"Hello", b"Hallo")),
        ({**headers, "signature": "keyId=1"}, body),
        ({**headers, "signature": headers["signature"].replace("rsa-sha256", "hmac-sha256")}, body),
        ({**headers, "signature": 'x="' + "y" * 9_000 + '"'}, body),
        ({**headers, "signature": " " * 8_000}, body),
        ({**headers, "signature": f"spoilt {headers['signature']}"}, body),
    ):
        with pytest.raises(Denied):
            otter.receive(given, sent, place="inbox")
    assert otter.network.paths == []
    with pytest.raises(Denied, match="does not hold"):
        otter.receive({**headers, "date": "Mon, 02 Mar 2026 11:59:00 GMT"}, body, place="inbox")
    with pytest.raises(Invalid):
        otter.receive(headers, b"[]", place="inbox")
    assert otter.receive(headers, body, place="outbox").status == 404


def test_an_account_is_believed_at_its_own_address_alone(otter: Otter, ana: Person) -> None:
    mallory = Person(otter.network, "mallory", "lake.example")
    key = {"id": "https://lake.example/media/1.json", "owner": ana.id, "publicKeyPem": mallory.pem}
    said = {**mallory.does("Create", ana.note("I hate you")), "actor": ana.id}
    # Somebody put a file on her server that says it is her account.
    otter.network.faults = [Fault("/media/1.json", Answered({**ana.document, "publicKey": key}), 9)]
    with pytest.raises(Denied):
        otter.hears(mallory, said, key=key["id"])
    with pytest.raises(Denied):
        otter.hears(mallory, said)
    # Another one that says it is an account with her name; files are not sent as activities.
    own = {**key, "owner": key["id"]}
    document = {**ana.document, "id": key["id"], "publicKey": own}
    as_file = {"content-type": "application/json"}
    otter.network.faults = [Fault("/media/1.json", Answered(document, headers=as_file), 9)]
    with pytest.raises(Denied):
        otter.hears(mallory, {**said, "actor": key["id"], "object": f"{key['id']}?note"}, key=key["id"])
    assert otter.kept.values == {}
    assert len(otter.hears(ana, ana.does("Create", ana.note("Hello")))) == 1


def test_a_key_may_lie_at_an_address_of_its_own(otter: Otter, ana: Person) -> None:
    key = f"{ana.id}/main-key"
    document = {**ana.document, "publicKey": {**ana.document["publicKey"], "id": key}}
    stub = {name: document[name] for name in ("@context", "id", "type", "publicKey")}
    for shown in (stub, {"id": key, "owner": ana.id, "publicKeyPem": ana.pem}):
        otter.memory.clear()
        otter.network.faults = [
            Fault("/users/ana/main-key", Answered(shown)),
            Fault("/users/ana", Answered(document)),
        ]
        assert len(otter.hears(ana, ana.does("Create", ana.note("Hello")), key=key)) == 1


def test_nobody_is_sent_on_to_another_server(
    otter: Otter, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    mallory = Person(otter.network, "mallory", "lake.example")
    id = "https://lake.example/out?to=https://hill.example/webfinger"
    document = {**ana.document, "id": id, "publicKey": {"id": id, "owner": id, "publicKeyPem": mallory.pem}}
    otter.network.faults = [Fault("/out", Answered(document), 9)]
    take = otter.network.take
    monkeypatch.setattr(
        otter.network, "take", lambda request: replace(take(request), url="https://hill.example/x")
    )
    note = {**ana.note("I hate you"), "attributedTo": id}
    with pytest.raises(Denied):
        otter.hears(mallory, {**mallory.does("Create", note), "actor": id}, key=id)


def test_a_post_stays_its_authors(otter: Otter, ana: Person) -> None:
    bo = otter.network.person("bo")
    note = ana.note("My lantern smokes")
    otter.hears(ana, ana.does("Create", note))
    taken = {**note, "attributedTo": bo.id}
    with pytest.raises(Denied, match="did not write"):
        otter.hears(bo, bo.does("Create", taken))
    assert otter.hears(bo, bo.does("Delete", note["id"])) == []
    assert len(otter.hears(ana, ana.does("Delete", note["id"]))) == 1


def test_nobody_keeps_anothers_block_from_being_heard(otter: Otter, ana: Person) -> None:
    bo = otter.network.person("bo", "hill.example")
    block = ana.does("Block", US)
    (first,) = otter.hears(bo, {**bo.does("Block", US), "id": block["id"]})
    (second,) = otter.hears(ana, block)
    assert first.id != second.id


def test_what_no_store_takes_is_refused(otter: Otter, ana: Person) -> None:
    for kind in ("Create", "Update", "Delete", "Like", "Announce"):
        assert otter.hears(ana, ana.does(kind, "https://lake.example/\ud800")) == []
    otter.hears(ana, {**ana.does("Follow", US), "id": "\ud800\x00"})
    otter.delivers()
    assert otter.network.taken[0][1]["object"]["id"] == ""
    long = {**ana.document, "inbox": f"{ana.id}/{'x' * 9_000}"}
    otter.memory.clear()
    otter.network.faults = [Fault("/users/ana", Answered(long))]
    with pytest.raises(Denied):
        otter.hears(ana, ana.does("Follow", US))
    otter.memory.clear()
    otter.hears(ana, ana.does("Create", ana.note("Hello", updated="x" * 9_000)))
    assert max(len(json.dumps(value)) for value in otter.kept.values.values()) < 2_000


def test_a_key_that_was_exchanged_is_asked_for_again_and_not_too_often(otter: Otter, ana: Person) -> None:
    otter.hears(ana, ana.does("Create", ana.note("One")))
    ana.key = "another"
    with pytest.raises(Denied):
        otter.hears(ana, ana.does("Create", ana.note("Two", number=2)))
    assert otter.network.paths == ["/users/ana"], "asked a moment ago"
    otter.network.day.later(61)
    assert len(otter.hears(ana, ana.does("Create", ana.note("Two", number=2)))) == 1
    mallory = Person(otter.network, "ana", "lake.example", "not hers")
    for _ in range(3):
        with pytest.raises(Denied):
            otter.hears(mallory, mallory.does("Create", ana.note("Three", number=3)))
    assert otter.network.paths == ["/users/ana"] * 2


def test_somebody_elses_words_are_asked_for_where_they_are_at_home(otter: Otter, ana: Person) -> None:
    bo = otter.network.person("bo", "hill.example")
    note = bo.note("A lantern smokes")
    forged = {**note, "content": "<p>I hate you</p>"}
    (said,) = otter.hears(ana, ana.does("Create", forged))
    assert (said.author, said.text) == ("bo@hill.example", "@help A lantern smokes")
    by_id = bo.note("And flickers", number=2)["id"]
    (said,) = otter.hears(ana, ana.does("Create", by_id))
    assert (said.id, said.text) == (by_id, "@help And flickers")
    chi = otter.network.person("chi")
    with pytest.raises(Denied, match="did not write"):
        otter.hears(ana, ana.does("Create", chi.note("Not mine")))
    n_asked = len(otter.network.paths)
    assert otter.hears(ana, ana.does("Create", f"{ADDRESS}posts/1")) == []
    assert len(otter.network.paths) == n_asked, "what we said we know"
    wandering = bo.note("Not his", number=3, attributedTo=ana.id)
    assert otter.hears(ana, ana.does("Create", wandering["id"])) == []
    assert otter.hears(ana, ana.does("Create", "https://hill.example/notes/none")) == []


def test_changes_and_deletions_are_their_authors_alone(otter: Otter, ana: Person) -> None:
    note = ana.note("One")
    otter.hears(ana, ana.does("Create", note))
    changed = ana.note("Two", updated="2026-03-02T11:59:30Z")
    (said,) = otter.hears(ana, ana.does("Update", changed))
    assert (said.kind, said.about, said.text) == ("edit", note["id"], "@help Two")
    older = {**changed, "content": "<p>One and a half</p>", "updated": "2026-03-02T11:59:00Z"}
    assert otter.hears(ana, ana.does("Update", older)) == []
    chi = otter.network.person("chi")
    assert otter.hears(chi, chi.does("Delete", note["id"])) == []
    replay = ana.does("Create", note)
    (said,) = otter.hears(ana, ana.does("Delete", {"id": note["id"], "type": "Tombstone"}))
    assert (said.kind, said.about, said.author) == ("deletion", note["id"], "ana@lake.example")
    assert otter.hears(ana, replay) == [], "sent again, it does not come back"
    assert otter.hears(ana, ana.does("Update", changed)) == []
    assert not any(otter.kept.about[key] for key in otter.kept.values), "no handle stays with what is gone"
    (said,) = otter.hears(ana, ana.does("Update", ana.note("For you now", number=5)))
    assert said.kind == "post", "it was changed so that it names us"
    ana.servers.people[ana.id].name = "ana"
    assert otter.hears(ana, ana.does("Update", ana.document)) == []
    otter.hears(ana, ana.does("Create", ana.note("Six", number=6)))
    assert otter.network.paths.count("/users/ana") == 2, "an account that says it changed is looked at again"


def test_who_closes_an_account_takes_all_with_them(otter: Otter, ana: Person) -> None:
    posts = [ana.note("Hello", number=n) for n in (1, 2)]
    for note in posts:
        otter.hears(ana, ana.does("Create", note))
    otter.hears(ana, ana.does("Follow", US))
    ana.is_gone = True
    otter.network.day.later(3_601)  # nobody remembers her key any more
    said = otter.hears(ana, ana.does("Delete", ana.id))
    assert sorted((one.kind, one.about) for one in said) == [("deletion", note["id"]) for note in posts]
    assert otter.shown("followers")["totalItems"] == 0
    n_asked = len(otter.network.paths)
    assert otter.hears(ana, ana.does("Delete", ana.id)) == []
    assert len(otter.network.paths) == n_asked
    chi = otter.network.person("chi")
    otter.hears(chi, chi.does("Create", chi.note("Hello")))
    with pytest.raises(Denied):
        otter.hears(ana, {**ana.does("Delete", chi.id), "actor": chi.id})


def test_followers_are_accepted_and_may_leave(otter: Otter, ana: Person) -> None:
    follow = ana.does("Follow", US)
    assert otter.hears(ana, follow) == []
    assert otter.shown("followers") == {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{ADDRESS}followers",
        "type": "OrderedCollection",
        "totalItems": 1,
    }
    assert otter.network.taken == []
    otter.is_paused = True
    otter.delivers()
    assert otter.network.taken == [], "nothing leaves while everything is paused"
    otter.is_paused = False
    otter.delivers()
    otter.delivers()
    ((inbox, accept),) = otter.network.taken
    assert (inbox, accept["type"], accept["object"]["id"]) == (f"{ana.id}/inbox", "Accept", follow["id"])
    assert otter.network.n_copies == 0
    otter.hears(ana, ana.does("Undo", follow["id"]))
    assert otter.shown("followers")["totalItems"] == 0
    otter.hears(ana, follow)
    (said,) = otter.hears(ana, ana.does("Block", US))
    assert (said.kind, said.author) == ("block", "ana@lake.example")
    assert otter.shown("followers")["totalItems"] == 0


def test_an_answer_goes_to_its_author_and_can_be_read_at_its_id(otter: Otter, ana: Person) -> None:
    (asked,) = otter.hears(ana, ana.does("Create", ana.note("It flickers")))
    answer = draft("@ana Dry the <wick>.\n\nSee https://shop.example/wick?a=1&b=2.", asked)
    receipt = otter.publish(answer)
    ((inbox, activity),) = otter.network.taken
    note = activity["object"]
    assert (inbox, activity["type"], activity["actor"]) == (f"{ana.id}/inbox", "Create", US)
    assert note["inReplyTo"] == asked.id
    assert note["tag"] == [{"type": "Mention", "href": ana.id, "name": "@ana@lake.example"}]
    assert (note["to"], note["cc"]) == ([PUBLIC], [ana.id])
    assert (
        note["content"]
        == note["contentMap"]["en"]
        == (
            '<p><span class="h-card"><a href="https://lake.example/users/ana" class="u-url mention">@<span>ana</span></a>'
            '</span> Dry the &lt;wick&gt;.</p><p>See <a href="https://shop.example/wick?a=1&amp;b=2" '
            'rel="nofollow noopener">https://shop.example/wick?a=1&amp;b=2</a>.</p>'
        )
    )
    assert receipt.id == receipt.url == note["id"]
    place = receipt.id.removeprefix(ADDRESS)
    assert otter.shown(place) == {"@context": "https://www.w3.org/ns/activitystreams", **note}
    assert otter.shown(f"{place}/activity") == activity
    seen = otter.shown(place, HTML)
    assert "@ana Dry the <wick>." in seen.body.decode()
    assert "html" not in seen.content_type
    assert otter.publish(answer) == receipt
    assert (len(otter.network.taken), otter.network.n_copies) == (1, 1), "the network drops the copy"
    assert otter.find(answer) == receipt
    (liked,) = otter.hears(ana, ana.does("Like", receipt.id))
    (passed_on,) = otter.hears(ana, ana.does("Announce", receipt.id))
    assert [(one.kind, one.about, one.detail["kind"]) for one in (liked, passed_on)] == [
        ("reaction", receipt.id, "like"),
        ("reaction", receipt.id, "repost"),
    ]
    thanks = {**ana.note("That worked", number=2, answers=receipt.id), "tag": [], "cc": []}
    (said,) = otter.hears(ana, ana.does("Create", thanks))
    assert (said.in_reply_to, said.asks_us) == (receipt.id, True), "what answers us is said to us"


def test_what_was_said_to_us_alone_is_answered_so(otter: Otter, ana: Person) -> None:
    (asked,) = otter.hears(ana, ana.does("Create", ana.note("My order 12", to=[US], cc=[])))
    receipt = otter.publish(replace(draft("It leaves today.", asked), is_private=False))
    ((_, activity),) = otter.network.taken
    assert (activity["to"], activity["cc"]) == ([ana.id], [])
    assert receipt.url == ""
    assert otter.shown(receipt.id.removeprefix(ADDRESS)).status == 404
    assert otter.shown("outbox")["totalItems"] == 0
    unknown = replace(draft("Hello again", asked, id="d2"), in_reply_to="", is_private=True)
    otter.publish(unknown)
    assert otter.network.taken[1][1]["to"] == [ana.id], "found by WebFinger"
    nobody = refused(lambda: otter.publish(replace(unknown, id="d3", to="nobody@lake.example")))
    assert nobody.is_permanent
    assert refused(lambda: otter.publish(replace(unknown, id="d4", to=""))).is_permanent
    assert refused(lambda: otter.publish(replace(unknown, text=" "))).is_permanent


def test_a_post_of_our_own_reaches_each_server_once_and_late_where_it_slept(
    otter: Otter, ana: Person
) -> None:
    others = [otter.network.person("bo"), otter.network.person("chi", "hill.example")]
    for person in (ana, *others):
        otter.hears(person, person.does("Follow", US))
    otter.delivers()
    otter.network.taken.clear()
    post = draft("The spring catalogue is out")
    otter.network.fail("/inbox", Answered({}, 503))
    receipt = otter.publish(post)
    assert otter.publish(post) == receipt
    assert otter.network.taken == [], "it leaves with the next round"
    otter.delivers()
    assert len(otter.network.taken) == 1
    otter.delivers()
    assert len(otter.network.taken) == 1, "not before its time"
    otter.network.day.later(61)
    otter.delivers()
    assert sorted(inbox for inbox, _ in otter.network.taken) == [
        "https://hill.example/inbox",
        "https://lake.example/inbox",
    ]
    assert {activity["object"]["id"] for _, activity in otter.network.taken} == {receipt.id}
    assert (otter.network.taken[0][1]["to"], otter.network.taken[0][1]["cc"]) == (
        [PUBLIC],
        [f"{ADDRESS}followers"],
    )
    assert otter.shown("outbox")["totalItems"] == 1
    assert not [key for key in otter.kept.values if key.startswith("going/")]


def test_a_server_that_never_wakes_is_let_go(otter: Otter, ana: Person) -> None:
    otter.hears(ana, ana.does("Follow", US))
    otter.network.fail("/inbox", None, times=100)
    for _ in range(len(writing.AGAIN_S) + 1):
        otter.delivers()
        otter.network.day.later(max(writing.AGAIN_S))
    assert not [key for key in otter.kept.values if key.startswith("going/")]
    assert otter.network.paths.count("/users/ana/inbox") == len(writing.AGAIN_S) + 1


def test_a_silent_server_with_many_followers_keeps_nobody_else_waiting(
    otter: Otter, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "AT_ONCE", 2)
    for n in range(5):
        eve = otter.network.person(f"eve{n}", "hill.example")
        otter.hears(eve, eve.does("Follow", US))
        otter.network.fail(f"/users/eve{n}/inbox", None, times=9)
    otter.network.day.later(1)
    otter.hears(ana, ana.does("Follow", US))
    otter.delivers()
    assert [inbox for inbox, _ in otter.network.taken] == [f"{ana.id}/inbox"]
    assert len([one for one in otter.network.asked if one.method == "POST"]) == 2


def test_what_was_sent_on_elsewhere_was_not_taken(
    otter: Otter, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asked,) = otter.hears(ana, ana.does("Create", ana.note("It flickers")))
    take = otter.network.take
    monkeypatch.setattr(
        otter.network, "take", lambda request: replace(take(request), url="https://lake.example/")
    )
    failed = refused(lambda: otter.publish(draft("Dry the wick.", asked)))
    assert (failed.is_permanent, failed.is_unsure) == (False, True)
    assert otter.find(draft("Dry the wick.", asked)) is None


@pytest.mark.parametrize(
    ("answer", "is_permanent", "is_unsure"),
    [
        (Answered({"error": "Gone"}, 410), True, False),
        (Answered({"error": "Domain blocked"}, 403), True, False),
        (Answered({"error": "Cannot reach your key"}, 401), False, False),
        (Answered({}, 429, {"retry-after": "7"}), False, False),
        (Answered({}, 500), False, True),
        (None, False, True),
    ],
)
def test_refusals_of_an_answer_are_in_words(
    otter: Otter, ana: Person, answer: Answered | None, is_permanent: bool, is_unsure: bool
) -> None:
    (asked,) = otter.hears(ana, ana.does("Create", ana.note("It flickers")))
    said = draft("Dry the wick.", asked)
    otter.network.fail("/users/ana/inbox", answer)
    failed = refused(lambda: otter.publish(said))
    assert (failed.is_permanent, failed.is_unsure) == (is_permanent, is_unsure)
    assert "lake.example" in failed.message
    assert failed.reason != "rate", "one server's trouble stops no answer to another"
    assert otter.find(said) is None
    assert otter.shown("outbox")["totalItems"] == (0 if is_permanent else 1), "what nobody took is no post"
    otter.publish(said)
    assert len(otter.network.taken) == 1
    assert otter.find(said) is not None


def test_an_answer_whose_taking_was_not_heard_arrives_once(otter: Otter, ana: Person) -> None:
    (asked,) = otter.hears(ana, ana.does("Create", ana.note("It flickers")))
    said = draft("Dry the wick.", asked)
    otter.network.fail("/users/ana/inbox", None, is_after=True)
    assert refused(lambda: otter.publish(said)).is_unsure
    assert otter.find(said) is None
    otter.network.day.later(600)
    otter.publish(said)
    assert (len(otter.network.taken), otter.network.n_copies) == (1, 1)
    otter.hears(ana, ana.does("Delete", asked.id))
    gone = refused(lambda: otter.publish(draft("Still?", asked, id="d2")))
    assert gone.is_permanent


def test_nobody_has_us_call_somebody_else(otter: Otter, ana: Person) -> None:
    elsewhere = {**ana.document, "inbox": "https://hill.example/inbox"}
    otter.network.faults = [Fault("/users/ana", Answered(elsewhere))]
    with pytest.raises(Denied, match="no inbox of its own"):
        otter.hears(ana, ana.does("Follow", US))
    otter.delivers()
    assert otter.network.taken == []


def test_a_flood_is_not_passed_on(otter: Otter, ana: Person) -> None:
    otter.network.fail("/users/ana", None, times=1_000)
    for _ in range(3):
        assert refused(lambda: otter.hears(ana, ana.does("Create", ana.note("Hello")))).retry_after_s
    assert otter.network.paths == ["/users/ana"], "whoever does not answer is left alone for a while"
    otter.network.faults.clear()
    otter.network.day.later(61)
    assert otter.hears(ana, ana.does("Create", ana.note("Hello")))
    for n in range(actors.ASKED_MAX + 20):
        key = f"https://lake.example/users/x{n}#main-key"
        with pytest.raises((Denied, Failed)):
            otter.hears(ana, ana.does("Create", ana.note("Hi")), key=key)
    assert len(otter.network.paths) == actors.ASKED_MAX + 1
    inner = Person(otter.network, "eve", "lake.example")
    with pytest.raises(Denied, match="no address"):
        otter.hears(inner, inner.does("Create", ana.note("Hi")), key="http://0177.0.0.1/users/eve")


def test_few_of_those_who_call_wait_for_others(otter: Otter, ana: Person) -> None:
    is_over = threading.Event()

    class Slots(threading.BoundedSemaphore):
        def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
            is_over.wait(30)
            return False

    memory = otter.memory["actors"] = actors.Memory()
    memory.slots = Slots()
    calls = actors.SIDE_BY_SIDE + actors.WAITING_MAX + 1
    with ThreadPoolExecutor(calls) as pool:
        hello = ana.does("Create", ana.note("Hello"))
        waiting = [pool.submit(otter.hears, ana, hello) for _ in range(calls)]
        try:
            done, _ = wait(waiting, 10, FIRST_COMPLETED)
            assert [type(one.exception()) for one in done] == [Failed]
        finally:
            is_over.set()


JUNK: tuple[Any, ...] = (None, -1, "https://", [None], {"x": []})


def spoilt(value: Any) -> Iterator[Any]:
    """A document with each of its members, one after the other, as anything else."""
    if isinstance(value, dict):
        for name in value:
            yield {k: v for k, v in value.items() if k != name}
            yield from ({**value, name: junk} for junk in JUNK)
            yield from ({**value, name: worse} for worse in spoilt(value[name]))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from ([*value[:place], worse, *value[place + 1 :]] for worse in spoilt(one))


def test_whatever_is_delivered_is_taken_or_refused(otter: Otter, ana: Person) -> None:
    note = ana.note(
        "Hello",
        contentMap={"en": "Hello"},
        updated="2026-03-02T12:00:00Z",
        summary="Hush",
        url=[{"href": "x"}],
    )
    otter.hears(ana, ana.does("Create", note))
    silent = {k: v for k, v in note.items() if k != "content"}
    n_taken = 0
    done: list[tuple[str, Any]] = [("Create", silent), ("Update", note), ("Delete", note), ("Follow", US)]
    for kind, about in (*done, ("Undo", ana.does("Follow", US))):
        for activity in spoilt(ana.does(kind, about)):
            with contextlib.suppress(Denied, Invalid, Failed):
                otter.receive(*ana.signed(activity), place="inbox")
                n_taken += 1
    assert n_taken > 100


def test_whatever_an_account_shows_is_read_or_refused(otter: Otter, ana: Person) -> None:
    note = ana.note("Hello")
    activity = ana.does("Create", note)
    n_taken = 0
    for document in spoilt(ana.document):
        otter.memory.clear()
        otter.network.faults = [Fault("/users/ana", Answered(document))]
        with contextlib.suppress(Denied, Failed):
            otter.receive(*ana.signed(activity), place="inbox")
            n_taken += 1
    assert n_taken > 30


def test_what_was_deleted_or_changed_unheard_is_found(otter: Otter, ana: Person) -> None:
    kept, gone, secret = (ana.note(text, number=n) for n, text in enumerate(("One", "Two", "Three")))
    secret |= {"to": [US], "cc": []}
    for note in (kept, gone, secret):
        otter.hears(ana, ana.does("Create", note))
    ids = [kept["id"], gone["id"], secret["id"], "https://hill.example/notes/unknown"]
    assert plugin.recheck(CONFIG, ids, otter.context) == []
    del otter.network.notes[gone["id"]]
    kept |= {"content": "<p>One, changed</p>", "updated": "2026-03-02T12:00:00Z"}
    edited, deleted = plugin.recheck(CONFIG, ids, otter.context)
    assert (edited.kind, edited.text) == ("edit", "One, changed")
    assert (deleted.kind, deleted.about) == ("deletion", gone["id"])
    (again,) = plugin.recheck(CONFIG, ids, otter.context)
    assert again.id == deleted.id


def test_a_deletion_that_was_noted_and_not_recorded_is_told_again(otter: Otter, ana: Person) -> None:
    secret = ana.note("Only you", to=[US], cc=[])
    otter.hears(ana, ana.does("Create", secret))
    otter.hears(ana, ana.does("Delete", secret["id"]))  # and nothing of it came into the log
    (said,) = plugin.recheck(CONFIG, [secret["id"]], otter.context)
    assert (said.kind, said.about) == ("deletion", secret["id"])


def test_all_of_one_server_is_looked_for_again(otter: Otter, ana: Person) -> None:
    notes = [ana.note("Hello", number=n) for n in range(actors.ASKED_MAX + 5)]
    for note in notes:
        otter.hears(ana, ana.does("Create", note))
    del otter.network.notes[notes[-1]["id"]]
    (said,) = plugin.recheck(CONFIG, [note["id"] for note in notes], otter.context)
    assert said.about == notes[-1]["id"]


def test_the_account_is_found_and_described(otter: Otter) -> None:
    for resource in ("acct:help@shop.example", "acct:Help@SHOP.example", US):
        found = plugin.finger(CONFIG, resource, ADDRESS)
        assert found is not None
        assert (found["subject"], found["links"][0]["href"]) == ("acct:help@shop.example", US)
    for resource in ("acct:other@shop.example", "acct:help@other.example", "help", "https://shop.example/"):
        assert plugin.finger(CONFIG, resource, ADDRESS) is None
    document = otter.shown("actor")
    assert otter.shown("") == document
    assert (document["id"], document["inbox"]) == (US, f"{ADDRESS}inbox")
    assert document["endpoints"] == {"sharedInbox": f"{ADDRESS}inbox"}
    assert "PRIVATE" not in json.dumps(document)
    elsewhere = replace(CONFIG, domain="firm.example", website="https://firm.example/?a&b")
    assert plugin.handle(elsewhere, ADDRESS) == "@help@firm.example"
    for resource in ("acct:help@firm.example", "acct:help@shop.example"):
        assert (plugin.finger(elsewhere, resource, ADDRESS) or {})["subject"] == "acct:help@firm.example"
    assert "a&amp;b" in accounts.Account(elsewhere, ADDRESS).document()["attachment"][0]["value"]
    assert otter.shown("posts/none").status == otter.shown("posts/").status == otter.shown("x").status == 404


@pytest.mark.parametrize(
    ("address", "states"),
    [
        (ADDRESS, []),
        ("http://shop.example/hooks/otter/", ["bad"]),
        ("http://localhost:8000/hooks/otter/", ["bad", "bad"]),
        ("https://10.0.0.1/hooks/otter/", ["bad"]),
        ("https://shop.example/rapport/hooks/otter/", ["warn"]),
        ("shop.example/hooks/otter/", ["bad"]),
    ],
)
def test_an_address_that_others_cannot_use_is_said(address: str, states: list[str]) -> None:
    assert [one.state for one in plugin.standing(CONFIG, address)] == states


def test_the_set_up_is_looked_at_from_outside(otter: Otter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fediverse, "places", (*Fediverse.places, "https://shop.example"))
    found = dict[str, Any]()
    monkeypatch.setattr(Fediverse, "answer", lambda *_: Answered(found, 200 if found else 404))
    assert [one.state for one in otter.findings()] == ["ok", "bad"]
    found |= plugin.finger(CONFIG, US, ADDRESS) or {}
    assert [one.state for one in otter.findings()] == ["ok", "ok"]
    found["links"] = [{"rel": "self", "href": "https://shop.example/hooks/first/actor"}]
    assert "another account" in otter.findings()[1].message


@pytest.mark.parametrize(
    "changed",
    [
        {"account": "Help Desk"},
        {"title": " "},
        {"website": "javascript:alert(1)"},
        {"domain": "shop.example/path"},
        {"visibility": "followers"},
        {"private_key": "lost"},
    ],
)
def test_what_cannot_work_is_refused(changed: dict[str, str]) -> None:
    plugin.check(CONFIG)
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **changed))


def test_keys_are_made_once() -> None:
    made = plugin.made(replace(CONFIG, private_key=""))
    plugin.check(replace(CONFIG, **made))
    assert plugin.made(CONFIG) == {}
