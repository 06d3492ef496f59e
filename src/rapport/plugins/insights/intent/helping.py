"""Whether somebody asks for help: a request that an answer could meet, and not only displeasure or a rhetorical question.

Beside what the cues of intent say, it looks for three things that they do not tell apart: a request in so many words,
anger that asks for nothing, and an answer to somebody who asked. Few features and readable weights; where a request is
not plain it says no, because to answer somebody who asked for nothing is worse than to miss one among many.
In English, where many posts were read for it, what problems are told in is learnt too: hashed words and letters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.texts import glance, hashing, spoken
from rapport.kit.texts.glance import Flags
from rapport.kit.texts.hashing import Features
from rapport.kit.texts.learning import Floats, length
from rapport.kit.texts.linear import Linear
from rapport.kit.texts.tokens import Words
from rapport.plugins.insights.intent.reading import FEATURES

NAME = "help_request"
LABELS = ("no", "yes")
WEIGHTS = Path(__file__).parent / "helping.json"
WORDS = Path(__file__).parent / "helping.npz"
ENGLISH = spoken.LANGUAGES.index("en")

# Requests in so many words: politeness with a verb, questions about one's own case, wishes to be put right.
_REQUEST = r"""
\b(please|pls|plz|kindly)\b | \bhelp\s*(me|us|!|please|pls|plz|needed|with)\b
| \bneeds?\s+(some\s+|your\s+|a\s+|urgent\s+)?(help|assistance|support)\b
| \b(can|could|would|will)\s+(you|u|someone|somebody|anyone|anybody)\b  | \b(can|could
|may|should)\s+(i|we)\s+
| \bhow\s+(do|can|could|should|would|to|long|many|much)\b  | \bwho\s+(do|can
|should|could)\s+(i|we)\b
| \bwhat\s+(do|should|can|could|shall)\s+(i|we)\b | \bwhat(\s+is|'?s)\s+(the\s+)?(issue|problem|normal|status|best
|going\s+on\s+with)\b | \bwhat\s+happens\b | \bwhat\s+next\b | \bany\s+(way|chance|idea|ideas|news|update|updates
|fix|solution|plans|other|advice|tips|help)\b
| \bis\s+(there|it)\s+(a|any|possible|going|normal|necessary)\b | \b(where|when|why)\s+(is|are|am|did|does|do|has
|have|can'?t|can|isn'?t|isnt|won'?t|will|was)\s+(my|the|i|we|it|this|below|there|our|some|you)\b
| \b(i|we)\s+(just\s+)?(need|want|would\s+like|'?d\s+like)\s+(to\s+(speak|talk|know|have|get|cancel|change|return
|add|rebook)|a\s+refund|help|my\s+money|the\s+product)\b | \bi'?m\s+need\s+help\b
| \b(having|have|had|experiencing|got)\s+(a\s+|an\s+|some\s+|another\s+)?([\w-]+\s+)?(trouble|problems?|issues?
|question|difficult\w+)\b | \b(question|ask)\s+(about|for|is)\b
| \b(can'?t|cannot|can\s+not|cant|unable\s+to|won'?t\s+let\s+me|doesn'?t\s+let\s+me|not\s+able\s+to
|unable)\s+(\w+\s+)?(log|sign|access|find|accept|open|change|update|download|install|reset|connect|reach|get\s+(in
|into|it|that|through)|play|add|cancel|check|see)\b
| \bfix\s+(this|it|the|my|these|that|ios)\b | \b(pls|please)?\s*advise\b | \btroubleshoot\b | \b(send|call|contact
|dm|message)\s+me\b | \bcheck\s+(your|my|our|the)?\s*dms?\b
| \b(trying|tried)\s+to\s+ | \b(still|just)\s+(does|do|did|is|has)?\s*(n'?t|not
|nothing)\b | \bdoes\s+(it|this|that|anyone|anybody)\b | \bdo\s+(i|we|your|you\s+(know|have|plan|offer))\b
| \bare\s+(you\s+(guys\s+)?(planning|aware|able|going)|there)\b
| \b(bitte|könn(t|en|te|tet)\s+(ihr|sie|mir|jemand|man|ich)|kann\s+(ich|man|mir|jemand)|wie\s+(kann|komme|bekomme
|lange|viel|schließe|mache|geht|oft|wechsle?|groß)|weiß\s+jemand|hat\s+jemand|brauche?\s+hilfe|hilfe|helfen
|wann\s+(kommt|wird|ist|gibt)|wo\s+(ist|bleibt|finde|sitzt|kann)|was\s+(mache|tun|kann|soll|muss|hilft)
|welche[rsn]?\s|woran\s+liegt|wieso|geht\s+(das|es)|muss\s+ich|darf\s+(ich|man)|gibt\s+es|ist\s+es\s+(möglich|die
|der|das)|tipps?)\b
| \b(s'?il\s+(vous|te)\s+pla[iî]t|svp|stp|pouvez[- ]vous|peux[- ]tu|pourriez[- ]vous|quelqu'un\s+(sait|peut|a)
|comment\s+(faire|puis|je|on|faut|ça|est)|aidez|aide\b|besoin\s+d'aide|où\s+(est|sont|en|se|puis)|quand\s+(est|va
|aura|sera|faut)|est[- ]ce\s+que|puis[- ]je|peut[- ]on|que\s+(faire|dois)|quel(le)?s?\s|faut[- ]il|dois[- ]je
|pourquoi\s+(mon|ma|je|est|ne)|des\s+conseils|une\s+idée)
| \b(por\s+favor|porfa|pueden?|puede\s+alguien|podr[ií]a[ns]?|alguien\s+(sabe|puede|me|ha)|c[oó]mo\s+(puedo|hago|se
|lo|puede|quito)|ayuda\w*|necesito|d[oó]nde\s+(est[aá]|puedo|queda)|cu[aá]ndo\s+(llega|va|ser[aá]|hay|toca)
|qu[eé]\s+(hago|puedo|hacer|debo|hice|tipo|talla|medida)|cu[aá]l(es)?\s|se\s+puede|hay\s+que|debo
|por\s+qu[eé]\s+(mi|no|me|se)|alguna\s+(idea|soluci[oó]n))
| \b(per\s+favore|potete|puoi|qualcuno\s+(sa|pu[oò])|come\s+(posso|faccio|si)|aiut\w+|dov'?[eè]|quando\s+(arriva
|sar)|posso\b|cosa\s+(devo|posso)|quale\b|bisogna)
| \b(por\s+favor|podem|pode\s+algu[eé]m|algu[eé]m\s+(sabe|pode)|como\s+(posso|fa[cç]o|eu)|ajud\w+|onde\s+(est[aá]
|posso)|quando\s+(chega|vai)|preciso|qual\b)
| \b(alstublieft|alsjeblieft|kunnen\s+jullie|kun(t|nen)?\s+(je|u)|weet\s+iemand|kan\s+(iemand|ik)|hoe\s+(kan|moet
|krijg)|hulp|help|waar\s+(is|blijft|kan)|wanneer\s+(komt|wordt)|wat\s+(moet|kan)\s+ik|welke\b)
| 도와|도움|부탁|어떻게|어떡|어디서|언제|왜\s?(안|이)
|나요|까요|ㄹ까요|인가요|되나|될까|가능한가
|알려|해\s?주세요|방법|추천|없을까|뭐가|무슨|어느|몇
| من\s?فضلك|لو\s?سمحت|ساعد|كيف|متى|أين|وين|هل\s|ممكن|محتاج|أحتاج
"""
# Anger or irony that asks for nothing.
_VENT = r"""
\bnever\s+(again|fly|flying|order|buy|us)\w* | \bworst\b | \bunacceptable\b | \bridiculous\b | \bpathetic\b
| \bhorrible\b | \bterrible\b | \bdisappoint\w+ | \bwhat\s+a\s+(joke|mess|shame|disgrace|disappointment) | \b(shit
|crap|suck\w*|fuck\w*|wtf|assholes?|bull|bs|parasites?)\b
| \bsleep\s+at\s+night\b | \bthe\s+point\s+of\b | \bhow\s+is\s+(this|that|it|my)\b | \bis\s+this\b
| \bdo\s+you\s+have\s+anyone\b | \bhow\s+(hard|difficult)\b | \b(refus|ignor)\w+ | \bunable\s+to\s+help\b
| \bno\s+help\b | \bwho\s+says\b | \bway\s+to\s+go\b | \bwhat\s+is\s+this\b | \bthank(s|\s+you)\s+for\s+(nothing
|putting|forcing|ruining)
| \bi\s+dare\s+you\b | \bno\s+(one|body)\b | \bgood\s+luck\b | \bshame\b | \bseriously\b | \binvest\s+more\b
| \bwhy\s+(can'?t|don'?t|would)\s+you\b | \bno\s+one\s+was\s+helpful\b
| \bnie\s+wieder\b | \bunverschämt\w* | \bfrechheit\b | \bscheiß\w* | \bplus\s+jamais\b | \bhonte\b
| \binadmissible\b | \bnunca\s+m[aá]s\b | \bverg[uü]enza\b | \bmierda\b | \bmai\s+pi[uù]\b | \bvergogna\b
| \bnunca\s+mais\b | \bnooit\s+meer\b | 최악|다시는|짜증|أسوأ
"""
# An answer, a report or a notice, and not a request.
_TELL = r"""
^(\W|@\w+)*(yes|yep|yeah|yup|no|nope|done|ok|okay|thanks|thank\s+you|thx|cool|ha|haha|sure|alright|perfect|great
|will\s+do|it'?s|got\s+it|just\s+did|already|sent|here)\b | \b(thanks|thank\s+you|cheers)\W*$ | \b(figured
|found)\s+(it\s+)?(out|a\s+fix)\b | \bworks?\s+(now|fine|again)\b | \bversion\b | \b\d+\.\d+\.\d+ | \be-?mail:
| \bRT\b | “@ | \bgetaway\b | \bcheck\s+out\b | \bfound\s+out\b | \btip(s)?\s+(for|on|video)\b | \btutorial\b
| \b(hatte|hab(e)?)\s+(ich\s+)?(das(selbe)?|den|die)\s+(auch|gleiche)\b | \bvideo:\s | \bvidéo\s?: | \bvídeo:
| \bgelöst\b | \bhat\s+geholfen\b | \brésolu\b | \bsolucionad\w+ | 해결
"""
# White space in the patterns is for the reader alone. They run in Arrow, on a batch at once.
_LOOKS = tuple(re.sub(r"\s+", "", pattern) for pattern in (_REQUEST, _VENT, _TELL))
MARKS = (*FEATURES, "requests", "vents", "tells", "asks_and_requests", "short", "vents_only", "to_support")
_ASKING = ("question", "help_request", "asks")
TEXT_MAX = 2_000  # characters that are looked at
_NAMES = r"@\w+|https?://\S+"
_SUPPORT = r"@\w*(cares?|support|helps?|assist\w*|service)\b|@ask\w+"  # an account that is there to help


@dataclass(frozen=True, slots=True)
class Weights:
    """b + w m, and the chance from which a text is called a request: chosen for precision.

    threshold_to_nobody : the same of a text that mentions no account, and may ask other people
    """

    weight: Floats  # (marks,)
    bias: float
    threshold: float
    threshold_to_nobody: float

    def logits(self, found: Floats) -> Floats:
        """float64 (texts,)."""
        return np.asarray(found @ self.weight + self.bias)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is said of a batch.

    chance : float64 (texts,), that each asks for help
    says : bool (texts,), whether that is called a request
    """

    chance: Floats
    says: Flags


