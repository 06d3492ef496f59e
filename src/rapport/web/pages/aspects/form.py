"""One aspect as a form: its title, and its words in each language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language_info, gettext_lazy

# Those of the offered catalogue stand first; any other is added by its two letters.
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "ko")


class AspectForm(forms.Form):
    """What it may hold is the domain's to say."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=80)
    other_language = forms.CharField(
        label=gettext_lazy("Another language"),
        help_text=gettext_lazy("Its two letters, such as nl."),
        required=False,
        max_length=2,
        widget=forms.TextInput(attrs={"class": "mono", "autocapitalize": "off"}),
    )
    other_words = forms.CharField(
        label=gettext_lazy("Words in that language"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *given: Any, languages: Sequence[str] = (), **named: Any) -> None:
        super().__init__(*given, **named)
        self.languages = tuple(dict.fromkeys((*LANGUAGES, *languages)))
        for code in self.languages:
            self.fields[f"words_{code}"] = forms.CharField(
                label=language_title(code),
                required=False,
                widget=forms.Textarea(attrs={"rows": 4, "lang": code}),
            )

    def word_fields(self) -> list[Any]:
        return [self[f"words_{code}"] for code in self.languages]

    def words(self) -> dict[str, list[str]]:
        """What was filled in, by language."""
        found = {code: _parted(self.cleaned_data[f"words_{code}"]) for code in self.languages}
        other = self.cleaned_data["other_language"].strip().lower()
        if other:
            found[other] = [*found.get(other, []), *_parted(self.cleaned_data["other_words"])]
        return {code: words for code, words in found.items() if words}


def filled(title: str, words: Mapping[str, Sequence[str]]) -> AspectForm:
    """The form with what is in force."""
    initial = {"title": title} | {f"words_{code}": ", ".join(given) for code, given in words.items()}
    return AspectForm(initial=initial, languages=tuple(words))


def language_title(code: str) -> str:
    """The language's name where it is known, else its letters."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _parted(text: str) -> list[str]:
    return [word.strip() for word in re.split(r"[,;\n]", text) if word.strip()]
