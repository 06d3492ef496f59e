"""What each archive of a network becomes: told by its content, and said as its connector would have said it."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.listening import services
from rapport.listening.services.work import Work
from rapport.listening.tests import archived
from rapport.listening.tests.archived import chat, created, mbox, outbox, tarred, tweets, zipped
from rapport.listening.tests.conftest import Said, Write

pytestmark = pytest.mark.django_db

Hear = Callable[..., Said]


@pytest.fixture
def hear(write: Write, home: object, monkeypatch: pytest.MonkeyPatch) -> Hear:
    """Import an archive dry as posts, and see the rows that it becomes."""
    del home

    def said(content: str | bytes, name: str = "file", **asked: Any) -> Said:
        rows: list[dict[str, Any]] = []

        def keep(work: Work, found: list[dict[str, Any]], *, within: str) -> None:
            rows.extend({**row, "within": within} for row in found)
            work.summary.recorded = len(rows)

        monkeypatch.setattr(Work, "record_rows", keep)
        summary = services.import_file("posts", write(name, content), dry_run=True, **asked)
        return Said(summary, rows)

    return said


@pytest.fixture
def in_2021() -> Iterator[None]:
    """While the network's terms still let words of that summer be kept."""
    with clock.frozen(dt.datetime(2021, 8, 1, tzinfo=dt.UTC)):
        yield


def told(found: Said, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in found.rows]


def test_x_as_it_was_written_by_whose_archive_it_is(hear: Hear) -> None:
    files = {
        "data/tweets.js": tweets({}, {"id_str": "2", "in_reply_to_status_id_str": "77", "full_text": "Yes!"}),
        "data/tweets-part1.js": tweets({"id_str": "3", "full_text": "RT @ana: x"}, name="tweets.part1"),
        "data/deleted-tweets.js": tweets({"id_str": "4"}, name="deleted_tweets.part0"),
        "data/account.js": archived.ACCOUNT,
        "data/like.js": "window.YTD.like.part0 = []",
    }
    found = hear(zipped(files), "twitter-2024.zip")
    assert found.summary.description == "archive of X, zip"
    assert told(found, "name", "message_id", "identifier", "venue", "text", "within") == [
        (
            "reply_published",
            "post:1050118621198921728",
            "x_com:shop",
            "x",
            "Open till six & on Sundays too https://shop.example/hours",
            "x_com",
        ),
        ("reply_published", "post:2", "x_com:shop", "x", "Yes!", "x_com"),
    ]
    assert f"{found.rows[0]['ts']:%Y-%m-%d %H:%M:%S %Z}" == "2018-10-10 20:19:24 UTC"
    assert found.properties(0)["url"] == "https://x.com/Shop/status/1050118621198921728"
    assert found.properties(1)["in_reply_to"] == "77"
    assert found.summary.read == 3
    assert "left out: reposts (1)" in found.summary.notes


def test_x_alone_needs_to_be_told_whose_it_is(hear: Hear, write: Write) -> None:
    with pytest.raises(Invalid, match="does not say whose posts they are"):
        hear(tweets({}), "tweets.js")
    assert hear(tweets({}), "tweets.js", options={"account": "@Shop"}).rows[0]["identifier"] == "x_com:shop"
    write("account.js", archived.ACCOUNT)
    assert hear(tweets({}), "tweets.js").rows[0]["identifier"] == "x_com:shop"


def test_x_before_2018_and_between(hear: Hear) -> None:
    old = {"id_str": "9", "created_at": "2012-01-31 10:00:00 +0000", "text": "Hello"}
    monthly = "Grailbird.data.tweets_2012_01 = \n " + json.dumps([old])
    found = hear(zipped({"data/js/tweets/2012_01.js": monthly}), options={"account": "shop"})
    assert [f"{row['ts']:%Y-%m-%d}" for row in found.rows] == ["2012-01-31"]
    without_frame = "window.YTD.tweet.part0 = " + json.dumps([archived.TWEET])
    assert len(hear(without_frame, "tweet.js", options={"account": "shop"}).rows) == 1


