"use strict";
// NLTK's Punkt (Kiss and Strunk 2006), which says whether a full stop ends a sentence, from what it learned of words.

// How it has seen a word: with a capital at the beginning of a sentence, within one, or in lower case.
const CAPITALIZED_WITHIN = 4, CAPITALIZED = 2 | 4 | 8, LOWER_AT_BEGINNING = 16, LOWER_CASE = 16 | 32 | 64;

const NOT_IN_WORD = "[)\";}\\]*:@'({[‘’“”«»?!]", MANY = `(?:-{2,}|\\.{2,}|(?:\\.[${SPACES}]){2,}\\.)`;
const WORD_END = `[${SPACES}]|$|${NOT_IN_WORD}|${MANY}`;
const PUNKT_WORD = new RegExp(
  `${MANY}|(?=[^("\`{[:;&#*@)}\\]\\-,])[^${SPACES}]+?(?=${WORD_END}|,(?=${WORD_END}))|[^${SPACES}]`, "gu");
const MAYBE_END = new RegExp(`[.?!](?=(${NOT_IN_WORD}|[${SPACES}]+([^${SPACES}]+)))`, "dgu");
const CLOSING_AFTER = new RegExp(`^["')\\]}‘’“”«»]+?(?:[${SPACES}]+|(?=--)|$)`, "u");

const isUpper = (text) => /^\p{Uppercase}/u.test(text), isLower = (text) => /^\p{Lowercase}/u.test(text);
const stripped = (text) => text.replace(new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, "gu"), "");

class Punkt {
  constructor({ abbreviations, collocations, sentence_starters, ortho_context }) {
    this.abbreviations = new Set(abbreviations);
    this.collocations = new Set(collocations.map((pair) => pair.join(" ")));
    this.starters = new Set(sentence_starters);
    this.seen = new Map(Object.entries(ortho_context));
  }

  /** Return whether a sentence ends within a text, where another word follows. */
  endsWithin(text) {
    const tokens = text.match(PUNKT_WORD) ?? [];
    return tokens.slice(0, -1).some((token, k) => this.#endsAfter(token, tokens[k + 1]));
  }

  /** Return the sentences of a line. */
  sentences(line) {
    const parts = []; // [start, end] of each
    let start = 0;
    for (const { context, end, next } of this.#maybeEnds(line)) {
      if (!this.endsWithin(context)) continue;
      parts.push([start, end]);
      start = next;
    }
    parts.push([start, line.length]);
    // What closes after an end belongs to the sentence before it.
    const sentences = [];
    let moved = 0;
    parts.forEach(([from, to], k) => {
      const following = k + 1 < parts.length ? line.slice(...parts[k + 1]) : "";
      const closes = CLOSING_AFTER.exec(following)?.[0] ?? "";
      sentences.push(line.slice(from + moved, closes ? parts[k + 1][0] + closes.trimEnd().length : to));
      moved = closes.length;
    });
    return sentences;
  }

  /** Return the marks that may end a sentence, of several after one word the last, with their surroundings. */
  #maybeEnds(line) {
    const found = [];
    let wordStart = 0, wordEnd = 0;
    for (const match of line.matchAll(MAYBE_END)) {
      const spaceAt = line.slice(wordEnd, match.index).search(/[ \t\n\r\v\f][^ \t\n\r\v\f]*$/);
      const from = spaceAt > 0 ? wordEnd + spaceAt + 1 : wordStart;
      if (found.length && wordEnd > from) found.pop();
      const [mark, followed] = match, end = match.index + 1;
      found.push({ context: line.slice(from, match.index) + mark + followed, end, next: match.indices[2]?.[0] ?? end });
      [wordStart, wordEnd] = [from, match.index];
    }
    return found;
  }

  #firstPass(token) {
    if ([".", "?", "!"].includes(token)) return { ends: true };
    if (/^\.\.+$/.test(token)) return { ellipsis: true };
    if (!token.endsWith(".") || token.endsWith("..")) return {};
    const type = token.slice(0, -1).toLowerCase();
    const abbreviation = this.abbreviations.has(type) || this.abbreviations.has(type.split("-").at(-1));
    return { abbreviation, ends: !abbreviation };
  }

  #endsAfter(token, following) {
    const { ends, abbreviation, ellipsis } = this.#firstPass(token);
    if (!token.endsWith(".")) return Boolean(ends);
    const typeOf = (each) => each.toLowerCase().replace(/^-?[.,]?\p{Nd}[\p{Nd},.-]*\.?$/u, "##number##");
    const withoutStop = (type) => (type.length > 1 ? type.replace(/\.$/, "") : type);
    const type = withoutStop(typeOf(token)), initial = /^[\p{Alphabetic}\p{M}\p{Pc}\u200c\u200d]\.$/u.test(token);
    const nextType = this.#firstPass(following).ends ? withoutStop(typeOf(following)) : typeOf(following);
    if (this.collocations.has(`${type} ${nextType}`)) return false;
    const seen = this.seen.get(nextType) ?? 0;
    let begins = null; // whether the next word shows that a sentence begins; null where it does not say
    if (";:,.!?".includes(following)) begins = false;
    else if (isUpper(following) && seen & LOWER_CASE && !(seen & CAPITALIZED_WITHIN)) begins = true;
    else if (isLower(following) && (seen & CAPITALIZED || !(seen & LOWER_AT_BEGINNING))) begins = false;
    if ((abbreviation || ellipsis) && !initial) {
      if (begins || (isUpper(following) && this.starters.has(nextType))) return true;
    }
    if (initial || type === "##number##") {
      if (begins === false) return false;
      if (begins === null && initial && isUpper(following) && !(seen & LOWER_CASE)) return false;
    }
    return Boolean(ends);
  }
}
