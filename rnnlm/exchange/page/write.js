"use strict";
// How the next token is chosen, and what the page does. All text is shown as text: nothing is ever parsed as HTML.

const SHOWN = 10; // likely tokens in the list
const SLICE = 30; // milliseconds of computing after which the page can do something else
const REST = 120; // milliseconds without a key after which the page looks at what was typed
const NAMES = new Map([[" ", "space"], ["\n", "end of line"], ["\t", "tab"]]); // of what nobody would see
const LEAST = 0.0005; // below this a token is not listed: it would be shown as 0.0%

/** Return the ids among which the next token is drawn, in rising order, and their chances; see SamplingSettings. */
function choicesOf(logProbs, neverWritten, { temperature, topK, topP }) {
  const allowed = Float64Array.from(logProbs), ids = [];
  for (const id of neverWritten) allowed[id] = -Infinity;
  const largest = allowed.reduce((one, other) => Math.max(one, other));
  const weightOf = (logProb) => Math.exp((logProb - largest) / Math.max(temperature, 1e-30));
  let [least, equal] = [temperature === 0 ? largest : -Infinity, 1]; // of equal ones, the first so many
  if (temperature > 0 && (topK < allowed.length || topP < 1)) {
    const sorted = Float64Array.from(allowed).sort().reverse();
    let number = Math.min(topK, allowed.length - neverWritten.length);
    if (topP < 1) {
      const weights = sorted.subarray(0, number).map(weightOf);
      const enough = topP * weights.reduce((one, other) => one + other);
      number = 0;
      for (let sum = 0; sum < enough; number++) sum += weights[number];
    }
    least = sorted[number - 1];
    equal = number - sorted.indexOf(least);
  }
  allowed.forEach((logProb, id) => {
    if (logProb > least || (logProb === least && least > -Infinity && equal-- > 0)) ids.push(id);
  });
  const weights = ids.map((id) => weightOf(allowed[id])), total = weights.reduce((one, other) => one + other);
  return { ids, chances: weights.map((weight) => weight / total) };
}

/** Draw a token. */
function draw({ ids, chances }) {
  let rest = Math.random();
  for (let k = 0; k < ids.length; k++) if ((rest -= chances[k]) < 0) return ids[k];
  return ids.at(-1); // the chances may add up to a little less than one
}

/** Let the page do something else whenever a slice of time is over. */
class Pauses {
  #end = performance.now() + SLICE;

  get isDue() {
    return performance.now() > this.#end;
  }

  async take() {
    await new Promise((resolve) => setTimeout(resolve));
    this.#end = performance.now() + SLICE;
  }
}

/** Reads seeds, and what was read before only once. */
class Reader {
  #ids = [];
  #steps = []; // after each of the ids, the last few of them kept

  constructor(network) {
    this.network = network;
  }

