"""The clean-up of Reddit comments: markdown and HTML reduced to the text a reader sees.

Every pattern below takes linear time: a repeated part never contains the character that starts the pattern.
"""

import html
import re

HUGE_REFERENCE = re.compile(r"&#[0-9]{100,};?")
"""A reference to no character; Python's `html` fails on numbers of thousands of digits."""
DELETED = re.compile(r"\[ ?(?:deleted|removed)(?: by [a-z ]{1,20})?\]", re.IGNORECASE)
ATTRIBUTES = r"""(?:\s+[a-z][\w:-]*\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s<>"']+))*\s*/?"""
"""What may follow the name of a tag. Only HTML's own tags go: <s> often names the start of a sentence."""
BLOCK_TAG = re.compile(
    rf"</?(?:br|p|div|hr|h[1-6]|ul|ol|li|dl|dt|dd|blockquote|pre|table|tbody|thead|tr|td|th){ATTRIBUTES}>",
    re.IGNORECASE,
)
INLINE_TAG = re.compile(
    rf"</?(?:a|abbr|b|big|cite|code|del|em|font|i|img|ins|kbd|q|small|span|strike|strong|sub|sup|tt|u|wbr){ATTRIBUTES}>",
    re.IGNORECASE,
)
LINK = re.compile(r"!?\[([^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:[ \t]\"[^\"\n()]*\")?\)")
QUOTE_MARK = re.compile(r"^[ \t]*(?:>[ \t]*)+!?", re.MULTILINE)
HEADING_OR_BULLET = re.compile(r"^[ \t]*(?:#{1,6}|\*)[ \t]+", re.MULTILINE)
SPOILER_MARK = re.compile(r">!|!<")
EMPHASIS = re.compile(r"(?<![\w*\\])(\*{1,3})(?=[^\s*])([^*\n]+)(?<![\s\\])\1(?![\w*])")
STRIKETHROUGH = re.compile(r"(?<![~\\])~~(?=[^\s~])([^~\n]+)(?<!\s)~~(?!~)")
CODE = re.compile(r"(?<![`\\])(`{1,3})([^`\n]+)\1(?!`)")
ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!>~^|-])")
APOSTROPHE = re.compile(r"(?<=\w)[’ʼ](?=\w)")
LINE_END = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""Control characters, and format characters that show nothing; the joiners that build emoji stay."""


def clean_comment(text: str) -> str:
    """Reduce a comment to its text.

    HTML tags go; those of paragraphs and line breaks become a line end. HTML entities are unescaped (twice, as
    dumps hold ``&amp;gt;``). Links and images become their text. Quote, heading, bullet and emphasis marks go.
    Typographic apostrophes inside words become ``'``, so that ``don’t`` and ``don't`` are one word. Invisible
    characters go, and white space is folded: one space between words, one newline between lines. Nothing is left
    of a comment that was deleted or removed.
    """
    if DELETED.fullmatch(text.strip()):
        return ""
    if "<" in text:
        text = INLINE_TAG.sub("", BLOCK_TAG.sub("\n", text))
    if "&" in text:
        for _ in range(2):
            text = html.unescape(HUGE_REFERENCE.sub("\ufffd", text))
    text = INVISIBLE.sub("", text)
    text = LINK.sub(r"\1", text)
    text = QUOTE_MARK.sub("", text)
    text = HEADING_OR_BULLET.sub("", text)
    text = SPOILER_MARK.sub("", text)
    text = CODE.sub(r"\2", text)
    text = STRIKETHROUGH.sub(r"\1", text)
    text = EMPHASIS.sub(r"\2", EMPHASIS.sub(r"\2", text))  # twice: italics inside bold
    text = ESCAPE.sub(r"\1", text)
    text = APOSTROPHE.sub("'", text)
    lines = (" ".join(line.split()) for line in LINE_END.split(text))
    return "\n".join(line for line in lines if line)
