"""Whether a comment asks something: a quick rule in nine languages, since models read a text only later. Pure.

Whatever ends in a question mark asks; so does what begins with a word that questions begin with, which is how
people who are in a hurry write. A greeting or a name before it does not count. Better one remark among the
questions than a question among the remarks.
"""

from __future__ import annotations

import re

_MARKS = re.compile(r"[?？؟¿]")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_BEFORE = re.compile(
    r"^(?:(?:@\S+|#\S+|hi|hello|hey|ok(?:ay)?|so|and|but|please|sorry|hallo|moin|und|aber|bitte|also|salut|bonjour"
    r"|coucou|et|mais|alors|hola|buenas|y|pero|ciao|salve|e|ma|scusa|ola|olá|oi|mas|hoi|dag|en|maar|czesc|cześć"
    r"|a|i|ale|안녕하세요|저기요?|혹시)\b[\s,.!:]*)+",
    re.IGNORECASE,
)
_STARTS = {
    "en": "who|whom|whose|what|what's|whats|when|where|where's|which|why|how|how's|hows|can i|can you|can we|could"
    "|would you|will it|will you|will there|do you|does|did you|is it|is there|is this|is that|are you|are there"
    "|are they|has anyone|anyone know|anybody know|any idea|any chance|may i|should i",
    "de": "wer|was|wann|wo|woher|wohin|welche[rsnm]?|warum|wieso|weshalb|wie|wieviel|kann man|kann ich|könnt ihr"
    "|koennt ihr|können sie|gibt es|gibt's|gibts|habt ihr|haben sie|ist das|ist der|ist die|sind das|passt|geht das"
    "|hat jemand|weiß jemand|weiss jemand|darf man|liefert ihr",
    "fr": "qui|que|quoi|quand|où|ou est|quel(?:le)?s?|pourquoi|comment|combien|est-ce|est ce|c'est quoi|avez-vous"
    "|vous avez|peut-on|pouvez-vous|y a-t-il|y'a|ça coûte|quelqu'un sait",
    "es": "quién|quien|qué|que precio|cuándo|cuando|dónde|donde|cuál|cual|por qué|por que|cómo|como|cuánto|cuanto"
    "|cuánta|hay|tienen|tenéis|se puede|puedo|pueden|podéis|alguien sabe|sirve",
    "it": "chi|cosa|che cosa|quando|dove|quale|quali|perché|perche|come|quanto|quanta|c'è|ci sono|avete|si può"
    "|posso|potete|qualcuno sa|funziona",
    "pt": "quem|o que|quando|onde|qual|quais|por que|porque|como|quanto|quantos|tem|têm|há|posso|pode|podem"
    "|alguém sabe|dá para|serve",
    "nl": "wie|wat|wanneer|waar|welke?|waarom|hoe|hoeveel|kan ik|kan je|kunnen jullie|hebben jullie|is het|is er"
    "|zijn er|past|mag ik|weet iemand",
    "pl": "kto|co|kiedy|gdzie|który|która|które|dlaczego|czemu|jak|ile|czy|macie|można|mogę|pasuje|ktoś wie",
}
_START = re.compile(rf"^(?:{'|'.join(_STARTS.values())})(?!\w)", re.IGNORECASE)
# Korean asks at the end of its words, with or without a mark.
_KOREAN = re.compile(
    r"(?:나요|까요|인가요|은가요|는가요|가요|을까|ㄹ까|습니까|입니까|니까|냐|죠|데요|건지|는지)[.!~ㅋㅎㅠㅜ\s]*$"
    r"|얼마|언제|어디|어떻게|어떤|무엇|뭐예요|뭔가요|왜|몇\s|누가|누구"
)
WORDS_MIN = 2  # "how nice" begins like a question as well; a single word is none without its mark
_EXCLAIMED = re.compile(
    r"^(?:what an?|how (?:nice|cool|cute|lovely|great|beautiful)|was für|wie (?:schön|toll|cool|süß)|que (?:bonito"
    r"|lindo|guapo)|qué (?:bonito|lindo|guapo|bien)|come sei|como siempre|wat een|jak ładnie|co za)\b",
    re.IGNORECASE,
)


def asks(text: str) -> bool:
    """Whether a text asks something.

    >>> asks("does it fit a 2019 Golf"), asks("love it!"), asks("passt das auch beim Golf"), asks("얼마예요")
    (True, False, True, True)
    """
    plain = _ADDRESS.sub(" ", text).strip()
    if _MARKS.search(plain):
        return True
    if _KOREAN.search(plain):
        return True
    begins = _BEFORE.sub("", plain)
    if len(begins.split()) < WORDS_MIN or _EXCLAIMED.match(begins):
        return False
    return bool(_START.match(begins))
