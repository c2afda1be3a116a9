import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.text.detokenizers import GrowingProse
from rnnlm.text.joining.place import Place
from rnnlm.text.joining.rules import NLTK, TWEET
from rnnlm.text.processor import TextProcessor, TextSettings
from tests.text.words import WORDS

PROCESSORS = {name: TextProcessor(TextSettings(name)) for name in ("nltk", "tweet")}
# fmt: off
LANGUAGES = [
    "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Polish", "Russian", "Greek", "Turkish",
    "Arabic", "Hindi", "Chinese", "Japanese", "Korean",
]
# fmt: on
PARAGRAPHS = Path(__file__).with_name("languages.txt").read_text(encoding="utf-8").splitlines()

COME_BACK = [
    # Quotation marks.
    "„Nein“, sagte er, »das glaube ich nicht.« Er ging.",
    "Er rief: »Komm her!« und lief.",
    "„Das ist ‚typisch‘“, rief er.",
    "«\u202fOù es-tu\u202f?\u202f» dit Jean.",
    "Il répondit\u00a0: «\u00a0Je ne sais pas.\u00a0»",
    "C’est l’été, n’est-ce pas\u202f?",
    "¿Viene «El Niño»? “No”, dijo.",
    "Τι είναι; «Τίποτα». Γι’ αυτό ήρθα.",
    "他说：“你好。”她笑了。",
    "Hon sa: ”Hej då.” Sedan gick hon.",
    "'No,' he said",
    "'No,' he said. 'I can't.'",
    "‘No,’ he said. ‘I don’t know.’",
    "She said 'yes' and left.",
    "“I said ‘no’ to him,” she said.",
    "\"I said 'no' to him,\" she said.",
    'He said "no" and then "yes".',
    '("Yes," he said.)',
    'He left."',
    "I ran `ls` there.",
    # Apostrophes.
    "O’Brien’s",
    "O'Brien's",
    "yes, ma’am, I don’t know",
    "ma'am",
    "the dogs’ home",
    "the dogs' home",
    "goin' home",
    "rock 'n' roll",
    "rock ‘n’ roll",
    "the '90s and the ’80s",
    "give 'em hell",
    "'tis the season",
    "can't",
    "cannot",
    "I'm gonna go",
    "y'all",
    "Washington D.C.’s streets",
    "İstanbul’da, 10.30’da, Paris’te",
    # Smileys and emoji.
    "I like it :) a lot",
    "so sad :(",
    "wait: (no) :(",
    "so sad :( and so alone :'( again (really)",
    "it is gone :-( now",
    "we won :^)",
    "is 5 > 3 or a < b and c > d?",
    "more than >5 and a <name> or so",
    "the U.K.'s and the U.S.’s roles",
    "it costs: $5 a day",
    "there were: 3 apples; 8 pears",
    "he said: *waves* and left",
    "ask: <name> or {x}",
    "Il a dit : « Non. »",
    "wink ;) wink (or not)",
    ":D and :-) and :-(",
    "well :-| no :P",
    "I <3 you >_<",
    "¯\\_(ツ)_/¯",
    "so funny 😂",
    # Names, tags, addresses.
    "hi @name, see #tag",
    "@name",
    "#tag",
    "say <name> again",
    "<name>",
    "see https://x.y/z?a=b&c=d now",
    "https://x.y/z?a=b&c=d",
    "Have you seen https://x.org/a? I have.",
    "go to www.example.org/a?b=c now",
    "mail some.body@example.org please",
    "see /r/sub and r/sub by u/name",
    "/r/sub",
    # Numbers and signs.
    "a $5 bet, 5$ or $1,000.50",
    "50% of it",
    "1/2 and/or 10–20",
    "AT&T, Q&A, R&D but salt & pepper",
    "C++ is #1, C# is not",
    "he is 5'10\" tall",
    "(c) [1] word(s) f(x) int()",
    "if x < 5 and x * 3",
    "3 @ 5",
    "1,000,000 at 10:30",
    "e.g. this, i.e. that at 5 a.m.",
    # Other marks.
    "*waves*",
    "hello *waves* there",
    "***",
    "what a piece of s*** this is",
    "f**k you, sh*t",
    "wait -- what",
    "--flag",
    "...and so on",
    "word... and word",
    '"...and"',
    "what?! no",
    "?!",
    "TL;DR: no",
    "a | b",
    "|---|",
    "|:--|--:|",
    "yes /s",
]


def folded(text: str) -> str:
    """Return a text without case, and with a single space for any run of white space."""
    return " ".join(text.split()).casefold()


@pytest.mark.parametrize("name", sorted(PROCESSORS))
@pytest.mark.parametrize("text", COME_BACK)
def test_text_comes_back(name: str, text: str):
    processor = PROCESSORS[name]
    assert folded(processor.detokenize(processor.tokenize(text))) == folded(text)


