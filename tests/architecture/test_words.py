"""One word for one thing: the glossary's banned synonyms do not appear as names in the code."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "rapport"

# Word to say instead. Singular; a plural is banned with it. Some banned words of the glossary are not
# here, because they are right for something else: key, link, list, field, topic, setting, action, thread,
# hash; and subscriber, which in this code is whoever follows the log.
BANNED = {
    "hit": "touchpoint or event",
    "lead": "person",
    "contact": "person, or touchpoint",
    "prospect": "public author",
    "ticket": "voice case or conversation",
    "agent": "staff",
    "user": "staff or person",
    "visit": "session",
    "scraper": "connector",
    "integration": "source",
    "audience": "segment",
    "archetype": "persona",
    "blacklist": "suppression",
    "blast": "message",
    "grade": "score",
    "ltv": "clv_minor",
    "util": "the noun it is about",
    "helper": "the noun it is about",
    "manager": "the verb it does",
    "processor": "the verb it does",
    "data": "what the rows are",
    "info": "what is known",
}

# (file, name, why): names that others chose, or that mean something else.
ALLOWED = [
    ("web/settings.py", "AUTH_USER_MODEL", "Django reads this name"),
    ("web/settings.py", "DATA_UPLOAD_MAX_MEMORY_SIZE", "Django reads this name"),
    ("staff/*", "*user*", "Django's accounts call it so"),
    ("web/pages/*", "get_context_data", "Django calls this method"),
    ("web/pages/*", "redirect_authenticated_user", "Django reads this name"),
    ("cli/insights.py", "data", "the option --data is what scripts of others already write"),
    ("events/collector/keys.py", "_user_name", "the term of HTTP basic authentication"),
    ("*test*", "handle_DATA", "aiosmtpd calls the method so"),
    ("kit/markup.py", "handle_data", "the standard library's reader of HTML calls the method so"),
    ("bench/collector.py", "data*", "asyncio calls the method and its argument so"),
    ("*test_*", "data", "hypothesis calls its interactive strategy so"),
    ("*", "data_folder", "every page calls the folder RAPPORT_HOME so"),
    ("*", "*contact_reason*", "the field's term for why somebody writes to a firm"),
    ("*", "ContactReason", "the field's term for why somebody writes to a firm"),
    ("kit/texts/svm.py", "data", "SciPy calls the values of a sparse matrix so"),
    ("*", "user_agent", "the name of an HTTP header"),
    ("*", "user_agents", "the name of an HTTP header"),
]


def parts(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return [part for part in spaced.lower().split("_") if part]


def banned_in(name: str) -> Iterator[tuple[str, str]]:
    """The banned words in a name, each with what to say instead."""
    for part in parts(name):
        for word in (part, part.removesuffix("s")):
            if word in BANNED:
                yield part, BANNED[word]
                break


def names_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a module itself chooses: classes, functions, arguments, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("test_"):  # a test's name is a sentence, with verbs such as leads
                yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def is_allowed(file: str, name: str) -> bool:
    return any(fnmatch.fnmatch(file, f) and fnmatch.fnmatch(name.lower(), n.lower()) for f, n, _ in ALLOWED)


def modules() -> list[Path]:
    return sorted(f for f in SOURCE.rglob("*.py") if "migrations" not in f.parts)


@pytest.mark.parametrize("file", modules(), ids=lambda f: str(f.relative_to(SOURCE)))
def test_a_module_uses_the_words_of_the_glossary(file: Path) -> None:
    relative = str(file.relative_to(SOURCE))
    named = [(1, file.stem), *names_in(ast.parse(file.read_text(encoding="utf-8")))]
    wrong = [
        f"{relative}:{line} {name}: not {word!r} but {instead}"
        for line, name in named
        if not is_allowed(relative, name)
        for word, instead in banned_in(name)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("LeadManager", ["lead", "manager"]),
        ("page_hits", ["hits"]),
        ("HTTPUser", ["user"]),
        ("metadata", []),
        ("leading", []),
        ("visitor", []),  # a namespace of identifiers: a browser, not a human being
        ("database", []),
    ],
)
def test_the_check_finds_whole_words(name: str, found: list[str]) -> None:
    assert [word for word, _ in banned_in(name)] == found


def test_every_exception_has_a_reason() -> None:
    assert all(reason for _, _, reason in ALLOWED)
