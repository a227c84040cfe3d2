// Painting histograms so that a moving cut costs two image copies: each is painted once as kept and once as pruned,
// and a frame shows the one up to the line and the other beyond it.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const superscript = (n) => (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((d) => SUPERSCRIPTS[d]).join("");

// A score in three digits.
function scoreText(value) {
  if (!value) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e4) return String(Number(value.toPrecision(3)));
  const exponent = Math.floor(Math.log10(size));
  const mantissa = Number((value / 10 ** exponent).toPrecision(3));
  return (mantissa === 1 ? "" : mantissa + "·") + "10" + superscript(exponent);
}

class Axis {
  // low, high: the ends in the axis's own space (decades if `log`); x runs from `left` over `width` pixels.
  constructor(low, high, log, left, width) {
    const room = (high - low || Math.abs(high) || 1) * 0.02;
    Object.assign(this, { low: low - room, high: high + room, log, left, width });
    if (!log && low >= 0) this.low = Math.max(this.low, low === 0 ? 0 : this.low);
  }

  place(position) {
    const share = (position - this.low) / (this.high - this.low);
    return this.left + Math.max(0, Math.min(1, share)) * this.width;
  }

  x(value) {
    return this.place(this.log ? (value > 0 ? Math.log10(value) : -Infinity) : value);
  }

  value(x) {
    const position = this.low + ((x - this.left) / this.width) * (this.high - this.low);
    return this.log ? 10 ** position : position;
  }

  ticks() {
    const { low, high, log, width } = this, wanted = Math.max(2, width / 90), span = high - low;
    if (log && span > 1.2) {
      const step = Math.max(1, Math.round(span / wanted)), found = [];
      for (let d = Math.ceil(low); d <= high; d += step) found.push({ at: d, text: scoreText(10 ** d) });
      if (found.length > 1 || span > 2) return found;
    }
    if (log) {
      const found = [];
      for (let d = Math.floor(low); d <= high; d++)
        for (const m of [1, 2, 5]) {
          const at = d + Math.log10(m);
          if (at >= low && at <= high) found.push({ at, text: scoreText(m * 10 ** d) });
        }
      return found.length > 1 ? found : [low, (low + high) / 2, high].map((at) => ({ at, text: scoreText(10 ** at) }));
    }
    return niceSteps(low, high, wanted).map((at) => ({ at, text: scoreText(at) }));
  }
}

function niceSteps(low, high, wanted) {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power, found = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-9); i++) found.push(i * step);
  return found;
}

// A histogram's bins, joined by twos, threes... until there are no more than things in them: six channels in 96 bins
// are dust.
function joined(counts) {
  const units = counts.reduce((sum, count) => sum + count, 0);
  const width = [1, 2, 3, 4, 6, 8].find((w) => counts.length / w <= Math.max(12, units)) || 8;
  const sums = [];
  for (let i = 0; i < counts.length; i += width) {
    let sum = 0;
    for (let j = i; j < i + width && j < counts.length; j++) sum += counts[j];
    sums.push(sum);
  }
  return sums;
}

// hist: {low, high, log, bars}. Edges are in the histogram's space, the axis may have another one.
function barEdge(hist, axis, i) {
  const edge = hist.low + ((hist.high - hist.low) * i) / hist.bars.length;
  if (hist.log === axis.log) return axis.place(edge);
  return axis.x(hist.log ? 10 ** edge : edge);
}

// A `sketch` is small and has no scale at its side: roots keep its low bars visible, and no bar is a hair.
function paintBars(g, hist, axis, bottom, height, colour, sketch = false) {
  g.fillStyle = colour;
  const top = Math.max(1, ...hist.bars), gap = axis.width / hist.bars.length > 6 ? 1 : 0;
  hist.bars.forEach((count, i) => {
    if (!count) return;
    const from = barEdge(hist, axis, i), to = barEdge(hist, axis, i + 1), share = count / top;
    const h = Math.max(1.5, (sketch ? Math.sqrt(share) : share) * height);
    g.fillRect(from, bottom - h, Math.max(sketch ? 1.5 : 1, to - from - gap), h);
  });
}

// One tick for every unit: with few of them, the histogram shows who they are.
function paintUnits(g, scores, axis, top, height, colour) {
  g.fillStyle = colour;
  for (const score of scores) g.fillRect(axis.x(score) - 0.75, top, 1.5, height);
}

// A canvas of its own, painted once.
function painted(width, height, ratio, paint) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const g = canvas.getContext("2d");
  g.scale(ratio, ratio);
  paint(g);
  return canvas;
}

// Shows `pruned` between x = from and x = to, `kept` elsewhere, and a line at each end that `lines` names.
function blend(g, pair, ratio, from, to, lines, colour, top, bottom) {
  const { kept, pruned } = pair;
  const w = kept.width, h = kept.height;
  const a = Math.max(0, Math.min(w, Math.round(from * ratio))), b = Math.max(a, Math.min(w, Math.round(to * ratio)));
  g.clearRect(0, 0, w, h);
  if (a > 0) g.drawImage(kept, 0, 0, a, h, 0, 0, a, h);
  if (b > a) g.drawImage(pruned, a, 0, b - a, h, a, 0, b - a, h);
  if (b < w) g.drawImage(kept, b, 0, w - b, h, b, 0, w - b, h);
  g.fillStyle = colour;
  const thick = Math.max(1, Math.round(1.5 * ratio));
  for (const x of lines) g.fillRect(Math.round(x * ratio) - thick / 2, top * ratio, thick, (bottom - top) * ratio);
}
