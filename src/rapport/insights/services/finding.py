"""Finding what else people judge: nouns that are frequent in what they write when they praise or blame.

A noun shows itself by what stands before it (the, my, der, le) or, in Korean, by the particles behind it; that holds in
every language here without a parser. Proposed are those that stand in judging texts more often than texts on average
(lower end of Wilson's interval), and that the catalogue does not know; staff says yes or no.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.insights import rules
from rapport.insights.models import Aspect
from rapport.insights.selectors.aspects import LOOKED_AT, aspects, waiting
from rapport.insights.selectors.texts import PURPOSE
from rapport.insights.services.cataloguing import KEY_LONGEST
from rapport.kit import chances, clock, query
from rapport.kit.errors import Denied
from rapport.kit.texts import tokens
from rapport.people.rules import sensitive

PROPOSED = 12  # at a time; nobody decides on a hundred
TEXTS_MIN = 8
SHARE_MIN = 0.002  # of the texts of its language
LED_MIN = 0.3  # of a noun's places, the share with a word before it that leads a noun

# What stands before a noun, by language.
LEADING = {
    "en": "the a an my your his her their our this that these those its no any some",
    "de": "der die das den dem des ein eine einen einem einer mein meine meinen meinem meiner dein deine ihr ihre eure euer "
    "euren eurer unser unsere kein keine dieser diese dieses diesen",
    "fr": "le la les l un une des du de mon ma mes votre vos ton ta tes leur leurs notre nos ce cette ces cet aucun aucune",
    "es": "el la los las un una unos unas mi mis tu tus su sus nuestro nuestra este esta estos estas ningún ninguna del",
    "it": "il lo la i gli le un uno una l del della dei delle mio mia miei mie suo sua vostro vostra questo questa nessun",
    "pt": "o a os as um uma do da dos das meu minha meus minhas seu sua vosso vossa este esta esse essa nenhum nenhuma",
}
PARTICLES = ("이", "가", "은", "는", "을", "를", "도", "에서", "으로", "로", "의")
# Never what is judged, though an article stands before it.
EMPTY = frozenset(
    [
        "thing",
        "things",
        "one",
        "ones",
        "time",
        "times",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "way",
        "lot",
        "bit",
        "first",
        "last",
        "same",
        "whole",
        "other",
        "people",
        "person",
        "man",
        "woman",
        "fact",
        "moment",
        "end",
        "hour",
        "hours",
        "minute",
        "minutes",
        "tag",
        "tage",
        "woche",
        "wochen",
        "monat",
        "monate",
        "jahr",
        "jahre",
        "mal",
        "zeit",
        "ding",
        "leute",
        "moment",
        "ende",
        "stunde",
        "stunden",
        "minute",
        "minuten",
        "jour",
        "jours",
        "semaine",
        "semaines",
        "mois",
        "an",
        "ans",
        "fois",
        "temps",
        "chose",
        "choses",
        "gens",
        "moment",
        "fin",
        "heure",
        "heures",
        "día",
        "días",
        "semana",
        "semanas",
        "mes",
        "meses",
        "año",
        "años",
        "vez",
        "veces",
        "tiempo",
        "cosa",
        "cosas",
        "gente",
        "momento",
        "fin",
        "hora",
        "horas",
        "giorno",
        "giorni",
        "settimana",
        "settimane",
        "mese",
        "mesi",
        "anno",
        "anni",
        "volta",
        "volte",
        "tempo",
        "cosa",
        "cose",
        "gente",
        "momento",
        "fine",
        "ora",
        "ore",
        "dia",
        "dias",
        "semana",
        "semanas",
        "mês",
        "meses",
        "ano",
        "anos",
        "vez",
        "vezes",
        "tempo",
        "coisa",
        "coisas",
        "gente",
        "momento",
        "fim",
        "hora",
        "horas",
    ]
)


@dataclass(frozen=True, slots=True)
class Found:
    """A noun that people judge."""

    word: str
    language: str
    n: int  # texts with it
    n_judged: int  # of these, texts that praise or blame


def look() -> list[str]:
    """Look for aspects that the catalogue lacks in the newest texts, and propose them; gives the keys that are new."""
    asked = {"own_words": list(rules.OWN_WORDS), "looked_at": LOOKED_AT}
    con = lake.connect()
    try:
        lake.give(con, "refused", consent.refused_subjects(PURPOSE))
        texts = query.run(con, query.load("rapport.insights", "judged_texts"), asked).to_arrow_table()
    finally:
        con.close()
    known = {a.key: a for a in aspects(active_only=False)}
    taken = [w.rstrip(" +-−").lower() for a in known.values() for words in a.words.values() for w in words]
    fresh: list[str] = []
    room = PROPOSED - len(waiting())
    for one in found_in(texts):
        if _is_taken(one.word, taken) or _is_sensitive(one.word):
            continue
        if one.word in known:
            Aspect.objects.filter(key=one.word, is_declared=False).update(n_found=one.n)
            continue
        if len(fresh) >= room:
            continue
        # Somebody else may be looking at the same moment; then it is theirs.
        _, is_fresh = Aspect.objects.get_or_create(
            key=one.word,
            defaults={
                "title": one.word.capitalize(),
                "words": {one.language: [one.word]},
                "is_declared": False,
                "is_active": True,
                "n_found": one.n,
                "changed_at": clock.now(),
            },
        )
        if is_fresh:
            fresh.append(one.word)
        taken.append(one.word)
    return fresh


def found_in(texts: pa.Table) -> list[Found]:
    """Nouns that are judged in these texts (text, is_judged, language), the most frequent first."""
    if texts.num_rows == 0:
        return []
    judged = np.asarray(texts.column("is_judged").to_numpy(zero_copy_only=False), np.bool_)
    language = np.asarray(texts.column("language").to_pylist(), object)
    column: Any = texts.column("text").cast(pa.string()).combine_chunks()
    found: list[Found] = []
    for code in (*LEADING, "ko"):
        chosen = np.flatnonzero(language == code)
        if len(chosen):
            cut = tokens.words(column.take(pa.array(chosen)))
            found += _of_language(code, cut, judged[chosen])
    return sorted(found, key=lambda f: (-f.n, f.word))


def _of_language(code: str, cut: tokens.Words, judged: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Found]:
    word, is_led = _korean(cut.word) if code == "ko" else _led(cut, frozenset(LEADING[code].split()))
    distinct, place = np.unique(np.array(word, object).astype(str), return_inverse=True)
    at = np.bincount(place, minlength=len(distinct))
    led = np.bincount(place, weights=is_led, minlength=len(distinct))
    pair = np.unique(place * np.int64(cut.n_texts) + cut.owner)
    in_word, in_text = np.divmod(pair, cut.n_texts)
    n = np.bincount(in_word, minlength=len(distinct))
    n_judged = np.bincount(in_word, weights=judged[in_text], minlength=len(distinct))
    least = max(TEXTS_MIN, SHARE_MIN * cut.n_texts)
    usual = float(judged.mean())
    frequent = np.flatnonzero((n >= least) & (led >= LED_MIN * at))
    return [
        Found(str(distinct[k]), code, int(n[k]), int(n_judged[k]))
        for k in frequent.tolist()
        if _is_noun(str(distinct[k])) and chances.share(int(n_judged[k]), int(n[k])).low > usual
    ]


def _led(cut: tokens.Words, leading: frozenset[str]) -> tuple[list[str], np.ndarray[Any, np.dtype[np.bool_]]]:
    precedes = np.fromiter((w in leading or w.endswith("'") for w in cut.word), np.bool_, len(cut.word))
    is_led = np.zeros(len(cut.word), np.bool_)
    is_led[1:] = precedes[:-1] & (cut.owner[1:] == cut.owner[:-1]) & ~precedes[1:]
    # `l'envoi` is one word to us; what stands behind the apostrophe is the noun.
    bare = [w.partition("'")[2] or w if len(w.partition("'")[0]) == 1 else w for w in cut.word]
    behind = np.fromiter((b is not w for b, w in zip(bare, cut.word, strict=True)), np.bool_, len(cut.word))
    return bare, is_led | behind


def _korean(word: list[str]) -> tuple[list[str], np.ndarray[Any, np.dtype[np.bool_]]]:
    ends = [next((p for p in PARTICLES if w.endswith(p) and len(w) > len(p) + 1), "") for w in word]
    bare = [w[: len(w) - len(p)] if p else w for w, p in zip(word, ends, strict=True)]
    return bare, np.fromiter((bool(p) for p in ends), np.bool_, len(word))


def _is_noun(word: str) -> bool:
    return (
        bool(re.fullmatch(r"[^\W\d_]+", word))
        and word not in EMPTY
        and (len(word) > 2 or not word.isascii())
        and len(word) <= KEY_LONGEST
    )


def _is_taken(word: str, taken: list[str]) -> bool:
    return any(word == t or (t.endswith("*") and word.startswith(t[:-1])) or word in t.split() for t in taken)


def _is_sensitive(word: str) -> bool:
    try:
        sensitive.refuse(word)
    except Denied:
        return True
    return False