@cache
def weights(of: str = "any") -> Weights:
    """As shipped: of any language, or `english`."""
    kept = json.loads(WEIGHTS.read_text(encoding="utf-8"))[of]
    return Weights(
        np.array([kept["weights"][name] for name in MARKS]),
        float(kept["bias"]),
        float(kept["threshold"]),
        float(kept["threshold_to_nobody"]),
    )


@cache
def words() -> Linear:
    """What words and letters add to the marks in English, as shipped."""
    return Linear.from_bytes(WORDS.read_bytes())


@cache
def _by_bucket() -> tuple[Floats, float]:
    """(buckets,): the weight of each, nought for what nobody said; and the bias."""
    table = np.zeros(1 << hashing.BITS)
    table[words().buckets] = words().weights[:, 0]
    return table, float(words().bias[0])


def said_in(found: Features) -> Floats:
    """float64 (texts,): what `words` adds, as its `logits` say, in an eighth of the time."""
    table, bias = _by_bucket()
    n_words = len(found.owner)
    pull, n = np.zeros(n_words), np.zeros(n_words, np.int64)
    for bucket, word in found.parts:
        pull += np.bincount(word, weights=table[bucket], minlength=n_words)
        n += np.bincount(word, minlength=n_words)
    total = np.bincount(found.owner, weights=pull, minlength=found.n_texts)
    n_features = np.bincount(found.owner, weights=n, minlength=found.n_texts).astype(np.int64)
    return np.asarray(total / length(n_features) + bias)


