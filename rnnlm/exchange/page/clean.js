"use strict";
// The clean-up of comments: markdown and HTML reduced to the text a reader sees, as in rnnlm/text/cleaning.py.

const DELETED = /^\[ ?(?:deleted|removed)(?: by [a-z ]{1,20})?\]$/i;
const S = `[${SPACES}]`, NOT_S = (more = "") => `[^${SPACES}${more}]`, W = "[\\p{L}\\p{N}_]"; // Python's \s and \w
const ATTRIBUTES = `(?:${S}+[a-z](?:${W}|[:\\-])*${S}*=${S}*(?:"[^"<>]*"|'[^'<>]*'|${NOT_S("<>\"'")}+))*${S}*/?`;
const BLOCKS = "br|p|div|hr|h[1-6]|ul|ol|li|dl|dt|dd|blockquote|pre|table|tbody|thead|tr|td|th";
const INLINE =
  "a|abbr|b|big|cite|code|del|em|font|i|img|ins|kbd|q|small|span|strike|strong|sub|sup|tt|u|wbr";
const BLOCK_TAG = new RegExp(`</?(?:${BLOCKS})${ATTRIBUTES}>`, "giu");
const INLINE_TAG = new RegExp(`</?(?:${INLINE})${ATTRIBUTES}>`, "giu");
const EMPHASIS = new RegExp(
  `(?<!${W}|[*\\\\])(\\*{1,3})(?=${NOT_S("*")})([^*\\n]+)(?<!${S}|\\\\)\\1(?!${W}|\\*)`, "gu");
const TARGET = `(?:${NOT_S("()")}|\\(${NOT_S("()")}*\\))*`;
const LINE = "(?<![^\\n])[ \\t]*"; // the beginning of one
const STEPS = [
  [/[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, ""], // unseen
  [new RegExp(`!?\\[([^\\[\\]\\n]*)\\]\\(${TARGET}(?:[ \\t]"[^"\\n()]*")?\\)`, "gu"), "$1"], // links and images
  [new RegExp(`${LINE}(?:>[ \\t]*)+!?`, "gu"), ""], // the mark of a quotation
  [new RegExp(`${LINE}(?:#{1,6}|\\*)[ \\t]+`, "gu"), ""], // headings and bullets
  [/>!|!</gu, ""], // spoilers
  [/(?<![`\\])(`{1,3})([^`\n]+)\1(?!`)/gu, "$2"], // code
  [new RegExp(`(?<![~\\\\])~~(?=${NOT_S("~")})([^~\\n]+)(?<!${S})~~(?!~)`, "gu"), "$1"], // struck through
  [EMPHASIS, "$2"],
  [EMPHASIS, "$2"], // italics inside bold
  [/\\([\\`*_{}[\]()#+.!>~^|-])/gu, "$1"],
  [new RegExp(`(?<=${W})[’ʼ](?=${W})`, "gu"), "'"],
];

/** Return a text with the characters that its references such as &amp; stand for; nothing in it is run or loaded. */
function unescaped(text) {
  const area = new DOMParser().parseFromString("<textarea></textarea>", "text/html").querySelector("textarea");
  area.innerHTML = `\n${text.replaceAll("<", "&lt;")}`; // the first end of a line does not count
  return area.value;
}

/** Reduce a comment to its text. */
function cleanComment(text) {
  if (DELETED.test(words(text).join(" "))) return "";
  let cleaned = text.includes("<") ? text.replace(BLOCK_TAG, "\n").replace(INLINE_TAG, "") : text;
  if (cleaned.includes("&")) cleaned = unescaped(unescaped(cleaned));
  for (const [pattern, replacement] of STEPS) cleaned = cleaned.replace(pattern, replacement);
  const lines = cleaned.split(/[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  return lines.map((line) => words(line).join(" ")).filter(Boolean).join("\n");
}