@pytest.mark.parametrize("name", sorted(PROCESSORS))
@pytest.mark.parametrize("text", PARAGRAPHS, ids=LANGUAGES)
def test_languages_come_back(name: str, text: str):
    processor = PROCESSORS[name]
    assert folded(processor.detokenize(processor.tokenize(text))) == folded(text.lower())


@pytest.mark.parametrize(("name", "least"), [("nltk", 45), ("tweet", 42)])
def test_most_quotations_come_back(name: str, least: int):
    processor = PROCESSORS[name]
    lines = Path(__file__).with_name("quoted_sentences.txt").read_text(encoding="utf-8").splitlines()
    same = [folded(processor.detokenize(processor.tokenize(line))) == folded(line) for line in lines]
    assert len(same) == 48
    assert sum(same) >= least


@pytest.mark.parametrize(
    "text",
    [
        "£5, 5€, ¡Hola! ¿Qué?",
        "no 😂😂🎉",
        "2/3rds of 41°C",
        "~5 or +1 by Ctrl+C",
        "-5",
        "covid-19 in a 5-year plan",
    ],
)
def test_what_the_tokenizer_for_tweets_cuts_off_comes_back(text: str):
    assert folded(PROCESSORS["tweet"].detokenize(PROCESSORS["tweet"].tokenize(text))) == folded(text)


def test_text_with_capitals_comes_back():
    processor = TextProcessor(TextSettings(lowercase=False))
    text = "I CANNOT say IT'S “DON’T”, Gonna be 'TIS"
    assert processor.detokenize(processor.tokenize(text)) == text


def test_long_text_without_spaces_is_cut_where_a_clause_ends():
    text = "火车晚点了两个小时站台上的人都不说话，" * 600
    for processor in PROCESSORS.values():
        tokens = processor.tokenize(text)
        assert all(token[-1] in "，话" for token in tokens)
        assert processor.detokenize(tokens) == text


def test_making_text_needs_no_nltk():
    code = """
import sys
from rnnlm.text.processor import TextProcessor, TextSettings
processor = TextProcessor(TextSettings("nltk"))
assert processor.detokenize([*processor.sentences(""), "do", "n't"]) == "don't"
assert "nltk" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(max_examples=300)
@given(
    rules=st.sampled_from([NLTK, TWEET]),
    tokens=st.lists(st.sampled_from([*WORDS, *NLTK, "est"]) | st.text(max_size=4).filter(bool), max_size=16),
)
def test_prose_is_the_same_however_it_grows(rules, tokens: list[str]):
    settled = ""
    growing = GrowingProse(rules, tokens[:2])
    for number, token in enumerate(tokens[2:], start=3):
        growing.append(token)
        assert growing.text == GrowingProse(rules, tokens[:number]).text
        assert growing.settled.startswith(settled)
        assert growing.text.startswith(growing.settled)
        settled = growing.settled


@pytest.mark.parametrize(
    ("tokens", "settled"),
    [
        (["can", "not", "see"], "cannot see"),
        (["see", "it", ".", "the"], "see it. the"),
        (['"', "yes", '"', "and", '"', "no", "more"], '"yes" and "no more'),
        (["the", "dogs", "'"], "the dogs"),
        (["so", ":"], "so"),
        (["so", ":", "("], "so"),
        (["so", ":", "(", "a", ")"], "so: (a)"),
    ],
)
def test_prose_is_settled_but_for_what_a_token_to_come_decides(tokens: list[str], settled: str):
    growing = GrowingProse(NLTK, [])
    for token in tokens:
        growing.append(token)
    assert growing.settled == settled


@pytest.mark.parametrize("token", ["(", "<", "'", "’", "«", "*", ":", '"', "--", "[", "`", "&", "word"])
def test_a_token_costs_the_same_however_many_there_are(token: str, monkeypatch: pytest.MonkeyPatch):
    looks = 0
    arrive, ahead = Place.arrive, Place.ahead

    def counted_arrive(place, tokens, index):
        nonlocal looks
        looks += 1
        arrive(place, tokens, index)

    def counted_ahead(place, number=1):
        nonlocal looks
        looks += 1
        return ahead(place, number)

    monkeypatch.setattr(Place, "arrive", counted_arrive)
    monkeypatch.setattr(Place, "ahead", counted_ahead)
    GrowingProse(NLTK, [token] * 2000)
    assert looks < 30 * 2000
    growing = GrowingProse(NLTK, [])
    costs = []
    for _ in range(2):
        looks = 0
        for _ in range(300):
            growing.append(token)
        costs.append(looks)
    assert costs[1] < 1.1 * costs[0]