  /** Return the step after some ids; null if `goesOn` said no meanwhile. */
  async read(ids, goesOn) {
    let number = 0;
    while (number < ids.length && ids[number] === this.#ids[number]) number++;
    while (number > 0 && !this.#steps[number - 1]) number--;
    const steps = this.#steps.slice(0, number), pauses = new Pauses();
    for (; number < ids.length; number++) {
      steps.push(this.network.step(ids[number], steps.at(-1)?.state ?? this.network.zeroState()));
      if (number >= 64) steps[number - 64] = null;
      if (pauses.isDue) await pauses.take();
      if (!goesOn()) return null;
    }
    [this.#ids, this.#steps] = [ids, steps];
    return steps.at(-1);
  }
}

const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const network = networkOf(data.network, element("weights").textContent);
element("weights").remove(); // the text of the weights takes memory
const vocabulary = new Vocabulary(data.vocabulary);
const reader = new Reader(network);
const FIELDS = "form seed unknown of-labels label temperature top-k top-p length write stop keep";
const SHOWN_IN = "text begun added status next";
const ui = Object.fromEntries(`${FIELDS} ${SHOWN_IN}`.split(" ").map((id) => [id, element(id)]));
let writing = null; // the text that is being written
let looking = 0; // the number of the last look at the seed

function settings() {
  const number = (id, otherwise) => (ui[id].value === "" ? otherwise : ui[id].valueAsNumber);
  return { temperature: number("temperature", 1), topK: number("top-k", Infinity), topP: number("top-p", 1) };
}

/** Return the text in the field as the network reads it. */
const seedNow = () => vocabulary.seed(ui.seed.value, ui.label.value, data.carriesState);

/** Return a token as people see it: white space, quotation marks and the end by their names. */
function visible(id) {
  const token = vocabulary.tokens[id];
  if (id === Vocabulary.endId) return { name: "end of the sentence", isToken: false };
  if (vocabulary.settings.tokenizer === "nltk" && ["``", "''"].includes(token)) return { name: '"', isToken: true };
  if (NAMES.has(token)) return { name: NAMES.get(token), isToken: false };
  if (/^[\s\p{C}]$/u.test(token)) {
    return { name: `U+${token.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`, isToken: false };
  }
  return { name: token, isToken: true };
}

/** Show what the network does not know of the seed, and what it would say next. */
async function look() {
  const number = ++looking, seed = seedNow();
  ui.next.setAttribute("aria-busy", "true");
  ui.unknown.textContent = seed.unknown.length
    ? `Not in its vocabulary, so read as unknown: ${seed.unknown.join(" ")}` : "";
  const step = ui.form.checkValidity() && (await reader.read(seed.ids, () => number === looking));
  if (!step) return;
  const { ids, chances } = choicesOf(network.logProbs(step.hidden), vocabulary.neverWritten, settings());
  const likeliest = ids.map((id, k) => [id, chances[k]]).sort((one, other) => other[1] - one[1] || one[0] - other[0]);
  const hadFocus = ui.next.contains(document.activeElement);
  ui.next.replaceChildren(
    ...likeliest.slice(0, SHOWN).filter(([, chance], k) => k === 0 || chance >= LEAST)
      .map(([id, chance]) => nextItem(seed, id, chance)),
  );
  if (hadFocus) ui.next.querySelector("button:enabled")?.focus();
  ui.next.removeAttribute("aria-busy");
}

/** Return the item of a token that may come next: a bar that adds it to the text. */
function nextItem(seed, id, chance) {
  const item = document.createElement("li"), button = document.createElement("button");
  const token = document.createElement("bdi"), percent = document.createElement("span");
  const { name, isToken } = visible(id);
  button.type = "button";
  button.style.setProperty("--chance", chance);
  token.textContent = name;
  token.lang = isToken ? "" : "en";
  token.className = isToken ? "" : "name";
  percent.className = "percent";
  percent.textContent = `${(100 * chance).toFixed(1)}%`;
  button.append(token, percent);
  button.disabled = id === Vocabulary.endId;
  button.addEventListener("click", () => {
    ui.seed.value = seed.text + vocabulary.added(seed, [vocabulary.tokens[id]]);
    look();
  });
  item.append(button);
  return item;
}

/** Enable a button in place of another, and let it take over the focus. */
function enable(button, other) {
  const hadFocus = document.activeElement === other;
  button.disabled = false;
  if (hadFocus) button.focus();
  other.disabled = true;
}

/** Write a text from the seed, and show it as it comes. */
async function writeText() {
  lookSoon();
  const seed = seedNow(), choosing = settings(), length = ui.length.valueAsNumber;
  const own = (writing = { text: seed.text, stopped: false }), tokens = [], pauses = new Pauses();
  const show = () => {
    own.text = seed.text + vocabulary.added(seed, tokens);
    ui.added.textContent = own.text.slice(seed.text.length);
  };
  ui.text.setAttribute("aria-busy", "true"); // so that a screen reader says it once it is there
  ui.begun.textContent = seed.text;
  ui.added.textContent = "";
  ui.status.textContent = "Writing …";
  ui.keep.disabled = true;
  enable(ui.stop, ui.write);
  let ended = false, step = await reader.read(seed.ids, () => !own.stopped);
  while (step !== null && tokens.length < length && !own.stopped) {
    const id = draw(choicesOf(network.logProbs(step.hidden), vocabulary.neverWritten, choosing));
    if ((ended = id === Vocabulary.endId)) break;
    tokens.push(vocabulary.tokens[id]);
    step = network.step(id, step.state);
    if (pauses.isDue) {
      show();
      await pauses.take();
    }
  }
  show();
  const how = own.stopped ? "stopped" : ended ? "to the end of the sentence" : "to the length that was set";
  ui.status.textContent = ended && !tokens.length
    ? "The sentence ends here; add text to begin another."
    : `${tokens.length.toLocaleString("en")} ${data.level === "char" ? "characters" : "tokens"}, ${how}.`;
  ui.text.removeAttribute("aria-busy");
  ui.keep.disabled = tokens.length === 0;
  enable(ui.write, ui.stop);
}

function stopWriting() {
  if (writing) writing.stopped = true;
}

let resting;
function lookSoon() {
  clearTimeout(resting);
  ui.next.setAttribute("aria-busy", "true");
  resting = setTimeout(look, REST);
}

for (const label of vocabulary.labels) {
  const option = document.createElement("option");
  option.value = option.textContent = label;
  ui.label.append(option);
}
ui["of-labels"].hidden = vocabulary.labels.length === 0;
ui.length.value = data.length;
ui.form.addEventListener("input", lookSoon);
ui.form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (ui.write.disabled) return;
  writeText();
});
ui.seed.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ui.form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stopWriting();
});
ui.stop.addEventListener("click", stopWriting);
ui.keep.addEventListener("click", () => {
  ui.seed.value = writing.text;
  ui.keep.disabled = true;
  look();
  ui.seed.focus();
});
look();
