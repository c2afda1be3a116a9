"use strict";
// The network, from its weights to the probabilities of the next token. Equations and names are those of
// docs/mathematics.md and of rnnlm/nn. A state is never changed, only followed by another, so it can be kept.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const ACTIVATIONS = { tanh: Math.tanh, relu: (x) => Math.max(x, 0), linear: (x) => x };

/** A matrix whose rows lie one after another in `values`, or a vector: a matrix of one column. */
class Matrix {
  constructor(values, [rows, columns = 1]) {
    Object.assign(this, { values, rows, columns });
  }

  row(number) {
    return this.values.subarray(number * this.columns, (number + 1) * this.columns);
  }

  /** Add some of its rows, times x, to `sums`, which has an element for each of them. */
  addProduct(x, sums, firstRow = 0) {
    const { values, columns } = this, rows = sums.length;
    let row = 0, k = firstRow * columns;
    for (; row + 3 < rows; row += 4, k += 4 * columns) { // four rows at a time: x is read once for all of them
      const k1 = k + columns, k2 = k1 + columns, k3 = k2 + columns;
      let a = 0, b = 0, c = 0, d = 0;
      for (let j = 0; j < columns; j++) {
        const each = x[j];
        a += values[k + j] * each;
        b += values[k1 + j] * each;
        c += values[k2 + j] * each;
        d += values[k3 + j] * each;
      }
      sums[row] += a;
      sums[row + 1] += b;
      sums[row + 2] += c;
      sums[row + 3] += d;
    }
    for (; row < rows; row++, k += columns) {
      for (let j = 0; j < columns; j++) sums[row] += values[k + j] * x[j];
    }
  }
}

/** Return W x + b; without b where there is none. */
function affine(W, x, b) {
  const y = b ? Float64Array.from(b.values) : new Float64Array(W.rows);
  W.addProduct(x, y);
  return y;
}

/** Turn logits into log-probabilities. */
function logSoftmax(logits) {
  let largest = -Infinity, sum = 0;
  for (const logit of logits) largest = Math.max(largest, logit);
  for (const logit of logits) sum += Math.exp(logit - largest);
  const log = largest + Math.log(sum);
  return logits.map((logit) => logit - log);
}

/** Take a step of a recurrent layer, from the state [h] or [h, c] to the next; x is U x already without `weight_ih`. */
function recurrentStep(layer, x, [h, c]) {
  const { cell, units: H, weights } = layer;
  const a = weights.weight_ih ? affine(weights.weight_ih, x, weights.bias_ih) : Float64Array.from(x);
  if (!weights.weight_ih && weights.bias_ih) weights.bias_ih.values.forEach((bias, k) => (a[k] += bias));
  const r = affine(weights.weight_hh, h, weights.bias_hh);
  const nextH = new Float64Array(H);
  if (cell === "rnn") return [nextH.map((_, k) => ACTIVATIONS[layer.nonlinearity](a[k] + r[k]))];
  if (cell === "gru") {
    for (let k = 0; k < H; k++) {
      const reset = sigmoid(a[k] + r[k]), z = sigmoid(a[H + k] + r[H + k]);
      const n = Math.tanh(a[2 * H + k] + reset * r[2 * H + k]);
      nextH[k] = (1 - z) * n + z * h[k];
    }
    return [nextH];
  }
  for (let k = 0; k < a.length; k++) a[k] += r[k];
  const order = cell === "lstm" || cell === "lstm_peephole" ? "ifgo" : "igo";
  const [atI, atF, atG, atO] = [..."ifgo"].map((gate) => order.indexOf(gate) * H);
  const [pI, pF, pO] = [..."ifo"].map((gate) => weights[`peephole_${gate}`]?.values);
  const nextC = new Float64Array(H);
  for (let k = 0; k < H; k++) {
    const i = sigmoid(a[atI + k] + (pI ? pI[k] * c[k] : 0));
    let f = 1;
    if (cell === "lstm_coupled") f = 1 - i;
    else if (cell !== "lstm_no_forget") f = sigmoid(a[atF + k] + (pF ? pF[k] * c[k] : 0));
    nextC[k] = f * c[k] + i * Math.tanh(a[atG + k]);
    nextH[k] = sigmoid(a[atO + k] + (pO ? pO[k] * nextC[k] : 0)) * Math.tanh(nextC[k]);
  }
  return [nextH, nextC];
}

