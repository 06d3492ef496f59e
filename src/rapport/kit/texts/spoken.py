"""Which of the languages that cues are written in a text may be: by its little words, and by its letters.

Cheaper than naming the language, and enough to keep a cue of one language out of texts of another, where the
same letters mean something else (`comment`, `pour`, `come`, `was`).
"""

from __future__ import annotations

from rapport.kit.texts.tokens import fold

LITTLE = {
    "en": (
        "the and to of is in it you that was for on are with my your this have be not but they at we so what"
        " all me do if can just will get from when there would has been how why am an or our their were had i"
        " i'm it's don't can't its about who where which he she his her did does any some no please"
    ),
    "de": (
        "der die das und ist nicht ich zu den mit ein eine es sie wir ihr von auf für dem im am auch noch wie"
        " was wenn aber hat habe haben bin sind wird war bei nach mir mich mein meine euch kann kein keine nur"
        " schon oder so einen einem einer man dass bitte vom zum zur warum wo wann wer gibt hatte ihre über"
    ),
    "fr": (
        "le la les des est et un une je vous que qui pas pour dans ce sur avec mon ma mes au aux du de en il"
        " elle nous ne plus se c'est j'ai sont mais ou où votre vos suis ai par cette tout si me moi on été"
        " comment pourquoi quand être avez leur très ça chez"
    ),
    "es": (
        "el la los las de que y en un una es no se lo por con para mi su me te del al como más pero yo está"
        " si ya muy hay cuando donde qué cómo han he ha son este esta mis sus nos tiene puede desde todo"
        " porque sin fue hola quiero"
    ),
    "it": (
        "il lo la gli le di che e un una è non per con sono mi si ho ma come più da del della al alla nel in"
        " questo questa hanno ha mio mia ci vi se anche dove quando perché cosa tutto molto sul i dei delle"
        " stato vostro vorrei"
    ),
    "pt": (
        "o a os as de que e em um uma é não para com meu minha se do da no na por mais mas eu você vocês está"
        " foi como quando ao dos das tem muito já isso esse essa pelo pela só nos sem ser estou onde"
        " pra tá são até"
    ),
    "nl": (
        "de het een en van ik is dat niet in te je op zijn met voor mijn maar er heb wat ook nog naar bij"
        " hoe als dan hij ze we jullie deze dit kan geen aan om wel was heeft waar wanneer waarom moet mij"
        " worden uit over hebben"
    ),
    "ko": "",
    "ar": "",
}
TURNING = {
    "en": (
        "not no never none nothing neither nor cannot without hardly barely dont doesnt didnt cant wont isnt"
        " wasnt don't doesn't didn't can't won't isn't wasn't aren't weren't ain't haven't hasn't hadn't"
        " couldn't wouldn't shouldn't nobody"
    ),
    "de": "nicht nichts kein keine keinen keinem keiner keinerlei nie niemals ohne kaum weder nix",
    "fr": "pas rien jamais aucun aucune sans ni guère",
    "es": "no nunca jamás nada nadie ningún ninguna ninguno sin tampoco ni",
    "it": "non nessuno nessuna niente nulla mai senza né neanche",
    "pt": "não nunca jamais nada ninguém nem nenhum nenhuma sem",
    "nl": "niet geen nooit niets niks nergens zonder niemand nauwelijks",
    "ko": "안 못 없이 전혀 절대",
    "ar": "لا ليس ليست لم لن ما مش مو بدون غير ولا",
}
LANGUAGES = tuple(LITTLE)

_HANGUL, _ARABIC = ("\u1100", "\ud7ff"), ("\u0600", "\u06ff")
_BITS: dict[str, int] = {}
for _k, _language in enumerate(LANGUAGES):
    for _word in LITTLE[_language].split():
        _BITS[fold(_word)] = _BITS.get(fold(_word), 0) | 1 << _k
_TURNS = frozenset(fold(word) for spelt in TURNING.values() for word in spelt.split())


def languages(word: str) -> int:
    """A bit for each language whose little word this is, or whose letters it has."""
    if word.isascii():
        return _BITS.get(word, 0)
    if _HANGUL[0] <= word[0] <= _HANGUL[1]:
        return 1 << LANGUAGES.index("ko")
    if _ARABIC[0] <= word[0] <= _ARABIC[1]:
        return 1 << LANGUAGES.index("ar")
    return _BITS.get(fold(word), 0)


def turns(word: str) -> bool:
    """Whether a word turns what follows it: not, never, without."""
    return word in _TURNS or fold(word) in _TURNS
