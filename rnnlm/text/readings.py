"""How likely it is that bytes were written in an encoding, by the letters and their neighbours."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from math import log

FRENCH = "éèàêçôûùâîœïëüæÿ le la les de des du et en un une que qui dans pour pas il elle est sur nous vous avec"
GERMAN = "üäöß der die das und ist in den zu nicht mit von ein eine auf dem sich im es ich wir er sie wo"
SPANISH = "óíáéñúü de la que el en y los se del las un una con por no es para su al lo"
PORTUGUESE = "ãçáéíóêõúàâôü de a o que e do da em um uma para com os no na se por as dos"
ITALIAN = "èàòùìéóî di che e il la un una per in non sono con del della si al le ma da i"
DUTCH = "ëéïèöüóáêç de het een van en in is dat op te zijn met voor niet aan er om hij"
CATALAN = "éàóèòíçúïü de la el i que a les en un una per els amb no es del al"
SWEDISH = "åäöé och i att det som en av den med till var vi hon han sade inte om ett"
FINNISH = "äöåšž ja on ei oli se mutta kun ovat sen niin sanoi jos hyvin tai"
DANISH = "øåæéöä og i at det er en til af den med for ikke hun han jeg de vi var"
ICELANDIC = "áíðéóúæþöý og er um sem til var en ekki hann hun vi í ad af eru"
ESTONIAN = "äõüöšž ja on ei et ta oli see kui mis oma aga nad siis ma"
ENGLISH = "éñèïöüçêáí the of and to in a is that it for was on with as at be by not we don t s"
POLISH = "łąężśćóńź i w nie na do z jest to o jak ale po co tak za od przez dla ma"
CZECH = "íáéěřčžýšůúťňďó a v na se je to s z do o k i ale za jsem by po jak"
SLOVAK = "áíéčýžúšľťňôďäĺŕ a v na sa je to s z do o k i ale za som by po ako"
HUNGARIAN = "áéőöíóüúű a az egy nem hogy is volt meg ez de ha csak van el mint"
CROATIAN = "čšžćđ je i u se na da su za od a s sam ne koji kao iz bi ali"
ROMANIAN = "ăîşţâșț de a la cu un o este nu din pe care mai ce sa ca pentru au"
LITHUANIAN = "ėšųįžąūčę ir kad tai su jis buvo kaip bet nes iki yra o man prie"
LATVIAN = "āīēšūņļžčķģ un ir ka no uz ar par kas es bet to vai pie ko"
TURKISH = "ıüşğçöiâîû bir ve bu da de ne o mi ile ama daha gibi kadar her ben"
ESPERANTO = "ĉĝĥĵŝŭ la kaj de en al estas ne li mi ke por kun kiu estis"
MALTESE = "ħżġċà il ta li u ma tal fil minn dan kien huwa"
"""A language's letters beyond ASCII and some of its words in ASCII, the most frequent first."""

SOUTH_WEST = (FRENCH, SPANISH, PORTUGUESE, ITALIAN, CATALAN)
WEST = (*SOUTH_WEST, ENGLISH, GERMAN, DUTCH, SWEDISH, FINNISH, DANISH, ICELANDIC, ESTONIAN)
CENTRAL = (POLISH, CZECH, SLOVAK, HUNGARIAN, CROATIAN, ROMANIAN, GERMAN)
BALTIC = (LITHUANIAN, LATVIAN, ESTONIAN)
TURKIC = (TURKISH,)
SOUTH = (ESPERANTO, MALTESE, TURKISH)
LATIN = {*WEST, *CENTRAL, *BALTIC, *SOUTH}
CYRILLIC = (
    "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "оаинівтеркслдмуяпзьбгчхйшїжюцєщфґ",
    "аоиетнрсвлкдпмзъяубгчщцжшхюйфь",
    "аоиенртсвјукдлпмзбгчшцжљњћхђфџ",
    "аніоерстклвудпямыўбзьгчхшёцжйюэф",
    "аоеинтрсвкјдлпумзгбцчшжќѓњљхфџѕ",
)
GREEK = ("αοειτνσηυρπκμςλόίάθέήδγύχώφξβψζϊϋΐΰ",)
HEBREW = ("יוהלרבתמאשנםדחפקעכטגסזןצךףץ",)
ARABIC = ("اليمونرتبعدسهفكقأةحجشصىخإذطضزئغثءظآؤً", "ايرندهمتسوشبکلزگخچفقپعجصحطغضثذژظآئأءؤ")
THAI = ("านรอก่เง้มยลวดท\u0e31สต\u0e35ะปบ\u0e34หคแ\u0e37จพ\u0e38ช\u0e4cข\u0e39ใ\u0e33ไผ\u0e47โซณ\u0e36ธศถษฉฟญๆฐ",)
SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过后作里",
)
TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過後作裡",
)
JAPANESE = (
    "のにたいはをとるがしてでなれかっんもあさらこすりうくそよまきどけだばじせつおえちみわやめねびへろ"
    "ンスールトリイアラクドロレマフシジコッタテプバム日人一大年中本出会国学事私上行生",
)
KOREAN = ("이다는을에의가고하지로은도를기사한서어대자리그스시아나인들일게수라보해었있정것",)
"""Letters of languages in other scripts, whose texts may have words of any language in between."""

PUNCTUATION = "‘’‚“”„…–—«»‹›°§©®•€£™´·¿¡ªº½¼¾±×µ¥¢²³\xa0\xad،؛؟、。〈〉《》「」『』【】！（），．：；？"
IN_WORDS = "’´·–—\xad\xa0"
AFTER_LETTERS = f"{IN_WORDS}‘“”«»‹›…°®™²³ªº،؛؟"
BEFORE_LETTERS = "‘‚“„«»‹›¿¡°©£…–—·\xa0"
"""Punctuation that may stand between letters, after a letter, before a letter."""
WIDE = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")