def test_what_is_wrong_is_named_with_its_place(hear: Hear) -> None:
    text = tweets(
        {}, {"id_str": ""}, {"created_at": "yesterday"}, {"created_at": "Wed Oct 10 20:19:24 +0000 1918"}
    )
    broken = text[:-1].rstrip() + ',\n{"tweet": {"id_str": nope}}]'
    found = hear(zipped({"data/tweets.js": broken, "data/account.js": archived.ACCOUNT}))
    assert [str(bad) for bad in found.summary.bad_rows] == [
        "data/tweets.js, entry 2: The post has no number (id_str).",
        "data/tweets.js, entry 3: The time (created_at) cannot be read.",
        "data/tweets.js, entry 4: The time is 1918-10-10 20:19, before 1990.",
        "data/tweets.js, entry 5: This is no JSON.",
    ]
    assert (found.summary.read, found.summary.quarantined, len(found.rows)) == (5, 4, 1)


def test_what_breaks_off_says_so_and_keeps_what_came_before(hear: Hear) -> None:
    found = hear(tweets({}, {"id_str": "2"})[:-30], "tweets.js", options={"account": "shop"})
    assert len(found.rows) == 1
    assert "breaks off" in found.summary.error


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_mastodon_with_replies_reposts_and_hidden_words(hear: Hear, pack: Callable[..., bytes]) -> None:
    base = "https://mastodon.example/users/shop/statuses"
    activities = [
        created(),
        created(id=f"{base}/2", inReplyTo=f"{base}/109348", summary="Prices", content="<p>3 &euro;</p>"),
        created(id=f"{base}/3", inReplyTo="https://other.example/users/ana/statuses/5"),
        created(id=f"{base}/4", to=["https://other.example/users/ana"]),
        {"id": "b", "type": "Announce", "object": "https://other.example/users/ana/statuses/6"},
        {"id": "c", "type": "Delete", "object": {"type": "Tombstone", "id": f"{base}/1"}},
    ]
    found = hear(pack({"outbox.json": outbox(*activities), "actor.json": json.dumps(archived.ACTOR)}))
    assert found.summary.description.startswith("archive of Mastodon")
    assert told(found, "name", "message_id", "identifier", "venue", "text", "channel")[:2] == [
        (
            "reply_published",
            "post:109348@mastodon.example",
            "mastodon:shop@mastodon.example",
            "mastodon:mastodon.example",
            "We are open again.\n\nCome!",
            "social",
        ),
        (
            "reply_published",
            "post:2@mastodon.example",
            "mastodon:shop@mastodon.example",
            "mastodon:mastodon.example",
            "Prices\n\n3 €",
            "social",
        ),
    ]
    assert [found.properties(n).get("in_reply_to") for n in range(4)] == [
        None,
        "109348@mastodon.example",
        "5@other.example",
        None,
    ]
    assert (found.rows[3]["name"], found.rows[3]["channel"]) == ("message_sent", "direct")
    assert {"left out: reposts (1)", "left out: deleted posts (1)"} <= set(found.summary.notes)


