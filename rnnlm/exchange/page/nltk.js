"use strict";
// Words in the style of the Penn Treebank: cut from a sentence as NLTK does, and joined again as in
// rnnlm/text/joining, whose modules are followed here rule by rule: place, characters, punctuation, quotes, signs.

const LETTER = "[\\p{L}\\p{N}]", WORD = "[\\p{L}\\p{N}_]"; // Python's isalnum() and \w
const EDGE = `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`; // Python's \b
const IN_WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d]"; // \w of the package regex, which NLTK uses too

const BEFORE_PADDING = [
  [/([«“‘„]|`+)/gu, " $1 "],
  [/^"/u, "``"],
  [/(``)/gu, " $1 "],
  [/([ ([{<])("|'{2})/gu, "$1 `` "],
  [new RegExp(`(?<!${IN_WORD})'(?!(?:re|ve|ll|m|t|s|d|n)(?!${IN_WORD}))(?=${IN_WORD})`, "giu"), "' "],
  [/([^.])(\.)([\])}>"'»”’ ]*)$/u, "$1 $2 $3 "],
  [/([:,])(\P{Nd})/gu, " $1 $2"],
  [/([:,])$/u, " $1 "],
  [/\.{2,}/gu, " $& "],
  [/[;@#$%&]/gu, " $& "],
  [/[\u2012-\u2015]/gu, " $& "],
  [/([^.])(\.)([\])}>"']*) *$/u, "$1 $2$3 "],
  [/[?!]/gu, " $& "],
  [/([^'])' /gu, "$1 ' "],
  [/[*]/gu, " $& "],
  [/[\][(){}<>]/gu, " $& "],
  [/--/gu, " -- "],
];
const AFTER_PADDING = [
  [/([»”’])/gu, " $1 "],
  [/''/gu, " '' "],
  [/"/gu, " '' "],
  [/ +/gu, " "],
  [/([^' ])('[sS]|'[mM]|'[dD]|') /gu, "$1 $2 "],
  [/([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) /gu, "$1 $2 "],
  ...["can not", "d 'ye", "gim me", "gon na", "got ta", "lem me", "more 'n", "wan na"].map((parts) => [
    new RegExp(`${EDGE}(${parts.replace(" ", ")(")})${parts === "wan na" ? "(?= )" : EDGE}`, "giu"),
    " $1 $2 ",
  ]),
  ...["is", "was"].map((verb) => [new RegExp(` ('t)(${verb})${EDGE}`, "giu"), " $1 $2 "]),
];
const LONGEST_PART = 4096, MARKS_TO_CUT = "。！？；，、।॥؟۔،,;!?";

/** Return the words and punctuation marks of a sentence. */
function nltkTokens(sentence) {
  const changed = (text, steps) => steps.reduce((each, [pattern, to]) => each.replace(pattern, to), text);
  const kinds = [(each) => each === " ", (each) => MARKS_TO_CUT.includes(each)];
  const parts = cut(words(sentence).join(" "), LONGEST_PART, kinds);
  return parts.flatMap((part) => words(changed(` ${changed(part, BEFORE_PADDING)} `, AFTER_PADDING)));
}

// How a token leans on its neighbours, and whether it opens or closes a quotation or bracket.
const leans = (left, right, more = {}) => ({ left, right, opens: false, closes: false, ...more });
const ALONE = leans(false, false), LEFT = leans(true, false), RIGHT = leans(false, true), BOTH = leans(true, true);
const OPENS = leans(false, true, { opens: true }), CLOSES = leans(true, false, { closes: true });
const OPENS_JOINED = leans(true, true, { opens: true });
const SPACED_OPENS = leans(false, false, { opens: true }), SPACED_CLOSES = leans(false, false, { closes: true });

const MARK_PAIRS = [[..."()"], [..."[]"], [..."{}"], [..."<>"], ['"', "``", "''"], [..."“”„"], [..."‘’‚"], [..."«»"]];
const FAMILIES = new Map(MARK_PAIRS.flatMap((marks) => marks.map((mark) => [mark, marks[0]])));
const CLOSING_MARKS = new Set([")", "]", "}", ">", "''", '"', "”", "’", "'", "»", "*", "%"]);
const OPENING_MARKS = new Set(["“", "‘", "``", '"', "(", "[", "#", "@", "$"]);
const APOSTROPHES = ["'", "’", "‘"], EYES = [":", ";"], NOSES = ["-", "'", "^"];
const RECENT = 12, LONGEST_QUOTATION = 12, LONGEST_BRACKET = 12, LONGEST_RUN = 4, LONGEST_ACTION = 10, FRENCH_AHEAD = 6;

/** Make a test of whether a pattern of Python, in which \w and \d stand, matches all of a token. */
function whole(source) {
  const pattern = new RegExp(`^(?:${source.replaceAll("\\w", WORD).replaceAll("\\d", "\\p{Nd}")})$`, "u");
  return (token) => pattern.test(token);
}
const startsWord = (token) => /^[\p{L}\p{N}]/u.test(token), endsWord = (token) => /[\p{L}\p{N}]$/u.test(token);
const isWord = whole(`${LETTER}+`), isOne = whole("[^]"), isLetter = whole("\\p{L}");
const isLetters = whole("\\p{L}+"), isDigits = whole("[\\p{Nd}²³¹⁰⁴-⁹₀-₉]+");
const startsLetter = (token) => /^\p{L}/u.test(token), endsLetter = (token) => /\p{L}$/u.test(token);
const startsDigit = (token) => /^[\p{Nd}²³¹⁰⁴-⁹₀-₉]/u.test(token);
const endsDigit = (token) => /[\p{Nd}²³¹⁰⁴-⁹₀-₉]$/u.test(token);
const startsWith = (token, ...starts) => starts.some((start) => token.startsWith(start));

// Of punctuation.py:
const NUMBER = "[+-]?\\.?\\d[\\d.,:]*", isNumber = whole(NUMBER), beginsNumber = whole(`${NUMBER}[^]*`);
const isAddressPart = whole(".*[=_/].*|\\d{5,}|[~:]"), isDots = whole("\\.[. ]*\\.");
const isMouth = whole("-?[dp/\\\\|()\\]}]|-[a-z]"), isSignMouth = whole("[ox*$<>@{]");
const isRuleLine = whole("[|:\\-]+"), isInlineTag = whole("[abisu]|em|strong|code|su[bp]");
const isAddedLetters = whole("e?s|ed|ly|ing|ren");
// Of quotes.py:
const isEnding = whole("s|t|re|ve|ll|d|m|all|am|[dt]a|te|[dt]an|n[ıi]n");
const isElision = whole("[cdjlmnosty]|ma|un|(?:jus|lors|puis|quoi)?qu|aujourd|(?:a|da|de|ne|su|que)ll");
const isBeheaded = whole("em|till?|cause|cuz|coz|bout|round|n|tis|twas|ere|gainst|cept|kay|\\d\\d(?:s|ers?)?");
const losesLetter = whole(".*\\w\\w(?:s|z|x|in)|ol|po"), isAbbreviation = whole("(?:\\w\\.)+|[jsm]r\\.");
const isFrenchWord = whole(
  "aux?|avai[st]|avec|avoir|ça|cette?|ceux|chez|comme|dans|depuis|donc|elles?|encore|est|étai[st]|être|eux|fai[st]" +
  "|faut|ils|jamais|je?|leurs?|moi|même|notre|nous|oui|où|parce|pas|peut?|pour|pourquoi|puis|qu|quand|quelle" +
  "|quelques?|quoi" +
  "|rien|sans|ses|soit|sont|sous|suis|toi|toujours|tous|toute?s?|trop|très|une|vers|voilà|votre|vous" +
  "|cria|demanda|murmura|répondit");
const isFrenchForm = whole("(?:j|qu)['’].+|.+-(?:je|tu|ils?|elles?|nous|vous|ce|là|moi|toi)");
// Of signs.py:
const isDomain = whole("(?:\\w|-)+(?:\\.(?:\\w|-)+)+"), hidesAfter = whole("[a-z]|sh|bi|bu|fu|as|cu|ni|bull ?sh");
const hidesBefore = whole(
  "(?=.*[^aeiou]$)(?:(?![aeiouy\\d])[\\p{L}\\p{N}]){1,4}|y|k?ing|ked|er|ers|holes?|ck(?:ing|ed|ers?)|tches|nes");
const isEntity = whole("#|amp|[lg]t|quot|nbsp|apos");
// Of characters.py:
const isUnspaced = whole("[\\u2e80-\\u9fff\\uf900-\\ufaff\\ufe30-\\uffef]"), isHangul = whole("[\\uac00-\\ud7a3]");
const isGreek = whole("[\\u0370-\\u03ff\\u1f00-\\u1fff]"), isAscii = whole("[\\x00-\\x7f]");
const isParticle = whole("(?:이?라|하)[고는며면].*|[은는이가을를의에와과도로만]|에서|으로|까지|부터|처럼|이다|입니다");
const isCombining = whole("[\\p{M}\\u200c\\u200d]");
const firstOf = (token) => token && String.fromCodePoint(token.codePointAt(0));
const lastOf = (token) => token.match(/[^]$/u)?.[0] ?? "";

/** A place in a sequence of tokens: the tokens before it, and a look ahead. */
class Place {
  token = "";
  before = "";
  lean = RIGHT;
  run = ALONE;
  recent = [];
  inAddress = false;
  spacedMarks = false;
  #opened = new Map();

  constructor(tokens) {
    this.tokens = tokens.map((token) => token.toLowerCase());
  }

  arrive(index) {
    [this.index, this.token] = [index, this.tokens[index]];
  }

  ahead(number = 1) {
    return this.tokens[this.index + number] ?? "";
  }

  comes(mark, within) {
    for (let number = 1; number <= within; number++) {
      const token = this.ahead(number);
      if (token === mark || !token) return token === mark;
    }
    return false;
  }

  static #family(mark) {
    return FAMILIES.get(mark) ?? FAMILIES.get(firstOf(mark)) ?? mark;
  }

  opener(mark = this.token) {
    return this.#opened.get(Place.#family(mark)) ?? "";
  }

  get earlier() {
    return this.recent.at(-2) ?? "";
  }

  get inSmiley() {
    if (EYES.includes(this.before)) return this.lean === RIGHT;
    return NOSES.includes(this.before) && this.lean === BOTH && EYES.includes(this.earlier);
  }

  leave(lean, joined) {
    if (lean.opens) this.#opened.set(Place.#family(this.token), this.token);
    else if (lean.closes) this.#opened.delete(Place.#family(this.token));
    [this.before, this.lean] = [this.token, lean];
    this.recent = [...this.recent, this.token].slice(-RECENT);
    this.inAddress = (joined && this.inAddress) || startsWith(this.token, "//", "www.");
  }
}

function isFrench(tokens, enough) {
  let found = 0;
  for (const token of tokens) found += isFrenchForm(token) ? enough : isFrenchWord(token) ? 1 : 0;
  return found >= enough;
}
function quotesFrench(place, first) {
  const following = Array.from({ length: FRENCH_AHEAD }, (_, number) => place.ahead(first + number));
  return place.recent.includes("dit") || isFrench([...place.recent, ...following], 1);
}
function spacesMarks(place) {
  if (place.token === ":" && place.ahead() === "«") return place.spacedMarks || quotesFrench(place, 2);
  return place.spacedMarks || isFrench(place.recent, 2);
}

const punctuation = {
  point(place) {
    const { before } = place, after = place.ahead();
    if (place.lean.right) return after ? RIGHT : LEFT;
    if (isLetter(before) && isLetter(after)) return place.ahead(2) === "." ? BOTH : LEFT;
    return isDigits(after) && isNumber(before) && /[.,]/.test(before) ? BOTH : LEFT;
  },
  comma(place) {
    const after = place.ahead();
    return [...after].length === 3 && isDigits(after) && isNumber(place.before) ? BOTH : LEFT;
  },
  dots(place) {
    if (place.lean.right) return place.token !== ".." && startsWord(place.ahead()) ? RIGHT : ALONE;
    return LEFT;
  },
  ending(place) {
    if (place.inAddress && place.token === "?" && isAddressPart(place.ahead())) return BOTH;
    if (["?", "!"].includes(place.before)) return LEFT;
    return spacesMarks(place) ? ALONE : LEFT;
  },
  colon(place) {
    const { token, before } = place, after = place.ahead();
    if (after.startsWith("//") || (place.inAddress && isAddressPart(after))) return BOTH;
    if (before.endsWith("|") || (before.startsWith("-") && startsWith(after, "-", "|"))) return BOTH;
    if ((token === ":" && [before, after].includes(":")) || (before === "tl" && after === "dr")) return BOTH;
    if (punctuation.hasMouth(place)) return RIGHT;
    return spacesMarks(place) ? ALONE : LEFT;
  },
  hasMouth(place) {
    const after = place.ahead();
    if (after === "(") return !punctuation.isClosed(place);
    if (after === ")" && place.token === ";") return !place.opener("(");
    return isMouth(after) || punctuation.hasRareMouth(place);
  },
  isClosed(place) {
    for (let number = 2; number <= LONGEST_BRACKET; number++) {
      if (["(", ")", ""].includes(place.ahead(number))) return place.ahead(number) === ")";
    }
    return false;
  },
  hasRareMouth(place) {
    const number = NOSES.includes(place.ahead()) ? 2 : 1;
    const mouth = place.ahead(number), following = place.ahead(number + 1);
    if (number === 2 && isMouth(mouth)) return true;
    return isSignMouth(mouth) && !startsWord(following) && following !== mouth;
  },
  bracket(place) {
    const { before } = place, inside = place.ahead(), many = before && !isOne(before);
    if (place.inSmiley) return LEFT;
    if (before === "]" && place.token === "(") return OPENS_JOINED;
    if (many && /[_^]$/.test(before) && before[0] !== "_") return OPENS_JOINED;
    if (!startsWord(before)) return OPENS;
    if (inside === ")") return OPENS_JOINED;
    const volume = isDigits(before) && isDigits(inside); // of a journal: 12(3)
    if (volume || isAddedLetters(inside) || (isOne(before) && isOne(inside))) {
      return [")", "]"].includes(place.ahead(2)) ? OPENS_JOINED : OPENS;
    }
    return OPENS;
  },
  less(place) {
    const { before } = place, after = place.ahead();
    if (["<", "_"].includes(before) || after.startsWith("/")) return OPENS_JOINED;
    const compares = isOne(before) && startsWord(before) && after !== "3";
    if (compares && isOne(after) && place.ahead(2) !== ">") return ALONE;
    if (startsWith(after, "-", "<", "=") || (startsDigit(after) && !compares)) return RIGHT;
    return place.comes(">", LONGEST_BRACKET) ? OPENS : ALONE;
  },
  greater(place) {
    const { before } = place, after = place.ahead();
    if (place.opener()) return isInlineTag(before) ? leans(true, true, { closes: true }) : CLOSES;
    if (/[-=>]$/.test(before)) return LEFT;
    const smiley = after === "_" || (EYES.includes(after) && isMouth(place.ahead(2)));
    const compares = endsDigit(before) || (isOne(before) && startsWord(before));
    return smiley || [">", "="].includes(after) || (startsDigit(after) && !compares) ? RIGHT : ALONE;
  },
  doubleHyphen(place) {
    const { before } = place, after = place.ahead();
    const goesOn = startsWith(after, "-", ">", "|", ":|") || (after === ":" && place.ahead(2) === "|");
    if (before.endsWith("-")) return goesOn ? BOTH : LEFT;
    if (goesOn) return /[|:]$/.test(before) ? BOTH : RIGHT;
    return !before && startsWord(after) ? RIGHT : ALONE;
  },
  hyphen(place) {
    if (place.inSmiley) return BOTH;
    return place.before.endsWith("--") ? LEFT : ALONE;
  },
  longDash(place) {
    const { before } = place, after = place.ahead();
    if (before === place.token) return LEFT;
    if (endsDigit(before) && startsDigit(after)) return BOTH;
    return !before && startsWith(after, "¿", "¡") ? RIGHT : ALONE;
  },
  unlisted(place) {
    const { token, before } = place;
    if (isDots(token)) return punctuation.dots(place);
    if (token.startsWith("‚")) return leans(false, false, { opens: true });
    const rules = isRuleLine(token) && isRuleLine(before);
    if (rules && ((before + token).includes("|") || before.endsWith("-"))) return LEFT;
    if (startsWith(token, ")", "]", "}")) return LEFT;
    if (token.startsWith("…") && (CLOSING_MARKS.has(before) || before === ",")) return LEFT;
    return isCombining(firstOf(token)) ? LEFT : ALONE;
  },
};

const quotes = {
  closing: (place) => (place.ahead() === "s" ? BOTH : CLOSES),
  double(place) {
    const { before } = place, after = place.ahead();
    if (after === "s" && endsWord(before)) return BOTH;
    if (place.opener()) return before === ":" ? OPENS : CLOSES;
    const inches = endsDigit(before) && (APOSTROPHES.includes(place.earlier) || !place.comes('"', LONGEST_QUOTATION));
    return inches || !(place.lean.right || after) ? LEFT : OPENS;
  },
  leftCurly: (place) => (place.opener() === "„" ? CLOSES : OPENS),
  rightCurly(place) {
    if (place.opener()) return CLOSES;
    const quoted = endsWord(place.before) && place.comes("”", LONGEST_QUOTATION);
    return ["", ":"].includes(place.before) || quoted ? OPENS : CLOSES;
  },
  leftAngle(place) {
    if (place.opener() === "»") return CLOSES;
    place.spacedMarks = quotesFrench(place, 1);
    return place.spacedMarks ? SPACED_OPENS : OPENS;
  },
  rightAngle(place) {
    if (!place.opener() && startsWord(place.ahead())) return OPENS;
    return place.spacedMarks ? SPACED_CLOSES : CLOSES;
  },
  leftSingle(place) {
    const after = place.ahead();
    if (place.opener().startsWith("‚")) return CLOSES;
    if (endsWord(place.before) && isEnding(after)) return BOTH;
    return isBeheaded(after) ? RIGHT : OPENS;
  },
  apostrophe(place) {
    const { before } = place, after = place.ahead(), curly = place.token === "’";
    if (place.inSmiley) return BOTH;
    if (endsWord(before) && !place.lean.right) return quotes.afterWord(place, before, after, curly);
    if (place.lean.right && before) return isBeheaded(after) ? RIGHT : OPENS;
    if (isBeheaded(after)) return RIGHT;
    if (!place.opener() && isEnding(after)) {
      if ((before === "." && isOne(place.earlier)) || isAbbreviation(before)) return BOTH;
      if (curly) return RIGHT;
    }
    if (place.opener() || (before && (curly || !(startsWord(after) || OPENING_MARKS.has(after))))) return CLOSES;
    return curly ? RIGHT : OPENS;
  },
  afterWord(place, before, after, curly) {
    const number = endsDigit(before);
    if (before === "'n" || (isBeheaded(before) && !number && APOSTROPHES.includes(place.earlier))) return LEFT;
    if (isEnding(after) || (number && startsDigit(after)) || (curly && isElision(before))) return BOTH;
    if (place.opener()) return CLOSES;
    if (curly && number && startsLetter(after)) return BOTH;
    if (number || !startsWord(after)) return LEFT;
    if (isBeheaded(after)) return RIGHT;
    if (curly) return losesLetter(before) || isGreek(lastOf(before)) ? LEFT : BOTH;
    return losesLetter(before) && !place.comes("'", LONGEST_QUOTATION) ? LEFT : OPENS;
  },
};

const signs = {
  star(place) {
    if (place.inSmiley) return LEFT;
    if (place.before === "*") return leans(true, place.ahead() === "*" || place.run.right);
    let length = 1;
    while (length < LONGEST_RUN && place.ahead(length) === "*") length++;
    place.run = signs.rowOfStars(place, length);
    return length === 1 ? place.run : { ...place.run, right: true };
  },
  rowOfStars(place, length) {
    const { before } = place, after = place.ahead(length);
    if (place.opener()) return CLOSES;
    if (startsWord(before) && !place.lean.right) {
      const paired = length > 1 || place.comes("*", LONGEST_ACTION);
      if (endsDigit(before) || (!paired && startsDigit(after))) return ALONE;
      if (hidesAfter(before) && (length > 1 || !paired)) return length === 1 || hidesBefore(after) ? BOTH : LEFT;
      if (!paired || !startsWord(after)) return LEFT;
    }
    return after ? OPENS : LEFT;
  },
  tick(place) {
    if (place.opener()) return CLOSES;
    return place.ahead() ? OPENS : LEFT;
  },
  at(place) {
    const after = place.ahead();
    if (endsDigit(place.before) || ["http", "https"].includes(after)) return ALONE;
    if (place.inAddress || (startsWord(place.before) && isDomain(after))) return BOTH;
    return startsLetter(after) || after.startsWith("_") ? RIGHT : ALONE;
  },
  numberSign(place) {
    const { before } = place, after = place.ahead();
    if (place.inAddress || before === "&" || (isOne(before) && hidesBefore(after))) return BOTH;
    if (["c", "f"].includes(before) && !startsDigit(after)) return LEFT;
    return startsWord(after) && after !== "of" ? RIGHT : ALONE;
  },
  currency(place) {
    const { token, before } = place, after = place.ahead();
    if (place.inSmiley) return LEFT;
    const amount = after === token || beginsNumber(after);
    if ([token, "~", "+", "au", "nz", "hk"].includes(before)) return amount ? BOTH : LEFT;
    if (startsDigit(before) && !amount) return LEFT;
    if (isLetter(before) && isLetters(after)) return BOTH;
    return amount || startsWord(after) ? RIGHT : ALONE;
  },
  percent(place) {
    if (place.inAddress) return BOTH;
    return isLetters(place.before) ? ALONE : LEFT;
  },
  ampersand(place) {
    const { before } = place, after = place.ahead();
    if (place.inAddress) return BOTH;
    if (isEntity(after) && [";", "39", "x27"].includes(place.ahead(2))) return RIGHT;
    if (!(endsLetter(before) && startsLetter(after))) return ALONE;
    const [long, longAfter] = [[...before].length, [...after].length];
    const short = Math.min(long, longAfter) === 1 && long <= 2 && longAfter <= 4;
    return short && after !== "i" && (!["a", "i"].includes(before) || longAfter === 1) ? BOTH : ALONE;
  },
};

/** The rule of a token that leans so after certain words only. */
const after = (lean, ...before) => (place) => (before.includes(place.before) ? lean : ALONE);
const each = (marks, rule) => [...marks].map((mark) => [mark, rule]);
const RULES = new Map([
  [".", punctuation.point], [",", punctuation.comma], ...each("?!", punctuation.ending), ...each("،؛؟۔।॥·", LEFT),
  ...each(":;", punctuation.colon), ...each("([", punctuation.bracket), ...each(")]}", CLOSES), ["{", OPENS],
  ["<", punctuation.less], [">", punctuation.greater], ["-", punctuation.hyphen], ["--", punctuation.doubleHyphen],
  ...each("\u2012\u2013\u2014\u2015", punctuation.longDash), ["``", OPENS], ["''", quotes.closing],
  ['"', quotes.double], ...each("„‚", OPENS), ["“", quotes.leftCurly], ["”", quotes.rightCurly],
  ["«", quotes.leftAngle], ["»", quotes.rightAngle],
  ["‘", quotes.leftSingle], ...each("'’", quotes.apostrophe),
  ...each(["'s", "'re", "'ve", "'ll", "'d", "'m", "n't", "'ye"], LEFT),
  ["'t", (place) => (["is", "was"].includes(place.ahead()) ? RIGHT : LEFT)], ["'n", after(LEFT, "more")],
  ["is", after(LEFT, "'t")], ["was", after(LEFT, "'t")], ["not", after(LEFT, "can")], ["na", after(LEFT, "gon", "wan")],
  ["me", after(LEFT, "gim", "lem")], ["ta", after(LEFT, "got")], ["`", signs.tick], ["```", signs.tick],
  ["*", signs.star], ["@", signs.at], ["#", signs.numberSign], ["$", signs.currency], ["%", signs.percent],
  ["&", signs.ampersand],
]);

function leanOf(place) {
  const rule = RULES.get(place.token) ?? (isWord(place.token) ? ALONE : punctuation.unlisted);
  return typeof rule === "function" ? rule(place) : rule;
}

/** Return whether two tokens that do not lean on each other are joined because of the characters that meet. */
function touch(earlier, before, token) {
  const last = lastOf(before), first = firstOf(token);
  if (!last || !first) return false;
  if (isAscii(last) && isAscii(first)) {
    if ("([{$*#@&".includes(first) && "_^/=~\\-+".includes(last)) {
      return before === "^" || (before.length > 1 && before !== "--" && before[0] !== "_");
    }
    if ("-/=_.\\".includes(first) && CLOSING_MARKS.has(before)) {
      return token.length > 1 && !["--", "/s", "/r"].includes(token) && !/[.!?]$/.test(earlier);
    }
    return last === ":" && startsDigit(before) && startsDigit(first); // the time of day
  }
  if (isUnspaced(last)) return !(isWord(first) && isWord(last)) && !["#", "@"].includes(first);
  if (isUnspaced(first)) return !(isWord(last) && isWord(first));
  if (isHangul(first)) return CLOSING_MARKS.has(before) && isParticle(token);
  return first === "(" && isHangul(last);
}

/** Return prose: contractions joined, punctuation and quotation marks attached. */
function proseOf(tokens) {
  const place = new Place(tokens);
  let text = "";
  tokens.forEach((token, index) => {
    place.arrive(index);
    const lean = leanOf(place);
    const joined = place.lean.right || lean.left || touch(place.earlier, place.before, place.token);
    text += (joined ? "" : " ") + (token === "``" || token === "''" ? '"' : token);
    place.leave(lean, joined);
  });
  return text;
}
