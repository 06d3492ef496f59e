"""Facebook Pages and Instagram: comments under the firm's posts, and our answers (Graph API, web hooks)."""

from __future__ import annotations

import datetime as dt
import hmac
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from rapport.kit import wire
from rapport.kit.errors import Denied, Invalid
from rapport.kit.marks import Found, Marks
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Gap,
    Hook,
    Manners,
    Page,
    Pictures,
    Receipt,
    Received,
    Said,
    Terms,
    tried,
)
from rapport.plugins.connectors.meta_pages import comments, pictures, rights
from rapport.plugins.connectors.meta_pages import graph as graphs
from rapport.plugins.connectors.meta_pages.archive import FacebookArchive
from rapport.plugins.connectors.meta_pages.graph import Config, Graph, Parameters

POSTS = 25  # of the newest posts, whose comments are read
COMMENTS, GRAM_COMMENTS = 100, 50  # the most that a list gives at once
LENGTH_MAX = 2_000
# What each right is for; posts of the firm's own need one more, which the rest works without.
PAGE_RIGHTS = {
    "pages_read_engagement": "read the Page's posts",
    "pages_read_user_content": "read what people say there",
    "pages_manage_engagement": "answer comments",
    "pages_manage_posts": "post for the Page",
}
GRAM_RIGHTS = {
    "instagram_basic": "read the account's posts",
    "instagram_manage_comments": "read and answer comments",
    "pages_read_engagement": "be used with the Page that the account is linked to",
    "instagram_content_publish": "post for the account",
}
GONE = re.compile(r"does not exist|cannot be loaded", re.IGNORECASE)