@pytest.mark.usefixtures("in_2021")
def test_telegram_a_group_a_chat_of_two_and_all_of_them(hear: Hear) -> None:
    group = chat(
        {},
        {"id": 8, "from": "Shop", "from_id": "user999", "text": "Tomorrow.", "reply_to_message_id": 7},
        {"id": 9, "type": "service", "action": "pin_message"},
        {"id": 10, "text": "", "photo": "photos/1.jpg"},
        {"id": 11, "text": ""},
    )
    found = hear(group, "result.json", options={"account": "999"})
    assert told(found, "name", "message_id", "identifier", "venue", "text") == [
        ("message_received", "post:-100555/7", "telegram:111", "telegram:-100555", "Where is my order?"),
        ("message_sent", "post:-100555/8", "telegram:999", "telegram:-100555", "Tomorrow."),
        ("message_received", "post:-100555/10", "telegram:111", "telegram:-100555", "(photo)"),
    ]
    assert found.properties(1)["in_reply_to"] == "-100555/7"
    assert "left out: notices of the network (1)" in found.summary.notes
    two = {"name": "Ana", "type": "personal_chat", "id": 111}
    mine = {**archived.MESSAGE, "id": 12, "from": "Shop", "from_id": "user999", "text": "Here."}
    whole = {"about": "Telegram", "chats": {"list": [{**two, "messages": [archived.MESSAGE, mine]}]}}
    found = hear(json.dumps(whole), "result.json")
    assert told(found, "name", "message_id") == [
        ("message_received", "message:111/7"),
        ("message_sent", "message:111/12"),
    ]
    assert [found.properties(n)["thread"] for n in (0, 1)] == ["111", "111"]


@pytest.mark.usefixtures("in_2021")
def test_telegram_times_without_a_zone(hear: Hear) -> None:
    older = json.dumps({"name": "Fans", "type": "public_channel", "id": 5, "messages": [
        {"id": 1, "type": "message", "date": "2021-07-04T12:00:00", "from": "Ana", "from_id": 111, "text": "Hi"}
    ]})  # fmt: skip
    found = hear(older, options={"time_zone": "Europe/Berlin"})
    assert [f"{row['ts']:%H:%M} {row['name']}" for row in found.rows] == ["10:00 post_published"]
    with pytest.raises(Invalid, match="no time zone"):
        hear(older, options={"time_zone": "Europe/Nowhere"})


CHAT = """\
[{d1}, 10:00:00] Ana: Where is my order?
It was due today.
[{d1}, 10:05:00] Shop: On its way.
[{d1}, 10:05:00] Shop: On its way.
[{d2}, 11:00:00] Ana: \u200eThis message was deleted.
[{d2}, 11:01:00] \u200eMessages and calls are end-to-end encrypted.
"""


@pytest.mark.parametrize(
    ("d1", "d2", "day"), [("31/12/2023", "01/01/2024", "2023-12-31"), ("12/31/23", "1/1/24", "2023-12-31")]
)
def test_whatsapp_told_by_the_chat_as_a_whole(hear: Hear, d1: str, d2: str, day: str) -> None:
    found = hear(
        zipped({"_chat.txt": CHAT.format(d1=d1, d2=d2), "photo.jpg": b"\xff"}), "WhatsApp Chat - Ana.zip"
    )
    assert told(found, "name", "identifier", "text") == [
        ("message_received", "whatsapp:ana", "Where is my order?\nIt was due today."),
        ("message_sent", "whatsapp:shop", "On its way."),
        ("message_sent", "whatsapp:shop", "On its way."),
    ]
    assert len({row["message_id"] for row in found.rows}) == 3
    assert {f"{row['ts']:%Y-%m-%d}" for row in found.rows} == {day}
    assert {found.properties(n)["thread"] for n in range(3)} == {"chat:ana"}
    assert "left out: deleted messages (1)" in found.summary.notes


ANDROID = "{d1}, 9:05\u202fPM - Ana: Hello\n{d2}, 9:06\u202fPM - +49 170 123456: Hi\n"


def test_whatsapp_asks_where_both_orders_fit(hear: Hear) -> None:
    text = ANDROID.format(d1="03/04/2021", d2="05/06/2021")
    with pytest.raises(Invalid, match="day first and with the month first"):
        hear(text, "WhatsApp Chat with Ana.txt")
    found = hear(text, "WhatsApp Chat with Ana.txt", options={"date_order": "month"})
    assert [f"{row['ts']:%Y-%m-%d %H:%M}" for row in found.rows] == ["2021-03-04 21:05", "2021-05-06 21:06"]
    # Read with the month first, the second would come months before the first.
    found = hear(ANDROID.format(d1="12/02/2021", d2="01/03/2021"), "WhatsApp Chat with Ana.txt")
    assert [f"{row['ts']:%Y-%m-%d}" for row in found.rows] == ["2021-02-12", "2021-03-01"]
    assert told(found, "name", "identifier") == [
        ("message_received", "whatsapp:ana"),
        ("message_sent", "whatsapp:49170123456"),
    ]