SIGN, FOREIGN, WIDE_LETTER, RARE_WIDE_LETTER = 4.0, 6.5, 7.5, 15.0
STRANGE_SIGN, STRANGE_LETTER, NO_CHARACTER = 7.0, 9.0, 14.0
"""How unlikely characters are that are not letters of the language, as logarithms; so are all numbers below."""
CAPITAL, CAPITAL_IN_CAPITALS, WRONG_CASE, OTHER_SCRIPT, DIGIT_IN_WORD, SIGN_IN_WORD = 1.0, 0.2, 7.0, 8.0, 3.0, 6.0
"""How unlikely characters are that stand beside unusual ones."""
PAIRS = (("„", "“”"), ("‘", "’"), ("«", "»"), ("»", "«"))
UNPAIRED = 6.0
LONE_LETTER, PAIR_OF_LATIN = 2.0, 1.0
WORDS = 5.0
"""How much more unlikely each character beyond ASCII is in a language if all frequent words are of another one."""
WORD = re.compile(rb"[a-z\x80-\xff]+")
PLACE = re.compile("(?s)(?=(.)([^\x00-\x7f])(.))")
"""A character beyond ASCII, and the two beside it."""


def shares_of_words(sample: bytes) -> dict[str, float]:
    """Return the share of words that are frequent in languages with Latin letters."""
    words = Counter(WORD.findall(sample.lower()))
    count = words.total() or 1
    return {language: sum(words[word.encode()] for word in language.split()[1:]) / count for language in LATIN}


def unlikeliness(
    text: str, languages: tuple[str, ...], usual: tuple[str, int] | None, shares: dict[str, float]
) -> float:
    """Return how unlikely the characters beyond ASCII are: the negative logarithm of a rough probability.

    Parameters
    ----------
    languages
        The languages that the encoding is used for: small letters, then words, the most frequent first.
    usual
        An encoding of ideographs or syllables, and the last first byte of the usual ones in it.
    shares
        What `shares_of_words` returns for the bytes.
    """
    places = Counter(PLACE.findall(f" {text} "))
    counts = Counter[str]()
    for (_, character, _), count in places.items():
        counts[character] += count
    known = {letter for language in languages for letter in language.split()[0]}
    other = {character: _unlikely_character(character, known, usual) for character in counts}
    most = max(shares.values())

    def of_language(language: str) -> float:
        letters = _unlikely_letters(language.split()[0])
        by_words = WORDS * (most - shares.get(language, most))
        return sum(count * (letters.get(_small(c), other[c]) + by_words) for c, count in counts.items())

    unpaired = sum(max(0, counts[opening] - sum(counts[c] for c in closing)) for opening, closing in PAIRS)
    beside = sum(count * _unlikely_place(*place) for place, count in places.items())
    return min(map(of_language, languages)) + beside + UNPAIRED * unpaired


@lru_cache(1 << 15)
def _unlikely_letters(alphabet: str) -> dict[str, float]:
    """Return logarithms of frequencies that fall as those of letters do."""
    total = sum(1 / (rank + 2) for rank in range(len(alphabet)))
    return {letter: log((rank + 2) * total) for rank, letter in enumerate(alphabet)}


def _unlikely_character(character: str, known: set[str], usual: tuple[str, int] | None) -> float:
    if _small(character) in known:
        return FOREIGN
    if character in PUNCTUATION:
        return SIGN
    if unicodedata.category(character) in ("Cc", "Cn", "Co") or character == "\ufffd":
        return NO_CHARACTER
    if usual and _script(character) in WIDE:
        codec, last = usual
        is_usual = b"\x80" < character.encode(codec, "ignore")[:1] <= bytes([last])
        return WIDE_LETTER if is_usual else RARE_WIDE_LETTER
    return STRANGE_LETTER if _script(character) else STRANGE_SIGN


def _unlikely_place(before: str, character: str, after: str) -> float:
    """Return how unlikely a character is between others: the case of letters, their scripts, signs in words."""
    script, beside = _script(character), (_script(before), _script(after))
    if not script:
        if not any(beside) or {*beside} & {*WIDE}:
            return 0.0
        usual = IN_WORDS if all(beside) else AFTER_LETTERS if beside[0] else BEFORE_LETTERS
        return 0.0 if character in usual else SIGN_IN_WORD
    if script in WIDE:
        return 0.0
    found = OTHER_SCRIPT * sum(other not in ("", script) for other in beside)
    found += DIGIT_IN_WORD * (before.isdigit() + after.isdigit()) + LONE_LETTER * (script not in beside)
    found += PAIR_OF_LATIN * (script == beside[0] == "LATIN" and before > "\x7f")
    if character.isupper():
        wrong = before.islower() or (before.isupper() and after.islower())
        return found + (WRONG_CASE if wrong else CAPITAL_IN_CAPITALS if before.isupper() else CAPITAL)
    return found + WRONG_CASE * (character.islower() and after.isupper())


@lru_cache(1 << 15)
def _script(character: str) -> str:
    """Return the script of a letter; nothing for other characters."""
    is_letter = unicodedata.category(character)[0] in "LM" and character not in PUNCTUATION
    return unicodedata.name(character, "").split()[0] if is_letter else ""


@lru_cache(1 << 15)
def _small(character: str) -> str:
    return "i" if character == "İ" else character.lower()
