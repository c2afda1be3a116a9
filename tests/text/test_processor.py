import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text.processor import TextProcessor, TextSettings
from rnnlm.text.sentences import train_punkt
from rnnlm.text.tokenizers import CHARACTERS

PUNKT = train_punkt([])


def test_words_of_a_comment():
    settings = TextSettings(sentences=True, clean=True, punkt=train_punkt(["Some text. More text."]))
    processor = TextProcessor(settings)
    assert list(processor.sentences("> **I** agree. You don&#39;t?\n\n")) == [
        ["i", "agree", "."],
        ["you", "do", "n't", "?"],
    ]
    assert list(processor.sentences("[deleted]")) == []
    assert processor.tokenize("I think. So") == ["i", "think.", "so"]
    assert processor.detokenize(["i", "do", "n't"]) == "i don't"
    assert settings.level == "word"


def test_a_seed_text_is_cleaned_as_the_training_text_was():
    processor = TextProcessor(TextSettings(clean=True))
    assert processor.tokenize("I don’t *know* &amp; ") == ["i", "do", "n't", "know", "&"]
    assert TextProcessor(TextSettings()).tokenize("&amp;") == ["&", "amp", ";"]
    characters = TextProcessor(TextSettings(CHARACTERS, lowercase=False, clean=True))
    assert characters.tokenize("I’m \n") == characters.tokenize("I’m") == ["I", "'", "m"]


@pytest.mark.parametrize(
    ("level", "formats", "expected"),
    [
        ("word", ["csv"], TextSettings("nltk", lowercase=True, sentences=True, clean=True)),
        ("word", ["csv", "jsonl"], TextSettings("nltk", lowercase=True, sentences=True, clean=True)),
        ("word", ["txt"], TextSettings("nltk", lowercase=True, sentences=False, clean=False)),
        ("word", ["csv", "txt"], TextSettings("nltk", lowercase=True, sentences=False, clean=False)),
        ("char", ["csv"], TextSettings(CHARACTERS, lowercase=False, sentences=False, clean=True)),
        ("char", ["txt"], TextSettings(CHARACTERS, lowercase=False, sentences=False, clean=False)),
    ],
)
def test_defaults_depend_on_level_and_formats(level, formats, expected):
    assert TextSettings.choose(level, formats) == expected


def test_what_is_given_is_not_defaulted():
    given = {"lowercase": False, "sentences": False, "clean": False}
    assert TextSettings.choose("word", ["csv"], tokenizer="tweet", **given) == TextSettings("tweet", **given)
    with pytest.raises(RnnlmError, match="`tokenizer` is for words"):
        TextSettings.choose("char", ["txt"], tokenizer="nltk")


def test_a_document_of_a_text_file_depends_on_the_level():
    assert TextSettings().default_documents == "line"
    assert TextSettings(CHARACTERS).default_documents == "file"


def test_a_document_is_one_sentence_without_splitting():
    processor = TextProcessor(TextSettings("whitespace", lowercase=False))
    assert list(processor.sentences("One. Two.\nThree.")) == [["One.", "Two.", "Three."]]
    assert list(processor.sentences("  ")) == []


def test_characters_are_kept_as_they_are():
    processor = TextProcessor(TextSettings(CHARACTERS, lowercase=False))
    assert list(processor.sentences(" A\n")) == [[" ", "A", "\n"]]
    assert processor.settings.level == "char"


SUBWORDS = {"characters": ["▁", "a"], "merges": [["▁", "a"]]}


@pytest.mark.parametrize(
    "settings",
    [
        TextSettings(sentences=True, punkt=train_punkt(["A b. C d."])),
        TextSettings("whitespace", join="none", keep_lines=True),
        TextSettings("bpe", subwords=SUBWORDS),
    ],
)
def test_settings_round_trip(settings):
    assert TextSettings.from_dict(settings.to_dict(), "file") == settings


def test_lines_are_kept_in_one_piece():
    processor = TextProcessor(TextSettings.choose("word", ["csv"], keep_lines=True, clean=False))
    assert list(processor.sentences("A b. C.\nD")) == [["a", "b.", "c", ".", "\n", "d"]]
    assert processor.detokenize(["a", "\n", "b", "."]) == "a\nb."
    assert processor.settings.default_documents == "paragraph"


@pytest.mark.parametrize(
    ("level", "options", "message"),
    [
        ("char", {"keep_lines": True}, "`keep_lines` is for words"),
        ("word", {"keep_lines": True, "sentences": True}, "`keep_lines` keeps a document in one piece"),
        ("word", {"join": "none"}, "`join` is for `tokenizer=whitespace`"),
        ("word", {"join": "none", "tokenizer": "unicode"}, "`join` is for `tokenizer=whitespace`"),
    ],
)
def test_settings_that_exclude_one_another(level, options, message):
    with pytest.raises(RnnlmError, match=message):
        TextSettings.choose(level, ["txt"], **options)


@pytest.mark.parametrize("tokenizer", ["nltk", "tweet", "whitespace", "unicode", CHARACTERS])
def test_lower_case_is_that_of_unicode(tokenizer):
    processor = TextProcessor(TextSettings(tokenizer))
    for text, lower in (
        ("ΟΔΟΣ ΣΟΦΟΣ", "οδος σοφος"),  # a sigma at the end of a word is another letter
        ("ΙΔΕΕΣ, ΝΕΕΣ", "ιδεες, νεες"),
        ("İSTANBUL", "i\u0307stanbul"),
        ("STRASSE ẞ ÇA", "strasse ß ça"),
        ("ǅ Ǆ", "ǆ ǆ"),
    ):
        assert processor.detokenize(processor.tokenize(text)) == lower
    if tokenizer != CHARACTERS:
        assert len(processor.tokenize("İSTANBUL")) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokenizer": "magic"}, "'text.tokenizer' is 'magic'"),
        ({"tokenizer": ["nltk"]}, "'text.tokenizer'"),
        ({"lowercase": 1}, "'text.lowercase' must be true or false"),
        ({"extra": 1}, "'text' has the key 'extra'"),
        ({"sentences": True}, "'text.punkt'"),
        ({"join": "x"}, "'text.join' must be space or none"),
        ({"join": ["none"]}, "'text.join' must be space or none"),
        ({"keep_lines": 1}, "'text.keep_lines' must be true or false"),
        ({"tokenizer": "bpe"}, "'text.subwords' does not hold what"),
        ({"tokenizer": "bpe", "subwords": {}}, "'text.subwords' does not hold what"),
        ({"subwords": SUBWORDS}, "'text.subwords' does not hold what"),
        ({"sentences": True, "punkt": {"abbreviations": "x"}}, "'text.punkt'"),
        ({"sentences": True, "punkt": PUNKT | {"known_abbreviations": {"mr": "tuesday"}}}, "'text.punkt'"),
        ({"sentences": True, "punkt": PUNKT | {"known_abbreviations": {"mr": ["number"]}}}, "'text.punkt'"),
        ({"sentences": True, "punkt": PUNKT | {"known_abbreviations": ["mr"]}}, "'text.punkt'"),
    ],
)
def test_damaged_settings_are_refused(change, message):
    with pytest.raises(RnnlmError, match=f"file: {message}"):
        TextSettings.from_dict({**TextSettings().to_dict(), **change}, "file")


def test_files_are_as_before_while_later_settings_have_their_default():
    assert list(TextSettings().to_dict()) == ["tokenizer", "lowercase", "sentences", "clean", "punkt"]
    old = {"tokenizer": "nltk", "lowercase": True, "sentences": False, "clean": False, "punkt": None}
    assert TextSettings.from_dict(old, "file") == TextSettings()
