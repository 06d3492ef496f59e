"""Which form of address a text uses, and which language it is in. Pure.

Only what leaves no doubt counts: German "Sie" at the start of a sentence may be "they", Spanish "su" may be
"her", French "ton" may be a tone of voice. What is quoted is somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rapport.venues.rules.folding import plain

_QUOTED = re.compile(r"^\s*>.*$|“[^”]*”|„[^“”]*[“”]|«[^»]*»|\"[^\"\n]*\"", re.MULTILINE)
_NOT_FIRST = (
    r"(?<=[a-zäöüßàèéìòù0-9,;:)] )"  # within a sentence, where German and Italian capitals mean something
)

# language -> form -> patterns; those of CASED are held against the text in its own case.
_CASED: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "de": {
        "Sie": re.compile(
            rf"{_NOT_FIRST}(?:Sie|Ihnen|Ihre[mnrs]?|Ihr(?! (?:habt|seid|könnt|wollt|müsst|sollt|dürft|werdet)))\b"
            r"|\bIhnen\b|(?:^|[.!?]\s+)(?:[A-ZÄÖÜ][a-zäöüß]+en Sie)\b"
        ),
    },
    "it": {
        "Lei": re.compile(rf"{_NOT_FIRST}(?:Lei|La (?:prego|preghiamo|ringrazi\w+)|Suo|Sua|Suoi|Sue)\b|\bLe (?:consigl|chied|scriv|invi|sped|rispond)\w+|\b(?:Può|Provi|Controlli|Verifichi|Ci scriva|Mi scusi|Scusi|Guardi|Veda|Faccia)\b"),
    },
}  # fmt: skip
_PLAIN: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "de": {"du": re.compile(r"\b(?:du|dich|dir|dein(?:e[mnrs]?)?|euch|euer|eure[mnrs]?|hast du|(?<!die )ihr (?:habt|seid|konnt|wollt|musst|sollt|durft))\b")},
    "fr": {
        "tu": re.compile(r"\b(?:tu|toi|tes)\b|\bt'(?=[aeiouyh])|(?<!\ble )(?<!\bun )(?<!\bce )(?<!\bde )(?<!\bau )\bton\b(?! (?:de|du|sur|est|des))|\bta\b|\bte\b"),
        "vous": re.compile(r"\b(?:vous|votre|vos)\b|\b(?:verifiez|essayez|regardez|envoyez|appuyez|redemarrez|contactez|utilisez|attendez|remplacez)\b"),
    },
    "es": {
        "tú": re.compile(r"\b(?:tu|tus|ti|contigo|tuy[oa]s?|te|tienes|puedes|quieres|necesitas|debes|deberias|haces|sabes|eres|vas|has|podrias|querrias|escribenos|cuentanos|dinos)\b"),
        "usted": re.compile(r"\b(?:usted|ustedes|pruebe|compruebe|verifique|revise|escriba(?:nos)?|envie(?:nos)?|disculpe|permitame|digame|diganos|cuentenos|tenga|haga|indiquenos|consulte|reinicie)\b"),
    },
    "it": {"tu": re.compile(r"\b(?:tu|ti|tuo|tua|tuoi|tue|puoi|vuoi|devi|hai|dovresti|potresti|prova a|scrivici|controlla|verifica|contattaci)\b")},
    "pt": {
        "tu": re.compile(r"\b(?:tu|ti|teus?|tuas?|contigo|podes|tens|queres|deves|precisas|sabes|fizeste|viste|estas)\b"),
        "você": re.compile(r"\b(?:voces?|senhor(?:a|es|as)?|verifique|experimente|tente|envie|escreva|reinicie|contacte|consulte)\b"),
    },
    "nl": {
        "je": re.compile(r"\b(?:je|jij|jou|jouw|jullie)\b"),
        "u": re.compile(r"\b(?:u|uw|uzelf)\b"),
    },
}  # fmt: skip

_FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the a an and or but of to in is are was it this that you your we our for with on at be have has not do does if can will from they there what which as by so please thanks would could should my i me",
        "de": "der die das und oder aber nicht ist sind war ein eine einen einem den dem des zu mit auf fur von im ist es sie ihr ihre wir uns unser du dein ich mich haben hat wird kann konnen bei aus nach wenn auch noch nur wie dass bitte an",
        "fr": "le la les un une des et ou mais de du en est sont ce cette il elle vous votre nous notre je tu ton pour avec sur dans pas ne que qui au aux a plus si bonjour merci c'est j'ai peut etre",
        "es": "el la los las un una y o pero de del en es son este esta que no se su sus con por para al lo le te tu nos nuestro usted hay mas si como muy ya gracias hola puede tiene",
        "it": "il lo la i gli le un una e o ma di del della dei in che non si per con su al alla nel nella sono questo questa tu ti il tuo noi nostro suo piu come anche ci puo ciao grazie ha",
        "pt": "o a os as um uma e ou mas de do da dos das em no na que nao se por para com ao seu sua nos nosso voce tu este esta isso mais como muito ja obrigado ola pode tem foi",
        "nl": "de het een en of maar van in is zijn dat dit die je jij u uw we wij ons onze voor met op aan niet er te ook als bij naar kan kunt heeft hebben wordt nog dan graag bedankt hoe om",
        "pl": "i w na z do nie sie to jest ze o po za od dla jak ale czy przez moze mozna prosze dziekuje jesli jego pan pani my nasz twoj ten ta co juz tak oraz przy lub sa byc",
    }.items()
}  # fmt: skip
_SCRIPTS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
SURE_WORDS = 4


def forms_used(text: str, language: str) -> dict[str, str]:
    """The forms of address that a text uses, each with the first word that shows it."""
    own = _QUOTED.sub(" ", text)
    low = plain(own)
    found: dict[str, str] = {}
    for form, pattern in _CASED.get(language, {}).items():
        if m := pattern.search(own):
            found[form] = m.group().strip()
    for form, pattern in _PLAIN.get(language, {}).items():
        if m := pattern.search(low):
            found[form] = m.group().strip()
    return found


def language_of(text: str) -> str:
    """The language of a text by its script or its commonest words; empty where that does not settle it."""
    letters = sum(1 for c in text if c.isalpha())
    for code, script in _SCRIPTS:
        if letters and len(script.findall(text)) > letters * 0.4:
            return code
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", plain(re.sub(r"https?://\S+|@\S+", " ", text)))
    scores = sorted(
        ((sum(1 for word in words if word in common), code) for code, common in _FUNCTION_WORDS.items()),
        reverse=True,
    )
    (best, code), (second, _other) = scores[0], scores[1]
    return code if best >= SURE_WORDS and best >= 1.5 * second else ""
