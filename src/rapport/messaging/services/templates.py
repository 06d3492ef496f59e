"""The templates there are. Words go through gettext, so a template speaks every language of the screens."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from rapport.kit.errors import Invalid, NotFound
from rapport.messaging.rules.blocks import MESSAGE, SERVICE, SLOT, Block, Template, checked

_templates: dict[str, Template] = {}


def register_template(template: Template) -> Template:
    """Make a template known; Invalid where it cannot be used, such as a service message that promotes."""
    known = _templates.setdefault(template.key, checked(template))
    if known is not template and known != template:
        raise Invalid(f"two templates are called {template.key!r}", "Give one of them another key.")
    return template


def template(key: str) -> Template:
    """The template of that key, or NotFound naming those there are."""
    if key not in _templates:
        raise NotFound(f"there is no template {key!r}", f"There are: {', '.join(sorted(_templates))}.")
    return _templates[key]


def templates() -> dict[str, Template]:
    """Every template by its key."""
    return dict(sorted(_templates.items()))


IGNORE = Block(
    "note", _("If you did not ask for this, do nothing: without your press of the button, nothing changes.")
)

register_template(
    Template(
        key="double_opt_in",
        kind=SERVICE,
        meaning=_("Asks the reader of an address to confirm a consent that was given on a form."),
        subject_line=_("Please confirm: {purpose_name} from {firm}"),
        blocks=(
            Block("heading", _("One more step")),
            Block("text", _("Somebody, probably you, gave this address to {firm} and agreed to this:")),
            Block("facts", rows=((_("What you agree to"), "{wording_text}"),)),
            Block("button", _("Yes, I agree"), "{confirm_url}"),
            Block("text", _("The link works for {days} days. You can take your consent back at any time.")),
            IGNORE,
        ),
        ttl_s=7 * 86_400,
    )
)
register_template(
    Template(
        key="sign_in",
        kind=SERVICE,
        meaning=_("The one-time link by which staff log in."),
        subject_line=_("Your log-in link for {firm}"),
        blocks=(
            Block("heading", _("Hello, {name}")),
            Block("text", _("This link lets you in once, within {minutes} minutes.")),
            Block("button", _("Log in"), "{enter_url}"),
            Block(
                "note",
                _("If you did not ask for it, nobody was let in; you need not do anything."),
            ),
        ),
        ttl_s=25 * 60,
    )
)
register_template(
    Template(
        key="request_received",
        kind=SERVICE,
        meaning=_("Says that a request about somebody's own data arrived, and by when it is answered."),
        subject_line=_("{firm} received your request"),
        blocks=(
            Block("heading", _("Your request arrived")),
            Block(
                "facts",
                rows=(
                    (_("What you asked for"), "{request_kind}"),
                    (_("Arrived"), "{received_on}"),
                    (_("Answered by"), "{due_on}"),
                    (_("Number"), "{request_number}"),
                ),
            ),
            Block("text", _("We will write to this address. You need not do anything until then.")),
        ),
    )
)
register_template(
    Template(
        key="request_done",
        kind=SERVICE,
        meaning=_("Says what was done about a request, with a link to the result."),
        subject_line=_("{firm} has answered your request"),
        blocks=(
            Block("heading", _("Your request is answered")),
            Block(
                "facts",
                rows=(
                    (_("What you asked for"), "{request_kind}"),
                    (_("What was done"), "{outcome}"),
                    (_("Number"), "{request_number}"),
                ),
            ),
            Block("button", _("See the answer"), "{result_url}"),
            Block("note", _("The link works for {days} days.")),
        ),
    )
)
register_template(
    Template(
        key="receipt",
        kind=SERVICE,
        meaning=_("A receipt: that something was bought, paid, given back or done."),
        subject_line=_("{firm}: receipt {number}"),
        blocks=(
            Block("heading", _("Receipt {number}")),
            Block("text", "{what}"),
            Block("facts", rows=((_("Date"), "{date}"), (_("Amount"), "{amount}"))),
        ),
    )
)
register_template(
    Template(
        key="test",
        kind=SERVICE,
        meaning=_("What staff send to themselves to see whether mail works."),
        subject_line=_("A test from Rapport at {firm}"),
        blocks=(
            Block("heading", _("Mail works")),
            Block("text", _("{name} sent this from the page Mail, to see whether it arrives.")),
            Block("facts", rows=((_("Sent"), "{sent_on}"), (_("By way of"), "{host}"))),
        ),
        ttl_s=600,
    )
)
register_template(
    Template(
        key="letter",
        kind=MESSAGE,
        meaning=_("A message whose blocks the sender writes: headings, texts, buttons, offers, products."),
        subject_line="{subject_line}",
        blocks=(Block(SLOT),),
    )
)
register_template(
    Template(
        key="answer",
        kind=SERVICE,
        meaning=_("What somebody of ours answers in a conversation."),
        subject_line="{subject_line}",
        blocks=(Block("text", "{text}"),),
    )
)