def test_whatsapp_asks_who_of_them_is_us(hear: Hear) -> None:
    text = CHAT.format(d1="31/12/2023", d2="01/01/2024")
    with pytest.raises(Invalid, match="which of these is you: Ana, Shop") as refused:
        hear(text, "_chat.txt")
    assert "option account" in refused.value.hint
    with pytest.raises(Invalid, match=r"nobody in _chat\.txt is called 'Bo'"):
        hear(text, "_chat.txt", options={"account": "Bo"})
    assert [row["name"] for row in hear(text, "_chat.txt", options={"account": "shop"}).rows] == [
        "message_received",
        "message_sent",
        "message_sent",
    ]


def test_mail_from_an_mbox_with_its_threads(hear: Hear) -> None:
    quoted = archived.LETTER.replace("<1@", "<3@").replace("Where is it?", ">From me to you\nwith love")
    spam = archived.LETTER.replace("<1@", "<4@").replace("Subject:", "X-Gmail-Labels: Spam,Unread\nSubject:")
    undated = archived.LETTER.replace("<1@", "<5@").replace("Date: ", "X-Date: ")
    nobody = archived.LETTER.replace("<1@", "<6@").replace("From: Ana <ana@example.org>\n", "")
    text = mbox(archived.LETTER, archived.ANSWER, quoted, spam, undated, nobody)
    found = hear(text, "All mail.mbox", options={"account": "shop@example.com"})
    assert told(found, "name", "message_id", "identifier", "channel", "text") == [
        ("message_received", "message:1@example.org", "email:ana@example.org", "email", "Where is it?"),
        ("message_sent", "message:2@example.com", "email:shop@example.com", "email", "On its way."),
        (
            "message_received",
            "message:3@example.org",
            "email:ana@example.org",
            "email",
            "From me to you\nwith love",
        ),
        ("message_received", "message:5@example.org", "email:ana@example.org", "email", "Where is it?"),
    ]
    assert found.properties(1)["in_reply_to"] == found.properties(1)["thread"] == "1@example.org"
    assert f"{found.rows[3]['ts']:%Y-%m-%d %H:%M}" == "2018-03-05 10:00"
    assert [bad.message for bad in found.summary.bad_rows] == ["The mail names no sender (From)."]
    assert "left out: mails that were thrown away (1)" in found.summary.notes
    assert {row["within"] for row in found.rows} == {"email"}


def test_mail_finds_whose_mailbox_it_is_or_asks(hear: Hear) -> None:
    two = mbox(archived.LETTER, archived.ANSWER.replace("ana@", "bo@"))
    assert [row["name"] for row in hear(two).rows] == ["message_received", "message_sent"]
    delivered = archived.LETTER.replace("To: shop", "Delivered-To: shop")
    assert [row["name"] for row in hear(delivered, "a.eml").rows] == ["message_received"]
    with pytest.raises(Invalid, match="does not say whose mailbox it is"):
        hear(archived.LETTER, "a.eml")
    many = zipped({"inbox/1.eml": archived.LETTER, "inbox/2.eml": archived.ANSWER})
    assert len(hear(many, options={"account": "shop@example.com"}).rows) == 2


