"""Networks in words: their state, terms and gaps, and a form over a connector's configuration."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.listening import selectors as listening
from rapport.listening.contract import Finding, Manners, Publishes, Reads, Terms
from rapport.listening.services import sources as setting_up
from rapport.web.components import formats

REASONS = {
    "rate": gettext_lazy("Too many requests"),
    "permission": gettext_lazy("No permission"),
    "horizon": gettext_lazy("No longer shown by the network"),
    "login": gettext_lazy("Log-in ended"),
    "unreachable": gettext_lazy("Not reachable"),
    "stopped": gettext_lazy("Not read"),
    "configuration": gettext_lazy("Set-up"),
}


@dataclass(frozen=True, slots=True)
class Term:
    """One line of a network's terms, in words."""

    what: str
    said: str
    tone: str  # of the chip: ok where it may be done, empty otherwise


def state(row: listening.SourceRow) -> tuple[str, str]:
    """A source's state in words, and the tone of its chip."""
    if row.needs_login:
        return _("Needs its log-in"), "danger"
    if not row.is_on:
        return _("Off"), ""
    if row.trouble:
        return (_("In trouble"), "warn") if row.is_late else (_("Waiting"), "")
    if row.seen_at is None:
        return _("Not read yet"), ""
    return _("Reads"), "ok"


def pace(manners: Manners) -> str:
    """How often a network is asked at most, and how often at all, in a sentence."""
    requests, seconds = formats.number(manners.requests), formats.duration(manners.per_s)
    most = _("at most %(n)s requests in %(time)s") % {"n": requests, "time": seconds}
    if manners.is_lasting:
        return _("all the time, %(most)s") % {"most": most}
    return _("every %(time)s, %(most)s") % {"time": formats.duration(manners.every_s), "most": most}


def finding(found: Finding) -> Finding:
    """What was found, its name in words where it is a reason why something could not be seen."""
    return dataclasses.replace(found, what=reason(found.what))


def terms(found: Terms, keep_days: int | None) -> list[Term]:
    """What may be done with what is said there, a line each; we keep to every one of them."""
    kept = (
        _("for %(n)s days, then they are erased here") % {"n": formats.number(keep_days)}
        if keep_days is not None
        else _("as long as the firm keeps them")
    )
    answers = (
        _("also to whoever did not address us")
        if found.may_answer_unasked
        else _("only to whoever addressed us")
        if found.may_answer
        else _("not from here")
    )
    return [
        Term(_("Words and handles are kept"), kept, "ok"),
        Term(
            _("Deleted there"),
            _("gone here within %(n)s hours") % {"n": formats.number(found.deletes_within_h)},
            "ok",
        ),
        _allowed(_("Joined to a customer"), found.may_match, _("by the customer's own act or consent")),
        _allowed(
            _("Sentiment and standing of one author"), found.may_derive, "", _("no: of many together only")
        ),
        _allowed(_("Models learn from it"), found.may_train),
        Term(_("We may answer"), answers, "ok" if found.may_answer else ""),
    ]


def _allowed(what: str, is_so: bool, how: str = "", otherwise: str = "") -> Term:
    return Term(what, (how or _("yes")) if is_so else (otherwise or _("no")), "ok" if is_so else "")


def reason(key: str) -> str:
    """Why something could not be seen."""
    return str(REASONS.get(key, key))


def local(at: dt.datetime) -> dt.date:
    """The day of a moment, where the reader is."""
    return timezone.localtime(at).date()


def form_of(connector: str, posted: Any, initial: Mapping[str, Any], *, is_new: bool) -> forms.Form:
    """A form over a connector's configuration, and what the firm decides of any source."""
    shown: dict[str, forms.Field] = {}
    if is_new:
        shown["name"] = forms.SlugField(
            label=_("Name"),
            max_length=48,
            help_text=_("Small letters and hyphens. It stands beside everything that comes from here."),
        )
    for field in dataclasses.fields(setting_up.connector(connector).config):
        if field.metadata.get("made"):
            continue
        shown[f"set_{field.name}"] = _field(field, is_new=is_new)
    if isinstance(setting_up.connector(connector), Reads):
        shown["days_back"] = forms.IntegerField(
            label=_("Days to read back at first"), min_value=0, max_value=setting_up.DAYS_BACK_MAX,
            help_text=_("How far the first reading goes back, where the network shows it."),
        )  # fmt: skip
    shown["keep_days"] = forms.IntegerField(
        label=_("Keep words for so many days"), min_value=1, max_value=3_650, required=False,
        help_text=_("Where you want it shorter than the terms. Empty: as the terms say."),
    )  # fmt: skip
    if isinstance(setting_up.connector(connector), Publishes):
        shown["asks_approval"] = forms.BooleanField(
            label=_("A second person approves what we say there in public"), required=False
        )
    kind = type("SourceForm", (forms.Form,), shown)
    form: forms.Form = kind(posted, initial={f"set_{k}": v for k, v in initial.items()} | dict(initial))
    return form


def _field(field: dataclasses.Field[Any], *, is_new: bool) -> forms.Field:
    about = field.metadata
    is_secret = bool(about.get("secret"))
    text = str(_(about["help"])) if about["help"] else ""
    if is_secret and not is_new:
        text = f"{text} {_('Leave it empty to keep the one there is.')}".strip()
    required = not about.get("optional") and not (is_secret and not is_new)
    given: dict[str, Any] = {"label": _(about["label"]), "help_text": text, "required": required}
    kind = field.type if isinstance(field.type, str) else field.type.__name__
    if is_secret:
        # What was typed stays while it is tried or something else has to be corrected; what is kept never comes.
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True)
        return forms.CharField(strip=False, widget=widget, max_length=8_000, **given)
    if "choices" in about:
        return forms.ChoiceField(choices=[(k, _(v)) for k, v in about["choices"].items()], **given)
    if kind == "bool":
        return forms.BooleanField(**{**given, "required": False})
    if kind == "int":
        return forms.IntegerField(min_value=about.get("low"), max_value=about.get("high"), **given)
    if about.get("lines"):
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}), **given)
    return forms.CharField(max_length=2_000, **given)


def meanwhile(posted: Mapping[str, Any], changed_at: dt.datetime, changed_by: str) -> str:
    """That somebody else changed what a form is about since it was opened; empty where nobody did."""
    was = posted.get("was", "")
    if not was or was == changed_at.isoformat():
        return ""
    return _(
        "%(who)s has changed this since you opened it. What stands here is yours: save again to put it in its place, "
        "or reload the page."
    ) % {"who": changed_by or _("Somebody")}


def values_of(form: forms.Form) -> dict[str, Any]:
    """What a form says of the connector's own settings."""
    return {k.removeprefix("set_"): v for k, v in form.cleaned_data.items() if k.startswith("set_")}


def lines_of(text: str) -> Sequence[str]:
    """Words as they are typed: a line each, or separated by commas."""
    return [part.strip() for line in text.splitlines() for part in line.split(",") if part.strip()]
