"""Every text of the screens exists in every language, whole, with the same figures in it."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import trans_real

WEB = Path(__file__).parents[1]
SOURCE = WEB.parent
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
FIGURE = re.compile(r"%\(\w+\)[sd]")
CALLS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 1, "pgettext": 2}
DOMAINS = (
    "staff",
    "listening",
    "consent",
    "knowledge",
    "pacing",
    "venues",
    "messaging",
    "conversations",
    "publishing",
    "surveys",
    "onsite",
    "segments",
    "insights",
    "aio",
    "personas",
)  # that speak to readers beside `web`


def is_customers(file: Path) -> bool:
    """Whether customers read the file's texts: their pages, mails, surveys and what these are made of."""
    parts = file.relative_to(SOURCE).parts
    return (
        parts[0] in {"consent", "messaging"}
        or any("customer" in part for part in parts)
        or (parts[0] == "web" and file.stem in {"consenting", "surveying", "fresh_links", "takeout"})
    )


def texts_of_templates(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        text = file.read_text("utf-8")
        for _quote, found in re.findall(r"""\{%\s*translate\s+(["'])(.*?)\1""", text):
            yield found
        for begin, _middle, plural in re.findall(
            r"\{%\s*blocktranslate.*?%\}(.*?)((?:\{%\s*plural\s*%\})(.*?))?\{%\s*endblocktranslate",
            text,
            re.DOTALL,
        ):
            for part in (begin, plural):
                if part:
                    yield re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", part.replace("%", "%%"))


def templates() -> list[Path]:
    return list(WEB.rglob("*.html"))


def code() -> list[Path]:
    found = [f for d in ("web", *DOMAINS) for f in (SOURCE / d).rglob("*.py")]
    return [f for f in found if "tests" not in f.parts and not f.name.startswith("test_")]


def texts_of_code(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                at = CALLS[node.func.id] - 1
                if len(node.args) > at and isinstance(node.args[at], ast.Constant):
                    yield str(node.args[at].value)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Entry:
    """One message of a catalogue and what it is in that language."""

    context: str
    message: str
    plural: str
    translations: list[str]


def entries(language: str) -> list[Entry]:
    """The .po file, read."""
    text = (WEB / "locale" / language / "LC_MESSAGES" / "django.po").read_text("utf-8")

    def of(key: str, block: str) -> list[str]:
        return [_plain(found) for found in re.findall(rf'^{key} "(.*)"$', block, re.MULTILINE)]

    return [
        Entry(
            context="".join(of("msgctxt", block)),
            message=of("msgid", block)[0],
            plural="".join(of("msgid_plural", block)),
            translations=of(r"msgstr\S*", block),
        )
        for block in text.strip().split("\n\n")[1:]
    ]


def _plain(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_the_catalogue(language: str) -> None:
    known = {text for entry in entries(language) for text in (entry.message, entry.plural)}
    wanted = set(texts_of_templates(templates())) | set(texts_of_code(code()))
    assert len(wanted) > 500
    assert sorted(wanted - known) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_customers_read_lacks_a_translation(language: str) -> None:
    translated = {
        text
        for entry in entries(language)
        if all(entry.translations)
        for text in (entry.message, entry.plural)
    }
    wanted = set(texts_of_templates(filter(is_customers, templates())))
    wanted |= set(texts_of_code(filter(is_customers, code())))
    assert len(wanted) > 300
    assert sorted(wanted - translated) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_its_figures(language: str) -> None:
    for entry in entries(language):
        # One may be said in words ("in the last day") where many are said in figures.
        wanted = [sorted(FIGURE.findall(said)) for said in (entry.message, entry.plural or entry.message)]
        for text in entry.translations:
            assert text, entry.message
            assert sorted(FIGURE.findall(text)) in wanted, (entry.message, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_is_what_is_written(language: str) -> None:
    """The compiled catalogue is kept beside its source, so that no compiler is needed to install."""
    with (WEB / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled: dict[object, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    written: dict[object, str] = {}
    for entry in entries(language):
        key = f"{entry.context}\x04{entry.message}" if entry.context else entry.message
        if entry.plural:
            written |= {(key, n): text for n, text in enumerate(entry.translations)}
        else:
            written[key] = entry.translations[0]
    assert {key: text for key, text in compiled.items() if key} == written


@pytest.mark.parametrize(
    ("language", "home"), [("de", "Start"), ("fr", "Accueil"), ("es", "Inicio"), ("ko", "홈"), ("en", "Home")]
)
def test_django_finds_it(language: str, home: str) -> None:
    trans_real._translations.clear()  # type: ignore[attr-defined]
    with translation.override(language):
        assert _("Home") == home


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_count_has_all_forms_of_its_language(language: str) -> None:
    """A form that is missing would be said in English."""
    file = WEB / "locale" / language / "LC_MESSAGES" / "django.po"
    n_forms = re.search(r"nplurals=(\d+)", file.read_text("utf-8"))
    assert n_forms
    counted = [entry for entry in entries(language) if entry.plural]
    assert len(counted) > 10
    assert [e.message for e in counted if len(e.translations) != int(n_forms[1])] == []