def test_reddit_dumps_and_the_archive_of_an_account(hear: Hear) -> None:
    gone = {**archived.COMMENT, "id": "abc2", "author": "[deleted]", "body": "[deleted]"}
    post = {
        **archived.COMMENT,
        "id": "xyz",
        "title": "Loud pump?",
        "selftext": "Mine is.",
        "created_utc": "1640990000",
    }
    del post["body"]
    dump = "\n".join(map(json.dumps, (archived.COMMENT, gone, post))) + "\nno json\n"
    found = hear(gzip.compress(dump.encode()), "RC_2022-01.gz", options={"account": "nobody"})
    assert found.rows == []  # longer ago than the network's terms let anybody keep them
    assert "left out: posts that are older than the 30 days that its terms allow (2)" in found.summary.notes
    assert [str(bad) for bad in found.summary.bad_rows] == [
        "RC_2022-01.gz, entry 4: The line is not one JSON object."
    ]
    found = hear(dump, "RC_2022-01", options={"account": "u/Ana"})
    assert told(found, "name", "message_id", "identifier", "venue", "text") == [
        ("reply_published", "post:t1_abc1", "reddit:ana", "reddit:r/coffee", "The pump is loud."),
        ("reply_published", "post:t3_xyz", "reddit:ana", "reddit:r/coffee", "Loud pump?\n\nMine is."),
    ]
    assert (found.properties(0)["in_reply_to"], found.properties(0)["thread"]) == ("t3_xyz", "t3_xyz")
    comments = (
        "id,permalink,date,ip,subreddit,gildings,link,parent,body,media\n"
        "abc1,https://www.reddit.com/r/Coffee/comments/xyz/pump/abc1/,2022-01-01 00:00:00 UTC,203.0.113.9,Coffee,0,"
        'https://www.reddit.com/r/Coffee/comments/xyz/pump/,,"The pump, it is\nloud.",\n'
        "abc3,/x,2022-01-02 00:00:00 UTC,,Coffee,0,https://www.reddit.com/r/Coffee/comments/xyz/pump/,abc9,Yes,\n"
        "abc4,/x,never,203.0.113.9,Coffee,0,,,No,\n"
    )
    files = {"comments.csv": comments, "statistics.csv": "statistic,value\naccount name,Ana\n"}
    found = hear(zipped(files), "export_ana.zip")
    assert told(found, "message_id", "identifier", "text") == [
        ("post:t1_abc1", "reddit:ana", "The pump, it is\nloud."),
        ("post:t1_abc3", "reddit:ana", "Yes"),
    ]
    assert [found.properties(n)["in_reply_to"] for n in (0, 1)] == ["t3_xyz", "t1_abc9"]
    assert "203.0.113.9" not in json.dumps([dict(bad.row) for bad in found.summary.bad_rows])


def test_facebook_with_its_letters_put_right(hear: Hear) -> None:
    wrong = "Schöne Grüße 😀 aus Köln".encode().decode("latin-1")
    posts = [
        {"timestamp": 1600000000, "data": [{"post": wrong}], "title": "Shop updated its status."},
        {
            "timestamp": 1600000100,
            "attachments": [{"data": [{"media": {"uri": "x", "description": "Caf\u00e9"}}]}],
        },
        {"timestamp": 1600000200, "title": "Shop changed its picture."},
    ]
    comments = {"comments_v2": [
        {"timestamp": 1600000300, "data": [{"comment": {"timestamp": 1600000300, "comment": "Thanks!", "author": "Shop"}}]}
    ]}  # fmt: skip
    files = {
        "posts/page_posts_1.json": json.dumps(posts),
        "comments_and_reactions/comments.json": json.dumps(comments),
    }
    found = hear(zipped(files), "facebook-shop.zip", options={"account": "Shop"})
    assert told(found, "name", "identifier", "text") == [
        ("reply_published", "facebook:shop", "Thanks!"),
        ("reply_published", "facebook:shop", "Schöne Grüße 😀 aus Köln"),
        ("reply_published", "facebook:shop", "Café"),
    ]
    assert "left out: posts without words (1)" in found.summary.notes


def test_rows_are_still_rows(hear: Hear) -> None:
    rows = '{"author": "ana", "published_at": "2024-05-06", "text": "Hello", "post_id": 1}\n'
    summary = hear(rows, "posts.jsonl").summary
    assert (summary.description, summary.read, summary.source) == ("JSON lines", 1, "posts")
