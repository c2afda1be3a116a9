"use strict";
// From text to tokens and back, as rnnlm/text does it. What few models need is in files of their own: nltk.js,
// sentences.js and clean.js.

const SPACES = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // Python's
const SPACE_RUN = new RegExp(`[${SPACES}]+`), ENDS_IN_SPACE = new RegExp(`[${SPACES}]$`);
const LINE_ENDS = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/;
const UNSPACED_SCRIPTS = ["Han", "Bopomofo", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"];
const WIDE = "ー\\u3000-\\u303f\\uff00-\\uff65\\uffe0-\\uffef";
const UNSPACED_CHARACTERS = `[${UNSPACED_SCRIPTS.map((script) => `\\p{Script=${script}}`).join("")}${WIDE}]`;
const BEGINS_UNSPACED = new RegExp(`^${UNSPACED_CHARACTERS}`, "u");
const ENDS_UNSPACED = new RegExp(`${UNSPACED_CHARACTERS}$`, "u");

/** Return the words between white space. */
const words = (text) => text.split(SPACE_RUN).filter(Boolean);

/** Return whether a space is written between a text and the word that follows it, in scripts that have spaces. */
function standApart(text, following) {
  if (ENDS_UNSPACED.test(text) || BEGINS_UNSPACED.test(following)) return false;
  return !(/[([{]$/.test(text) || /^[,.;:!?)\]}%]/.test(following));
}

/** Cut long text into pieces: after the last character of one of some kinds, the best first, else anywhere. */
function cut(text, longest, kinds) {
  const pieces = [];
  let characters = [...text];
  while (characters.length > longest) {
    const window = characters.slice(0, longest);
    const end = kinds.map((isOfKind) => window.findLastIndex(isOfKind) + 1).find(Boolean) ?? longest;
    pieces.push(window.slice(0, end).join(""));
    characters = characters.slice(end);
  }
  return [...pieces, characters.join("")];
}

/** How a tokenizer makes tokens of a sentence, and text of tokens. */
const TOKENIZERS = {
  characters: () => ({ tokenize: (text) => [...text], detokenize: (tokens) => tokens.join("") }),
  whitespace: ({ join }) => ({
    tokenize: words,
    detokenize: (tokens) =>
      tokens.reduce((text, token) => {
        const apart = text && (join === "space" || standApart(text, token));
        return text + (apart ? ` ${token}` : token);
      }, ""),
  }),
  nltk: () => ({ tokenize: nltkTokens, detokenize: proseOf }),
};

/** Keeps the ends of lines as tokens, but only one of several empty lines. */
function ofLines({ tokenize, detokenize }) {
  return {
    tokenize(text) {
      const [first, ...others] = text.split(LINE_ENDS), tokens = tokenize(first);
      for (const line of others) {
        if (tokens.at(-1) !== "\n" || tokens.at(-2) !== "\n") tokens.push("\n");
        tokens.push(...tokenize(line));
      }
      return tokens;
    },
    detokenize(tokens) {
      const lines = [[]];
      for (const token of tokens) token === "\n" ? lines.push([]) : lines.at(-1).push(token);
      return lines.map(detokenize).join("\n");
    },
  };
}

/** The vocabulary, and how text becomes its tokens. */
class Vocabulary {
  static unknownId = 0;
  static startId = 1;
  static endId = 2;

  constructor({ tokens, labels, text }) {
    this.tokens = tokens;
    this.labels = labels;
    this.firstLabelId = tokens.length - this.labels.length;
    this.neverWritten = [Vocabulary.unknownId, Vocabulary.startId];
    this.labels.forEach((_, k) => this.neverWritten.push(this.firstLabelId + k));
    this.ids = new Map(tokens.map((token, id) => [token, id]));
    // A word of the text that is named like a special token must not start or end a sentence.
    for (const id of [...this.neverWritten, Vocabulary.endId]) this.ids.set(tokens[id], Vocabulary.unknownId);
    this.settings = text;
    this.split = text.punkt && sentenceSplitter(text.punkt);
    const plain = TOKENIZERS[text.tokenizer](text);
    this.tokenizer = text.keepLines ? ofLines(plain) : plain;
  }

  /** Return the sentences of a text, as they look just before they are cut into tokens. */
  sentenceTexts(text) {
    const { clean, lowercase } = this.settings;
    const cleaned = clean ? cleanComment(text) : text;
    const sentences = this.split ? this.split(cleaned) : [cleaned];
    return lowercase ? sentences.map((sentence) => sentence.toLowerCase()) : sentences;
  }

  /** Read a seed text; see `SeedText` in rnnlm/generation/seed_text.py. */
  seed(text, label, carriesState) {
    const texts = text ? this.sentenceTexts(text) : [];
    const sentences = texts.map((each) => this.tokenizer.tokenize(each)).filter((tokens) => tokens.length);
    if (!sentences.length) sentences.push([]);
    const start = this.labels.length ? this.firstLabelId + this.labels.indexOf(label) : Vocabulary.startId;
    const idOf = (token) => this.ids.get(token) ?? Vocabulary.unknownId;
    const read = carriesState ? sentences : sentences.slice(-1);
    const ids = read.flatMap((tokens) => [start, ...tokens.map(idOf)]);
    const unknownToken = this.tokens[Vocabulary.unknownId];
    const isUnknown = (token) => idOf(token) === Vocabulary.unknownId && token !== unknownToken;
    const unknown = [...new Set(sentences.flat().filter(isUnknown))];
    return { text, tokens: sentences.at(-1), typed: words(texts.at(-1) ?? "").join(" "), ids, unknown };
  }

  /** Return what tokens add to the text of a seed; see `Continuation` in rnnlm/text/continuation.py. */
  added(seed, tokens) {
    const { detokenize } = this.tokenizer;
    const begun = detokenize(seed.tokens), whole = detokenize([...seed.tokens, ...tokens]);
    let added;
    if (whole.startsWith(begun)) added = whole.slice(begun.length);
    else if (seed.typed && whole.startsWith(seed.typed)) added = whole.slice(seed.typed.length);
    // The seed's last word, such as a quotation mark, would change before what follows, but it stays.
    else added = ` ${detokenize(tokens)}`;
    const spaceIsThere = ENDS_IN_SPACE.test(seed.text) && !ENDS_IN_SPACE.test(begun);
    return spaceIsThere ? added.replace(/^ +/, "") : added;
  }
}
