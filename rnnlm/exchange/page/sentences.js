"use strict";
// The ends of sentences, as in rnnlm/text/sentences.py and sentence_ends.py; Punkt is asked about a full stop after a
// word that is not known.

const BEFORE_SPACE = ".?!…‥‼‽⁇⁈⁉⸮．؟۔\u037e";
const ANYWHERE = "。｡！？︒︕︖﹖﹗।॥։።፧፨။។៕᠃᠉᙮܀܁܂߹᭚᭛᭞᭟꩝꩞꩟᥄᥅᱾᱿꓿꘎꘏꛳꛷꣎꣏꤯꧉꫰꫱꯫𑅁𑅂𑅃";
const END_MARKS = BEFORE_SPACE + ANYWHERE, QUOTES = "\"'”’“‘«»‹›」』》〉", BRACKETS = ")]}）］｝】〕", FORMATTING = "*_~`";
const CLOSING = QUOTES + BRACKETS + FORMATTING, CLOSING_APART = "»›”’」』》〉)]}", DASHES = "-–—―";
const OPENING = "\"'“‘„‚«»‹›「『《〈`([{（［｛【〔¿¡", GOES_ON = ",;:，；：、";
const QUESTIONS = "?!…‥‼‽⁇⁈⁉⸮؟;\u037e！？︕︖﹖﹗፧᥄᥅", NOT_SURE = ".…‥", QUOTING_PARTICLES = "とっ";
const CJK =
  "[\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}]";
const EMOJI = "\\u2600-\\u27bf\\u{1f300}-\\u{1faff}\\ufe0f\\u200d";

const any = (characters, ranges = "") => `[${characters.replace(/[\\\]^-]/g, "\\$&")}${ranges}]`;
const SPACE_ = `[${SPACES}]`, NO_SPACE = `[^${SPACES}]`, IN_A_WORD = "[\\p{L}\\p{N}_]"; // Python's \s, \S and \w
const FURTHER = any(END_MARKS + CLOSING, EMOJI);
const FIRST_MARK =
  `(?:\\.(?![A-Za-z0-9])|${any(END_MARKS.replace(".", ""))}|(?<=[\\u0370-\\u03ff\\u1f00-\\u1fff]);+|፡፡)`;
const APART = `${SPACE_}+${any(END_MARKS + CLOSING_APART)}+(?![^${SPACES}${GOES_ON}])`;
const END = new RegExp(`${FIRST_MARK}${FURTHER}*(?:(?<=!)1+(?!${IN_A_WORD})${FURTHER}*)?(?:${APART}){0,9}`, "gu");
const QUOTE_APART = new RegExp(`${SPACE_}+"(?!${NO_SPACE})`, "uy");
const EMOTICONS = new RegExp(
  `(?:${SPACE_}+(?:[:;=8xX]['^o\\-]?[()[\\]DPpOo3/\\\\|*]+|<3+|\\^_*\\^|[${EMOJI}]+)(?!${NO_SPACE})){0,9}`, "uy");
const FOLLOWING_WORD = `${NO_SPACE}(?:${IN_A_WORD}|['’\\-]){0,40}\\.?`;
const FOLLOWING = new RegExp(
  `${SPACE_}*([${DASHES}]*)${SPACE_}*(${any(OPENING)}{0,9})${SPACE_}*(${FOLLOWING_WORD})?`, "uy");
const TOUCHING_CJK = new RegExp(`${any(OPENING)}?${CJK}`, "uy");
const LAST_CJK = new RegExp(`${CJK}${any(QUOTES + BRACKETS)}?$`, "u");
const DIALOGUE = new RegExp(`${SPACE_}*[–—―]`, "uy");
const ACRONYM = /^(?:[\p{L}\p{Nl}\p{No}]\.)+[\p{L}\p{Nl}\p{No}]$/u;
const ALWAYS_CAPITALIZED = new Set(["", "'m", "'ve", "'ll", "'d", "’m", "’ve", "’ll", "’d"].map((rest) => `I${rest}`));
const LONGEST_WORD = 40, LONGEST_SENTENCE = 50_000, SHORT_QUOTATION = 2000;

const beginsInSpace = (text) => SPACE_RUN.test(text[0]);
const holds = (text, characters) => [...text].some((character) => characters.includes(character));
const matchAt = (pattern, text, at) => ((pattern.lastIndex = at), pattern.exec(text));
const withoutStart = (text, characters) => text.replace(new RegExp(`^${any(characters)}+`, "u"), "");

/** Finds the places in a line where a sentence ends and another begins. */
class SentenceEnds {
  constructor(punkt, abbreviations) {
    this.punkt = punkt;
    this.known = new Map(Object.entries(abbreviations));
  }

  /** Return the sentences of a line. */
  sentences(line) {
    const starts = [0, ...this.#find(line)];
    const sentences = starts.map((start, k) => stripped(line.slice(start, starts[k + 1])));
    return sentences.at(-1) ? sentences : sentences.slice(0, -1);
  }

  /** Return where each sentence ends but the last. */
  #find(line) {
    const ends = [];
    let start = 0, dialogue = matchAt(DIALOGUE, line, 0);
    for (const found of line.matchAll(END)) {
      const first = found.index, marks = this.#closed(line, start, found);
      const end = first + marks.length + matchAt(EMOTICONS, line, first + marks.length)[0].length;
      if (end < line.length && !beginsInSpace(line[end]) && !this.#mayTouch(line, marks, first, end)) continue;
      const [, dash, opening, word] = matchAt(FOLLOWING, line, end);
      const before = line.slice(Math.max(start, first - LONGEST_WORD), first);
      if (word && this.#ends(before, marks, dash || dialogue, opening, word)) {
        ends.push(end);
        [start, dialogue] = [end, matchAt(DIALOGUE, line, end)];
      }
    }
    return ends;
  }

  #isOpen(line, start, position) {
    return line.slice(Math.max(start, position - SHORT_QUOTATION), position).split('"').length % 2 === 0;
  }