def in_english(cut: Words) -> Flags:
    """bool (texts,): whether a text is in English, by its little words, and may be in no other language."""
    may_be = glance.of(cut).may_be()
    return np.asarray(may_be[:, ENGLISH] & (may_be.sum(axis=1) == 1))


def marks(texts: pa.StringArray, features: Floats) -> Floats:
    """float64 (texts, marks): what intent's cues and signs say, then requests, venting and telling,
    and whether it is said to an account that is there to help."""
    arrow: Any = pc
    whole = arrow.utf8_slice_codeunits(arrow.fill_null(texts, ""), 0, TEXT_MAX)
    support = arrow.match_substring_regex(whole, _SUPPORT, ignore_case=True).to_numpy(zero_copy_only=False)
    bare = arrow.replace_substring(arrow.replace_substring_regex(whole, _NAMES, " "), "’", "'")
    found = np.zeros((len(texts), len(_LOOKS)))
    # Where no cue and no sign asks, the chance stays far below the threshold whatever else is found.
    may_ask = np.flatnonzero(features[:, [FEATURES.index(name) for name in _ASKING]].any(axis=1))
    looked_at = bare.take(pa.array(may_ask))
    for column, look in enumerate(_LOOKS):
        n = arrow.count_substring_regex(looked_at, look, ignore_case=True)
        found[may_ask, column] = np.minimum(3, n.to_numpy(zero_copy_only=False))
    n_words = arrow.count_substring_regex(bare, r"\S+").to_numpy(zero_copy_only=False)
    short = (n_words < 4).astype(np.float64)
    asks = features[:, FEATURES.index("asks")]
    both = asks * np.minimum(found[:, 0], 1)
    only = np.minimum(found[:, 1], 1) * (found[:, 0] == 0)
    return np.column_stack([features, np.log1p(found), both, short, only, support])


def asked(texts: pa.StringArray, cut: Words, features: Floats) -> Asked:
    """Whether each text asks for help; `cut` and `features` are its words, and what intent found in them."""
    found = marks(texts, features)
    english = in_english(cut)
    z = weights().logits(found)
    if english.any():
        more = said_in(hashing.of_texts(texts))
        z = np.where(english, weights("english").logits(found) + more, z)
    chance = np.round(1 / (1 + np.exp(-np.clip(z, -35, 35))), 4)
    to_somebody = glance.of(cut).count(glance.MENTION) > 0
    in_it = np.where(to_somebody, weights("english").threshold, weights("english").threshold_to_nobody)
    return Asked(chance, chance >= np.where(english, in_it, weights().threshold))
