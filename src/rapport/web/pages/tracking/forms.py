"""The forms of Tracking: a site's settings, its banner's words, one place."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from rapport.onsite import rules
from rapport.onsite.selectors import SiteView, SlotView

POLICIES = [
    (rules.NOTHING, _("Nothing at all")),
    (rules.COUNT, _("Count pages, without anything that tells one visitor from another")),
]
KINDS = [
    (rules.TEXT, _("A text")),
    (rules.GREETING, _("A greeting, by name where that is allowed")),
    (rules.SURVEY, _("A survey")),
]


class Lines(forms.CharField):
    """Several short values, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]


class SettingsForm(forms.Form):
    is_on = forms.BooleanField(label=_("Take what this site sends"), required=False)
    origins = Lines(
        label=_("Addresses of its pages"),
        required=False,
        help_text=_("One a line, such as https://shop.example; https://*.shop.example is every name below."),
    )
    before_consent = forms.ChoiceField(label=_("Before somebody has chosen, take"), choices=POLICIES)
    search = Lines(
        label=_("Parameters of your search"),
        required=False,
        help_text=_("What stands before = in the address of a page of results, one a line."),
    )
    forms = Lines(
        label=_("Forms whose marked fields may be sent"),
        required=False,
        help_text=_("Their names, one a line. Of every other form, only the names of its fields are known."),
    )

    def __init__(self, site: SiteView, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(site, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)


class BannerForm(forms.Form):
    is_asking = forms.BooleanField(label=_("Open the banner for whoever has not answered"), required=False)
    purposes = forms.MultipleChoiceField(
        label=_("It asks for"), required=False, widget=forms.CheckboxSelectMultiple
    )
    language = forms.ChoiceField(
        label=_("Language where the visitor's is not spoken"), choices=settings.LANGUAGES
    )
    ask_again_days = forms.IntegerField(label=_("Ask again after (days)"), min_value=1, max_value=730)

    def __init__(self, site: SiteView, purposes: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(site, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)
        field = self.fields["purposes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = purposes


class WordsForm(forms.Form):
    """The banner's words in one language; what is left as it was goes along with new releases."""

    title = forms.CharField(label=_("Heading"), max_length=120)
    body = forms.CharField(
        label=_("Text"), max_length=rules.WORD_CHARS_MAX, widget=forms.Textarea(attrs={"rows": 3})
    )
    accept = forms.CharField(label=_("To allow"), max_length=40)
    refuse = forms.CharField(label=_("To refuse"), max_length=40)
    save = forms.CharField(label=_("To choose one by one"), max_length=40)

    def __init__(self, site: SiteView, language: str, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = rules.words(site.texts, language)
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["lang"] = language


class SlotForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=40,
        help_text=_("Small letters, digits and hyphens; the page names it too."),
    )
    kind = forms.ChoiceField(label=_("What stands in it"), choices=KINDS)
    survey = forms.ChoiceField(label=_("Which survey"), required=False)
    is_on = forms.BooleanField(label=_("Show it"), required=False, initial=True)

    def __init__(
        self, slot: SlotView | None, surveys: list[tuple[str, str]], *args: Any, **kwargs: Any
    ) -> None:
        if slot:
            hrefs = (said.get("href", "") for said in slot.content.values())
            chosen = next((slug for slug, _title in surveys if _inline(slug) in hrefs), "")
            kwargs["initial"] = {
                "name": slot.name,
                "kind": slot.kind,
                "is_on": slot.is_on,
                "survey": chosen,
            }
        super().__init__(*args, **kwargs)
        field = self.fields["survey"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("None")), *surveys]
        content = slot.content if slot else {}
        for code, language in settings.LANGUAGES:
            said = content.get(code, {})
            for key, label in (
                ("text", _("Text")),
                ("named", _("Text with {name}")),
                ("href", _("Address it leads to")),
            ):
                self.fields[f"{key}_{code}"] = forms.CharField(
                    label=label, required=False, max_length=300, initial=said.get(key, "")
                )
                self.fields[f"{key}_{code}"].widget.attrs["data-language"] = language

    def languages(self) -> list[tuple[str, list[Any]]]:
        """The fields of each language."""
        return [
            (language, [self[f"{key}_{code}"] for key in ("text", "named", "href")])
            for code, language in settings.LANGUAGES
        ]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("kind") == rules.SURVEY and not given.get("survey"):
            self.add_error("survey", _("Choose the survey that stands here."))
        return given

    def content(self) -> dict[str, dict[str, str]]:
        """What was written, by language; a survey stands in every language, under its text if it has one."""
        written = {
            code: {key: self.cleaned_data[f"{key}_{code}"] for key in ("text", "named", "href")}
            for code, _language in settings.LANGUAGES
        }
        if self.cleaned_data["kind"] == rules.SURVEY:
            for code, said in written.items():
                said["href"] = _inline(self.cleaned_data["survey"])
                said["text"] = said["text"] or rules.starting()[code]["survey"]
        return written


def _inline(slug: str) -> str:
    """A survey's address for a frame on another site."""
    return f"/s/{slug}/inline"
