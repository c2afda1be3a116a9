"use strict";
// The page of a text: colours its tokens by surprise or by a unit, says what was expected at each, and draws units
// over time. What is chosen stands in the address: #0.c:17 is unit 17 of the part c of the first layer.
// All text goes into the page as text, never as markup.
(async () => {
  const get = id => document.getElementById(id);
  const text = get("text"), details = get("details"), said = get("said"), says = get("says");
  const part = get("part"), unit = get("unit"), map = get("map"), time = get("time");
  const data = JSON.parse(get("data").textContent);
  const tokens = [...text.querySelectorAll("span")], N = tokens.length;
  const bySurprise = tokens.map(token => token.className);
  tokens.forEach((token, k) => { token.k = k; });

  // Arrays as rnnlm.inspect.packing has packed them.
  async function unpack(id, Type) {
    const content = atob(get(id).textContent), bytes = new Uint8Array(content.length);
    for (let k = 0; k < content.length; k++) bytes[k] = content.charCodeAt(k);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Type(await new Response(stream).arrayBuffer());
  }

  const parts = new Map();
  async function partOf(key) {
    if (!parts.has(key)) {
      const [layer, name] = key.split(".");
      const [read, steps, largest, scores] = await Promise.all([
        unpack(`read-${layer}`, Uint8Array), unpack(`values-${key}`, Int8Array),
        unpack(`largest-${key}`, Float32Array), unpack(`scores-${key}`, Float32Array),
      ]);
      const called = `${data.layers[layer].name}, ${name}`, units = data.layers[layer].units[name];
      parts.set(key, { called, units, read, steps, largest, scores });
    }
    return parts.get(key);
  }

  const [surprises, ranks, likeliest, probabilities] = await Promise.all([
    unpack("surprises", Float32Array), unpack("ranks", Int32Array),
    unpack("likeliest", Int32Array), unpack("probabilities", Float32Array),
  ]);
  let at = 0; // the token that is chosen
  let chosen = null, u = 0; // the part and its unit that colour the text; null for surprise

  const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
  const signed = value => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
  const called = k => tokens[k].textContent.trim() || "␣";
  const step = k => chosen.steps[u * N + k];

  function element(name, content, className = "") {
    const made = document.createElement(name);
    made.textContent = content;
    made.className = className;
    return made;
  }

  function isolated(name, content, ...more) {
    const made = document.createElement(name);
    made.append(element("bdi", content), ...more);
    return made;
  }

  // What there is to say of a token.
  function lines(k) {
    const found = [`Token ${k + 1} of ${N}`];
    if (ranks[k] > 0) {
      const share = 100 * 2 ** -surprises[k], probability = share < 0.1 ? share.toPrecision(2) : fixed(share, 1);
      found.push(`${fixed(surprises[k], 2)} bits: probability ${probability} %, rank ${ranks[k]}`);
    } else found.push("not predicted");
    if (chosen !== null) {
      const value = fixed(step(k) / data.steps * chosen.largest[u], 2);
      found.push(`unit ${u} of ${chosen.called}: ${chosen.read[k] ? value : "not read"}`);
    }
    return found;
  }

  function expected(k) {
    const list = [];
    for (let j = k * data.expected; ranks[k] > 0 && j < (k + 1) * data.expected; j++) {
      list.push([data.answers[likeliest[j]], probabilities[j]]);
    }
    return list;
  }

  function describe(k) {
    const list = document.createElement("ol");
    expected(k).forEach(([answer, probability], place) => {
      const item = isolated("li", answer, element("span", `${fixed(100 * probability, 1)} %`));
      item.style.setProperty("--share", `${100 * probability}%`);
      if (place + 1 === ranks[k]) item.className = "came";
      list.append(item);
    });
    details.replaceChildren(isolated("h3", called(k)), ...lines(k).map(line => element("div", line)), list);
  }

  function choose(k) {
    tokens[at].classList.remove("at");
    at = Math.max(0, Math.min(N - 1, k));
    tokens[at].classList.add("at");
    time.value = at;
    describe(at);
    draw();
  }

  // For screen readers, which do not see the panel change.
  function say() {
    const first = expected(at).slice(0, 3).map(([answer, probability]) => `${answer} ${fixed(100 * probability, 0)} %`);
    said.textContent = `${called(at)}. ${lines(at).join(". ")}. Expected: ${first.join(", ") || "nothing"}`;
  }

  function go(k) {
    choose(k);
    tokens[at].scrollIntoView({ block: "nearest" });
    say();
  }

  function colour() {
    tokens.forEach((token, k) => {
      let name = bySurprise[k];
      if (chosen !== null) {
        // By the root of the value, so that small ones are seen, too.
        const shade = chosen.read[k] ? Math.round(data.shades * Math.sqrt(Math.abs(step(k)) / data.steps)) : 0;
        name = name.replace(/s\d/, "") + (shade === 0 ? "" : step(k) > 0 ? ` p${shade}` : ` n${shade}`);
      }
      token.className = k === at ? `${name} at` : name;
    });
    get("of-surprise").hidden = chosen !== null;
    get("of-unit").hidden = get("over-time").hidden = unit.disabled = chosen === null;
    get("no-unit").hidden = chosen !== null;
    says.textContent = "";
    if (chosen === null) return;
    for (let shade = 1; shade <= data.shades; shade++) {
      const value = chosen.largest[u] * (shade / data.shades) ** 2;
      document.querySelector(`#of-unit .p${shade}`).textContent = fixed(value, 2);
      document.querySelector(`#of-unit .n${shade}`).textContent = fixed(-value, 2);
    }
    const P = data.properties.length, scores = [...chosen.scores.subarray(u * P, (u + 1) * P)];
    const best = scores.map((score, k) => [score, data.properties[k]]).sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]));
    says.textContent = `Unit ${u} of ${chosen.called}, by score: ` +
      best.slice(0, 3).map(([score, name]) => `${name} ${signed(score)}`).join(", ");
  }

  async function followAddress() {
    const [, key = "", number = 0] = /^#(\d+\.\w+):(\d+)$/.exec(location.hash) ?? [];
    chosen = get(`values-${key}`) === null ? null : await partOf(key);
    part.value = chosen === null ? "" : key;
    if (chosen !== null) {
      u = Math.min(Number(number), chosen.units - 1);
      unit.max = chosen.units - 1;
      unit.value = u;
    }
    colour();
    choose(at);
  }

  // A row for each unit of the chosen part, a column for each token around the chosen one.
  const COLUMN = 8;
  let first = 0, columns = 1, row = 2;
  function draw() {
    if (chosen === null) return;
    const style = getComputedStyle(document.documentElement), ratio = window.devicePixelRatio || 1;
    const [above, below] = ["--above", "--below"].map(name => style.getPropertyValue(name).trim().split(" ").map(Number));
    columns = Math.max(1, Math.min(N, Math.floor(get("over-time").clientWidth / COLUMN)));
    first = Math.max(0, Math.min(N - columns, at - Math.floor(columns / 2)));
    row = Math.max(1, Math.min(12, Math.round(600 / chosen.units)));
    const largest = chosen.largest.reduce((a, b) => Math.max(a, b), 0) || 1;
    const image = new ImageData(columns, chosen.units);
    for (let v = 0, place = 0; v < chosen.units; v++) {
      const scale = chosen.largest[v] / largest / data.steps;
      for (let k = first; k < first + columns; k++, place += 4) {
        const value = chosen.steps[v * N + k] * scale;
        image.data.set(value < 0 ? below : above, place);
        image.data[place + 3] = 255 * Math.sqrt(Math.abs(value));
      }
    }
    const small = document.createElement("canvas");
    [small.width, small.height] = [columns, chosen.units];
    small.getContext("2d").putImageData(image, 0, 0);
    [map.width, map.height] = [columns * COLUMN * ratio, chosen.units * row * ratio];
    [map.style.width, map.style.height] = [`${columns * COLUMN}px`, `${chosen.units * row}px`];
    const canvas = map.getContext("2d");
    canvas.imageSmoothingEnabled = false;
    canvas.drawImage(small, 0, 0, map.width, map.height);
    canvas.scale(ratio, ratio);
    canvas.strokeStyle = style.getPropertyValue("--ink");
    canvas.strokeRect((at - first) * COLUMN, 0, COLUMN, chosen.units * row);
    canvas.strokeRect(0, u * row, columns * COLUMN, row);
    map.setAttribute("aria-label",
      `${chosen.called}: unit ${u} of ${chosen.units}, token ${at + 1}, of tokens ${first + 1} to ${first + columns}`);
  }

  const colourBy = (key, number) => { location.hash = key === "" ? "#" : `#${key}:${number}`; };
  const within = number => Math.max(0, Math.min(chosen.units - 1, number));
  const isPlain = event => !event.ctrlKey && !event.altKey && !event.metaKey;
  text.addEventListener("pointerover", event => { if (event.target.k !== undefined) describe(event.target.k); });
  text.addEventListener("pointerleave", () => describe(at));
  text.addEventListener("click", event => { if (event.target.k !== undefined) { choose(event.target.k); say(); } });
  text.addEventListener("keydown", event => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -20, ArrowDown: 20, PageUp: -200, PageDown: 200, Home: -N, End: N };
    if (!isPlain(event) || moves[event.key] === undefined) return;
    event.preventDefault();
    go(at + moves[event.key]);
  });
  get("before").addEventListener("click", () => go(at - 1));
  get("after").addEventListener("click", () => go(at + 1));
  part.addEventListener("change", () => colourBy(part.value, u));
  unit.addEventListener("input", () => { if (unit.checkValidity()) colourBy(part.value, unit.valueAsNumber); });
  time.addEventListener("input", () => choose(time.valueAsNumber));
  map.addEventListener("click", event => {
    choose(first + Math.min(columns - 1, Math.floor(event.offsetX / COLUMN)));
    colourBy(part.value, within(Math.floor(event.offsetY / row)));
  });
  map.addEventListener("keydown", event => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!isPlain(event) || moves[event.key] === undefined) return;
    event.preventDefault();
    const [tokensOn, unitsOn] = moves[event.key];
    if (tokensOn !== 0) go(at + tokensOn);
    else colourBy(part.value, within(u + unitsOn));
  });
  get("units").addEventListener("click", event => { if (event.target.closest("a")) get("reading").scrollIntoView(); });
  addEventListener("hashchange", async () => { await followAddress(); said.textContent = says.textContent; });
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  await followAddress();
})();
