"""Bluesky: who addresses us there, what is said of what we follow, and our answers (AT Protocol, XRPC)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from rapport.listening.contract import Context, Draft, Failed, Finding, Manners, Page, Receipt, Said, Terms
from rapport.plugins.connectors.bluesky import account as accounts
from rapport.plugins.connectors.bluesky import writing
from rapport.plugins.connectors.bluesky.account import Account, Config, Parameters, Refused
from rapport.plugins.connectors.bluesky.reading import Round


class Bluesky:
    """One account on Bluesky, or on another server of the AT Protocol whose posts Bluesky shows."""

    name = "bluesky"
    title = "Bluesky"
    network = "bluesky"
    config: type[Config] = Config
    terms = Terms(
        keep_days=365,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=True,
        deletes_within_h=24,
        is_public=True,
        source="https://docs.bsky.app/docs/starter-templates/bots",
        read_on=dt.date(2026, 11, 22),
        note=(
            "Bots may address those alone who addressed them, so nothing is answered unasked unless staff "
            "approved that very answer. The days and hours are our own caution: the terms name none."
        ),
    )
    # 3,000 requests in five minutes are allowed to one address; we leave room for what else it does.
    manners = Manners(
        requests=2_400,
        per_s=300,
        every_s=3,
        publishes_once=True,
        length_max=writing.LENGTH_MAX,
        pictures=writing.PICTURES,
    )
    costs = "Free: an account and an app password are enough."
    sees = (
        "Posts that mention, answer or quote the account, likes and reposts of its posts, what it posts "
        "elsewhere, threads it spoke in for three days, and the newest posts with the words that are followed."
    )
    cannot_see = (
        "Private messages, posts that their authors hide from those who are not logged in to the app, and posts that "
        "the network's search leaves out."
    )

    def check(self, config: Config) -> None:
        accounts.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        account = Account(config, context)
        try:
            did = account.did
        except Failed as failed:
            return [Finding("Log-in", "bad", failed.message, failed.hint)]
        found = [Finding("Log-in", "ok", f"{config.handle} is {did}")]
        if account.is_main_password:
            found.append(
                Finding(
                    "Password",
                    "warn",
                    "this is the account's main password, which may do everything",
                    "Make an app password, and enter that one.",
                )
            )
        told = _asked(account, "app.bsky.notification.listNotifications", [("limit", 1)])
        searched = _asked(account, "app.bsky.feed.searchPosts", [("q", config.handle), ("limit", 1)])
        for what, wrong in (("Notifications", told), ("Search", searched)):
            if wrong is None:
                found.append(Finding(what, "ok", "can be read"))
            else:
                found.append(Finding(what, "bad", wrong.message, wrong.hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from Round(Account(config, context), cursor, context).pages()

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        posts = [id for id in ids if id.startswith("at://")]
        return [
            one for one in Round(Account(config, context), "", context).among(posts) if one.kind == "deletion"
        ]

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        return writing.published(Account(config, context), draft, context)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        return writing.found(Account(config, context), draft)


def _asked(account: Account, method: str, parameters: Parameters) -> Failed | None:
    """Why a query does not work; None where it does."""
    try:
        account.query(method, parameters)
    except Refused as refused:
        return refused.failed
    except Failed as failed:
        return failed
    return None


plugin = Bluesky()