/** Take a step of a time-delay layer: return its output and its last inputs, the oldest first. */
function timeDelayStep(layer, x, before) {
  const { units: H, weights } = layer;
  const y = weights.bias ? Float64Array.from(weights.bias.values) : new Float64Array(H);
  const seen = [...before, x];
  seen.forEach((input, k) => {
    if (weights.weight) weights.weight.addProduct(input, y, k * H);
    else for (let j = 0; j < H; j++) y[j] += input[k * H + j]; // looked up: multiplied with all W_k already
  });
  return [y.map(ACTIVATIONS[layer.nonlinearity]), seen.slice(1)];
}

/** Reads token ids one after another and says what may follow. */
class Network {
  constructor({ embedding, layers, head }) {
    Object.assign(this, { embedding, layers, head });
  }

  /** The state before the first token, of each layer. */
  zeroState() {
    return this.layers.map((layer, number) => {
      if (layer.cell !== "time_delay") {
        return Array.from({ length: layer.cell.startsWith("lstm") ? 2 : 1 }, () => new Float64Array(layer.units));
      }
      const size = number === 0 ? this.embedding.columns : layer.weights.weight.columns;
      return Array.from({ length: layer.width - 1 }, () => new Float64Array(size));
    });
  }

  /** Read a token; return the state after it and what the head reads of it. */
  step(id, before) {
    let x = this.embedding.row(id);
    const state = this.layers.map((layer, number) => {
      let y, after;
      if (layer.cell === "time_delay") [y, after] = timeDelayStep(layer, x, before[number]);
      else [y] = after = recurrentStep(layer, x, before[number]);
      x = layer.residual ? y.map((each, k) => each + x[k]) : y;
      return after;
    });
    return { state, hidden: x };
  }

  /** The log-probabilities of all tokens, given what a step returned as `hidden`. */
  logProbs(hidden) {
    const { weights, cutoffs } = this.head;
    if (!cutoffs) return logSoftmax(affine(weights.weight, hidden, weights.bias));
    // The adaptive softmax: frequent words and clusters first, then the words of each cluster.
    const first = logSoftmax(affine(weights["head.weight"], hidden, weights["head.bias"])), frequent = cutoffs[0];
    const all = [...first.subarray(0, frequent)];
    for (let k = 0; k + 1 < cutoffs.length; k++) {
      const features = affine(weights[`tail.${k}.0.weight`], hidden);
      const within = logSoftmax(affine(weights[`tail.${k}.1.weight`], features));
      for (const each of within) all.push(each + first[frequent + k]);
    }
    return Float64Array.from(all);
  }
}

/** The numbers that the bits of half-precision ones stand for. */
function halves() {
  return Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    return bits >> 15 ? -size : size;
  });
}

/** Return the matrix that a place in the weights describes; see `Packed` in rnnlm/exchange/precision.py. */
function matrixAt(bytes, { offset, shape, precision }) {
  const [rows, columns = 1] = shape, size = rows * columns;
  // A copy begins where numbers of several bytes may begin.
  const numbers = (Type, from, length) => new Type(bytes.slice(from, from + length * Type.BYTES_PER_ELEMENT).buffer);
  if (precision === "float32") return new Matrix(numbers(Float32Array, offset, size), shape);
  const values = new Float32Array(size);
  if (precision === "float16") {
    const table = halves(), packed = numbers(Uint16Array, offset, size);
    for (let k = 0; k < size; k++) values[k] = table[packed[k]];
  } else {
    const scales = numbers(Float32Array, offset, rows), levels = numbers(Int8Array, offset + 4 * rows, size);
    for (let k = 0; k < size; k++) values[k] = levels[k] * scales[Math.floor(k / columns)];
  }
  return new Matrix(values, shape);
}

/** Make the network of a page: `base64` holds the weights, `description` says where each of them is. */
function networkOf(description, base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  const made = new Map(); // tied weights are one matrix
  const filled = (part) => {
    if (part?.offset === undefined) {
      if (Array.isArray(part)) return part.map(filled);
      return part && typeof part === "object"
        ? Object.fromEntries(Object.entries(part).map(([name, each]) => [name, filled(each)]))
        : part;
    }
    if (!made.has(part.offset)) made.set(part.offset, matrixAt(bytes, part));
    return made.get(part.offset);
  };
  return new Network(filled(description));
}