  #closed(line, start, { 0: marks, index }) {
    const end = index + marks.length;
    if (end === line.length || beginsInSpace(line[end])) {
      const apart = matchAt(QUOTE_APART, line, end);
      return apart && this.#isOpen(line, start, index) ? marks + apart[0] : marks;
    }
    const rest = marks.replace(/[“‘«‹]+$/, "");
    return /["']$/.test(rest) && !this.#isOpen(line, start, index) ? rest.replace(/["']+$/, "") : rest;
  }

  #mayTouch(line, marks, first, end) {
    if (holds(marks, `${ANYWHERE}፡`)) return true;
    const before = [...line.slice(Math.max(0, first - 4), first)].slice(-2).join("");
    return LAST_CJK.test(before) && matchAt(TOUCHING_CJK, line, end) !== null;
  }

  #ends(before, marks, dash, opening, word) {
    const letter = String.fromCodePoint(word.codePointAt(0));
    const quoted = holds(marks, QUOTES), closed = quoted || holds(marks, BRACKETS);
    if (GOES_ON.includes(letter) || (isLower(letter) && (dash || closed))) return false;
    const caseless = /\p{L}/u.test(letter) && !isUpper(letter) && !isLower(letter);
    const quotesOnly = QUOTING_PARTICLES.includes(letter) || holds(marks, QUESTIONS);
    if (quoted && !opening && quotesOnly && (caseless || this.#isName(word))) return false;
    if ([...marks].some((mark) => `${END_MARKS};፡`.includes(mark) && !NOT_SURE.includes(mark))) return true;
    if (marks.split(".").length === 2 && !holds(marks, "…‥")) return this.#fullStopEnds(before, word);
    if (caseless) return LAST_CJK.test(before);
    return isUpper(letter) && !this.#isName(word);
  }

  #fullStopEnds(before, following) {
    if (!before || ENDS_IN_SPACE.test(before)) return true;
    const earlier = words(before), last = withoutStart(earlier.pop(), OPENING + DASHES + FORMATTING);
    if (!earlier.length && /^\p{Nd}{1,3}$/u.test(last)) return false; // 1. A list
    let key = last.toLowerCase();
    if (earlier.at(-1)?.endsWith(".")) {
      const pair = withoutStart(earlier.at(-1), OPENING).toLowerCase() + key;
      if (this.#isKnown(pair)) key = pair; // z. B.
    }
    const goesOnBefore = this.known.get(key), initial = [...last].length === 1;
    if (initial && [...following].length === 2 && following.endsWith(".")) return false; // J. R. Tolkien
    const word = following.replace(/\.+$/, "") || following;
    if (goesOnBefore === "anything" || this.#isKnown(`${key}.${word.toLowerCase()}`)) return false;
    if (/^\p{Nd}/u.test(word) && (initial || goesOnBefore === "number")) return false;
    if (goesOnBefore === "lower case") return !isLower(word);
    const begins = isUpper(word) && this.punkt.starters.has(word.toLowerCase());
    if (goesOnBefore === "name") return begins;
    if (initial && begins) return true; // vitamin C. It
    if (ACRONYM.test(key) && !this.punkt.abbreviations.has(key)) key = "u.s";
    return this.punkt.endsWithin(`${key}. ${word}`);
  }

  #isName(word) {
    const seen = this.punkt.seen.get(word.toLowerCase().replace(/\.+$/, "")) ?? 0;
    return ALWAYS_CAPITALIZED.has(word) || Boolean(seen & CAPITALIZED_WITHIN && !(seen & LOWER_CASE));
  }

  #isKnown(abbreviation) {
    return this.known.has(abbreviation) || this.punkt.abbreviations.has(abbreviation);
  }
}

/** Return what splits a document into sentences, given what a vocabulary remembers. */
function sentenceSplitter(data) {
  const punkt = new Punkt(data);
  // Vocabularies of earlier versions know no abbreviations, and their text is split by Punkt alone.
  if (!data.known_abbreviations) {
    return (text) =>
      text.split("\n").flatMap((line) => cut(line, LONGEST_SENTENCE, []))
        .flatMap((piece) => punkt.sentences(stripped(piece))).map(stripped).filter(Boolean);
  }
  const ends = new SentenceEnds(punkt, data.known_abbreviations);
  return (text) =>
    withWords(text.split("\n").flatMap((line) => ends.sentences(line)))
      .flatMap((sentence) => cut(sentence, LONGEST_SENTENCE, [beginsInSpace, (each) => GOES_ON.includes(each)]))
      .map(stripped).filter(Boolean);
}

/** Join sentences without letters and digits to the one before, at the beginning to the one after. */
function withWords(sentences) {
  const joined = [];
  let held = [], hasWords = false;
  for (const sentence of sentences) {
    if (/[\p{L}\p{N}]/u.test(sentence)) {
      if (hasWords) joined.push(held.splice(0).join(" "));
      hasWords = true;
    }
    held.push(sentence);
  }
  return held.length ? [...joined, held.join(" ")] : joined;
}