class MetaPages:
    """One Facebook Page or one Instagram account."""

    name = "meta_pages"
    title = "Facebook Pages and Instagram"
    network = "facebook"
    config: type[Config] = Config
    terms = Terms(
        keep_days=30,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://developers.facebook.com/terms/",
        read_on=dt.date(2026, 11, 22),
        as_of=dt.date(2025, 8, 22),
        note=(
            "What is kept has to be deleted when it is no longer needed, and promptly when somebody or Meta asks for "
            "it; without consent it may not make or add to profiles of people, and it may never be sold. Your privacy "
            "notice has to say how deletion is asked for. Days and hours here, and that nothing is learned, are our "
            "own caution."
        ),
    )
    archive = FacebookArchive()
    manners = Manners(requests=60, per_s=60, every_s=120, length_max=LENGTH_MAX)
    costs = (
        "Free, with an app of the firm's own that Meta has reviewed for the permissions to read and answer."
    )
    sees = (
        "Comments and answers under the newest 25 posts of the Page or account, and what visitors post on the Page; by "
        "web hook comments under all of them."
    )
    cannot_see = (
        "Private messages, posts of others elsewhere, reactions, names of who is hidden from the app, late answers to "
        "old comments on Instagram, and what was deleted there, unless we ask again."
    )

    def network_of(self, config: Config) -> str:
        return config.place

    def terms_of(self, config: Config) -> Terms:  # noqa: ARG002  Meta's terms are the same for both
        return self.terms

    def pictures_of(self, config: Config) -> Pictures:
        return pictures.PAGE if config.is_page else pictures.GRAM

    def check(self, config: Config) -> None:
        graphs.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        graph = Graph(config, context)

        def who() -> str:
            told = graph.get(config.number, [("fields", "id,name" if config.is_page else "id,username")])
            return f"it is for {wire.text_at(told, 'name') or wire.text_at(told, 'username')}"

        def comments_read() -> str:
            for post in _posts(graph, 1):
                next(_listed(graph, post), None)
            return "can be read"

        found = tried(("Posts and comments", comments_read, ""), who=who)
        if len(found) == 1:
            return found
        found += rights.findings(
            context,
            graphs.API,
            config.access_token,
            config.app_secret,
            PAGE_RIGHTS if config.is_page else GRAM_RIGHTS,
        )
        if config.verify_token and config.is_page:
            found += tried(
                ("Web hook", lambda: _subscribed(graph), "Subscribe the Page to the app for feed.")
            )
        if not config.verify_token:
            message = "posts are asked for comments every two minutes, the newest 25 alone"
            hint = "Enter a verify token, and set up the app's web hook with it."
            found.append(Finding("Web hook", "warn", message, hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        graph, marks = Graph(config, context), Marks.read(cursor)
        before = marks.text()
        posts = _posts(graph, POSTS)
        own = [seen for post in posts if (seen := comments.read(config, post))]
        fresh = [one for one in own if one.at >= context.since]
        said = list(marks.new(sorted(fresh, key=lambda one: (one.at, one.id))))
        if said:
            yield Page(said, marks.text())
        for post in posts:
            number = wire.text_at(post, "id")
            if not number:
                continue
            walk = marks.walk(number, _listed(graph, post), context.since)
            gaps = []
            if walk.cut is not None and walk.cut > walk.since:
                message = "more comments came under a post than can be read at once"
                gaps.append(Gap(walk.since, walk.cut, "horizon", message))
            said = list(marks.new(walk.found))
            if said or gaps:
                yield Page(said, marks.text(), gaps)
        # What is under posts that are no longer read needs no mark.
        kept = {wire.text_at(post, "id") for post in posts}
        marks.left = {name: left for name, left in marks.left.items() if name in kept}
        if marks.text() != before:
            yield Page((), marks.text())

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        if hook.method == "GET":
            return _challenged(config, hook)
        graphs.check_signature(config, hook)
        body = wire.document(hook.body)
        if not isinstance(body, dict):
            raise Invalid("the body is no JSON", "See that Meta's web hook leads here.")
        if wire.text_at(body, "object") != ("page" if config.is_page else "instagram"):
            return Received()
        said = []
        for entry in wire.items_at(body, "entry"):
            if wire.text_at(entry, "id") != config.number:
                continue  # an app has one web hook for all its pages
            at = wire.count_at(entry, "time")
            told_at = dt.datetime.fromtimestamp(at, dt.UTC) if at and at < 10**11 else context.now()
            for change in wire.items_at(entry, "changes"):
                one = comments.changed(config, change, told_at)
                said += [one] if one else []
        return Received(said)

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        graph, now = Graph(config, context), context.now()
        said = []
        for id in ids:
            try:
                graph.get(id, [("fields", "id")])
            except Failed as failed:
                if not (failed.is_permanent and GONE.search(failed.message)):
                    raise
                said.append(Said(f"{id}#deletion", "deletion", now, "", about=id))
        if said:
            # Meta says the same of what is gone and of what the token may not read any more.
            for post in _posts(graph, 1):
                next(_listed(graph, post), None)
        return said

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        graph = Graph(config, context)
        if draft.in_reply_to:
            path = f"{draft.in_reply_to}/{_under(config, draft)}"
        elif config.is_page:
            path = f"{config.number}/feed"
        elif draft.media:
            number = pictures.published(graph, draft, context)
            return Receipt(_told(number), pictures.address_of(graph, number))
        else:
            raise Failed("a post on Instagram needs a picture", is_permanent=True, hint="Add one.")
        form = [("message", draft.text), *pictures.attached(graph, draft)]
        number = _told(wire.text_at(graph.post(path, form), "id"))
        return Receipt(number, f"https://www.facebook.com/{number}" if config.is_page else "")

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        graph = Graph(config, context)
        above = draft.in_reply_to
        if above:
            fields = comments.PAGE_COMMENT if config.is_page else comments.GRAM_COMMENT
            path, asked = f"{above}/{_under(config, draft)}", [("fields", fields), ("limit", str(COMMENTS))]
        elif config.is_page:
            path, asked = f"{config.number}/feed", [("fields", comments.PAGE_POST)]
        else:
            path, asked = f"{config.number}/media", [("fields", comments.GRAM_POST)]
        for held in _all(graph, path, asked):
            seen = comments.read(config, held, {"id": above} if above else None)
            if seen and seen.said.is_ours and wire.says(seen.said.text, draft.text):
                url = f"https://www.facebook.com/{seen.id}" if config.is_page else ""
                return Receipt(seen.id, url if config.is_page or above else seen.said.url)
        return None


def _subscribed(graph: Graph) -> str:
    """Whether an app hears of what is said on the Page; raises Failed where none does."""
    told = graph.get(f"{graph.config.number}/subscribed_apps", [("fields", "subscribed_fields")])
    heard = [name for app in wire.items_at(told, "data") for name in wire.items_at(app, "subscribed_fields")]
    if "feed" not in heard:
        raise Failed("Meta does not call us for this Page")
    return "Meta calls us for what is said on the Page"


def _told(number: str) -> str:
    if not number:
        raise Failed("Meta does not say what became of it", is_unsure=True, retry_after_s=30.0)
    return number


def _under(config: Config, draft: Draft) -> str:
    """The list that an answer goes into: of a comment on Instagram its replies, otherwise comments."""
    is_post = draft.in_reply_to == draft.thread
    return "comments" if config.is_page or is_post else "replies"


def _posts(graph: Graph, size: int) -> list[Any]:
    config = graph.config
    path = f"{config.number}/{'feed' if config.is_page else 'media'}"
    fields = comments.PAGE_POST if config.is_page else comments.GRAM_POST
    return wire.items_at(graph.get(path, [("fields", fields), ("limit", size)]), "data")


def _listed(graph: Graph, post: Any) -> Iterator[list[Found[Said]]]:
    """Pages of comments under a post, the newest first, with the answers to each."""
    config = graph.config
    path = f"{wire.text_at(post, 'id')}/comments"
    asked: list[tuple[str, str | int]]
    if config.is_page:
        asked = [("fields", comments.PAGE_COMMENT), ("filter", "stream"), ("order", "reverse_chronological")]
    else:
        asked = [("fields", f"{comments.GRAM_COMMENT},replies{{{comments.GRAM_COMMENT}}}")]
    pages = _pages(graph, path, [*asked, ("limit", COMMENTS if config.is_page else GRAM_COMMENTS)])
    for page in pages:
        listed = page
        if not config.is_page and _is_oldest_first(page):
            # Instagram takes no wish for an order. What comes the oldest first has to be read to its end.
            listed = [*page, *itertools.chain.from_iterable(pages)]
        found = [
            seen
            for held in listed
            for part in (held, *_answers(graph, held))
            if (seen := comments.read(config, part, post))
        ]
        yield found


def _is_oldest_first(page: Sequence[Any]) -> bool:
    at = [moment for held in page if (moment := comments.moment(wire.text_at(held, "timestamp")))]
    return len(at) > 1 and at[0] < at[-1]


def _answers(graph: Graph, held: Any) -> Iterator[Any]:
    """Answers to a comment on Instagram: those that came with it, and where there are more, all of them."""
    parent, answers = wire.text_at(held, "id"), wire.items_at(held, "replies", "data")
    if wire.text_at(held, "replies", "paging", "next"):
        asked: Parameters = [("fields", comments.GRAM_COMMENT), ("limit", GRAM_COMMENTS)]
        answers = list(_all(graph, f"{parent}/replies", asked))
    for one in answers:
        if isinstance(one, dict):
            yield {**one, "parent_id": parent}


def _all(graph: Graph, path: str, asked: Parameters) -> Iterator[Any]:
    for page in _pages(graph, path, asked):
        yield from page


def _pages(graph: Graph, path: str, asked: Parameters) -> Iterator[list[Any]]:
    after = ""
    while True:
        told = graph.get(path, [*asked, *([("after", after)] if after else [])])
        yield wire.items_at(told, "data")
        # The last page has cursors too; that there is another one is said by its address.
        after = wire.text_at(told, "paging", "cursors", "after")
        if not after or not wire.text_at(told, "paging", "next"):
            return


def _challenged(config: Config, hook: Hook) -> Received:
    """Meta asks whether this address is ours, with the token that was entered there."""
    given = hook.query.get("hub.verify_token", "")
    is_right = hmac.compare_digest(given.encode(), config.verify_token.encode())
    if hook.query.get("hub.mode") != "subscribe" or not config.verify_token or not is_right:
        raise Denied("the verify token is another", "Enter the same words here and at Meta.")
    return Received(body=hook.query.get("hub.challenge", "")[:200].encode())


plugin = MetaPages()
