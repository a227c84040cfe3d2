// The Explore page's picture: every layer with its histogram, the layer in focus, and the cut under the hand.
// Texts come from `data.words`, already in the visitor's language; nothing is ever put in as HTML.

const SEND_EVERY = 130; // ms between messages while a line is dragged
const MARGIN = { left: 46, right: 14, top: 14, bottom: 40 };
const ICONS = {
  open: "M6 10V7a4 4 0 0 1 7.5-2M5 10h10v8H5z",
  closed: "M6 10V7a4 4 0 0 1 8 0v3M5 10h10v8H5z",
  undo: "M7 5 3 9l4 4M3 9h8a5 5 0 0 1 0 9H8",
  redo: "m13 5 4 4-4 4M17 9H9a5 5 0 0 0 0 9h3",
  reset: "M4 4v5h5M4.6 9A6.5 6.5 0 1 1 4 13",
};

const boards = new WeakMap();
const replies = (globalThis.prunekitReplies ??= { latest: new Map(), heard: new EventTarget() });
// What undo and redo know of the rows of each model, also while another page or other rows are shown.
const steps = (globalThis.prunekitSteps ??= new Map());

function make(tag, className, parent, attributes = {}) {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 22");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const say = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };
const sameCut = (a, b) => {
  const names = Object.keys(a.overrides);
  return a.sparsity === b.sparsity && a.locked.size === b.locked.size && [...a.locked].every((name) => b.locked.has(name)) &&
    names.length === Object.keys(b.overrides).length && names.every((name) => a.overrides[name] === b.overrides[name]);
};
const whole = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

function percent(fraction) {
  let value = Math.round(fraction * 1000) / 10;
  if (fraction > 0 && fraction < 1) value = Math.min(99.9, Math.max(0.1, value));
  return value === 0 || value === 100 ? `${value}` : value.toFixed(1);
}

function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

class Board {
  constructor(root, data, emit) {
    this.root = root;
    this.emit = emit;
    this.revision = -1;
    this.seq = this.born = Date.now(); // larger than any number of an earlier life of this page
    this.told = null; // the cut and the focus as the server last said them
    this.settled = true;
    this.sentAt = 0;
    this.cut = { sparsity: 0, overrides: {}, locked: new Set() };
    this.measured = 0;
    this.onReply = (event) => this.hear(event.detail);
    replies.heard.addEventListener("reply", this.onReply);
    this.onKey = (event) => this.press(event);
    addEventListener("keydown", this.onKey);
    this.resized = new ResizeObserver(() => this.prepare());
    this.resized.observe(root);
    // Colours come from the theme; a transition on one of them tells when the theme has changed.
    root.addEventListener("transitionend", (event) => event.target === root && this.prepare());
    this.show(data);
  }

  close() {
    replies.heard.removeEventListener("reply", this.onReply);
    removeEventListener("keydown", this.onKey);
    this.resized.disconnect();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.preparing);
  }

  // -- what is shown -------------------------------------------------------------------------------------------

  show(data) {
    if (this.data?.board === data.board) return;
    // Another criterion, scope or view has the same rows: a cut of before still means something there.
    const rowsOf = (board) => JSON.stringify(board && [board.model, board.rows.map((row) => [row.name, row.units])]);
    const rows = rowsOf(data);
    if (rowsOf(this.data) !== rows) {
      if (!steps.has(rows)) steps.set(rows, { past: [], future: [] });
      this.steps = steps.get(rows);
      this.told = null;
      // Until the server has said where the cut is: a move would start from a cut that is none.
      this.root.inert = true;
    }
    // Should the board of before come back, what was last said of it is old.
    if (this.data) replies.latest.delete(this.data.board);
    const focus = this.rows?.[this.focus].name;
    this.fresh = true;
    this.data = data;
    this.words = data.words;
    this.rows = data.rows.map((row) => ({
      ...row,
      scores: new Scores(decode(row.edges), row.units),
      hist: { low: row.low, high: row.high, log: row.log, bars: joined(row.counts) },
    }));
    const all = (name) => this.rows.map((row) => row[name]);
    this.counter = new Counter(all("name"), all("scores"), all("facts"), data);
    this.total = this.rows.reduce((sum, row) => sum + row.units, 0);
    this.exact = this.typed = null;
    this.focus = Math.max(0, this.rows.findIndex((row) => row.name === focus));
    this.build();
    const reply = replies.latest.get(data.board);
    if (reply) this.hear(reply);
    this.prepare();
  }

  hear(reply) {
    if (reply.board !== this.data.board) return;
    const { sparsity, overrides, locked } = reply.cut, { told } = this, own = reply.seq === this.seq;
    const theirs = { sparsity, overrides: { ...overrides }, locked: new Set(locked) };
    const elsewhere = reply.revision !== this.revision, news = elsewhere || this.fresh;
    // The hand may have moved while this was on its way, and the server does not hear what comes from an older revision
    // or from the board before: the move is put onto what it says now, and told once more.
    const late = told && news && !own, moved = late && !sameCut(told.cut, this.cut);
    const looked = late && told.focus !== this.rows[this.focus].name;
    if (news || this.seq === this.born) {
      const cut = moved ? this.rebased(told.cut, theirs) : theirs;
      if (told && elsewhere && !own && !sameCut(cut, this.cut)) this.remember();
      this.revision = reply.revision;
      this.cut = cut;
      const focus = this.rows.findIndex((row) => row.name === reply.focus);
      if (!looked && focus >= 0 && focus !== this.focus) this.look(focus, false);
      if (!own && !moved) this.typed = null;
      this.exact = moved ? null : reply.kept;
    } else if (own) this.exact = reply.kept;
    this.told = { cut: theirs, focus: reply.focus };
    this.fresh = this.root.inert = false;
    if (moved || looked) this.send(this.settled, moved ? this.typed : null);
    this.paint();
  }

  // What the hand has moved since the cut `before`, on top of another cut.
  rebased(before, onto) {
    const { cut } = this, overrides = { ...onto.overrides }, locked = new Set(onto.locked);
    for (const { name } of this.rows) {
      if (cut.overrides[name] !== before.overrides[name]) {
        if (name in cut.overrides) overrides[name] = cut.overrides[name];
        else delete overrides[name];
      }
      if (cut.locked.has(name) !== before.locked.has(name)) locked[cut.locked.has(name) ? "add" : "delete"](name);
    }
    return { sparsity: cut.sparsity === before.sparsity ? onto.sparsity : cut.sparsity, overrides, locked };
  }

  build() {
    const { words } = this;
    this.focusState = null;
    this.root.replaceChildren();
    this.buildNet();
    const board = make("div", "board", this.root);
    this.list = make("div", "rows", board, { role: "group", "aria-label": words.layers });
    // Few rows are drawn taller, many scroll.
    this.list.style.setProperty("--strip", `${Math.max(36, Math.min(144, Math.floor(490 / this.rows.length) - 16))}px`);
    this.rows.forEach((row, i) => this.buildRow(row, i));
    this.scrolled = 0;
    this.list.addEventListener("scroll", () => {
      this.scrolled = this.list.scrollTop;
      this.paint();
    }, { passive: true });
    this.buildFocus(make("section", "focus", board));
    this.look(this.focus, false);
  }

  buildNet() {
    const { words } = this;
    const net = make("div", "net", this.root);
    const entry = make("label", "entry", net);
    make("span", "", entry).textContent = words.prune;
    this.netPercent = make("input", "number", entry, { inputmode: "decimal", "aria-label": words.net_percent });
    this.netOf = make("span", "", entry);
    this.netSlider = make("input", "slider", net, { type: "range", min: 0, max: 1000, step: 1, "aria-label": words.net });
    this.netReadout = make("output", "readout", net);
    const scored = make("label", "entry", net);
    make("span", "", scored).textContent = words.threshold;
    this.netScore = make("input", "number score", scored, { inputmode: "decimal", "aria-label": words.net_threshold });
    scored.hidden = this.data.scope !== "global";
    const tools = make("div", "tools", net);
    this.undoButton = this.tool(tools, "undo", words.undo, () => this.travel(this.steps.past, this.steps.future));
    this.redoButton = this.tool(tools, "redo", words.redo, () => this.travel(this.steps.future, this.steps.past));
    this.undoButton.title += " (Ctrl+Z)";
    this.redoButton.title += " (Ctrl+Shift+Z)";
    this.tool(tools, "reset", words.reset, () => {
      this.change({ ...this.cut, overrides: {}, locked: new Set() });
      this.send(true);
    });
    this.sliding(this.netSlider, (share) => this.change({ ...this.cut, sparsity: share }, false));
    this.typing(this.netPercent, (value) => {
      if (value < 0 || value > 100) return false;
      this.change({ ...this.cut, sparsity: value / 100 });
      this.send(true);
      return true;
    });
    this.typing(this.netScore, (value) => {
      this.change({ ...this.cut, sparsity: this.counter.sparsityBelow(value, this.cut) });
      this.typed = { row: "", value };
      this.send(true, this.typed);
      return true;
    });
  }

  tool(parent, name, label, act) {
    const button = make("button", "tool", parent, { type: "button", "aria-label": label, title: label });
    button.append(icon(name));
    button.addEventListener("click", act);
    return button;
  }

  buildRow(row, i) {
    const { words } = this;
    const element = make("div", "row", this.list);
    const pick = make("button", "pick", element, { type: "button" });
    const title = make("span", "title", pick);
    make("strong", "", title).textContent = row.label;
    make("small", "", title).textContent = say(words.row, { kind: row.kind, units: whole(row.units) });
    const canvas = make("canvas", "strip", pick);
    const kept = make("span", "kept", pick);
    const share = make("span", "share", kept);
    const bar = make("i", "", make("span", "bar", kept));
    const count = make("small", "", kept);
    const lock = this.tool(element, "open", words.lock, () => this.toggleLock(i));
    lock.classList.add("lock");
    const own = make("button", "own", element, { type: "button", title: words.follow });
    own.textContent = words.own_short;
    own.addEventListener("click", () => this.release(i));
    pick.addEventListener("click", () => this.look(i, true));
    pick.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || !this.rows[i + step]) return;
      event.preventDefault();
      this.look(i + step, true);
      this.rows[i + step].parts.pick.focus();
    });
    row.parts = { element, pick, canvas, share, bar, count, lock, own };
  }

  buildFocus(panel) {
    const { words } = this;
    const head = make("header", "", panel);
    const title = make("div", "title", head);
    this.focusName = make("h3", "", title);
    this.focusKind = make("span", "kind", title);
    const state = make("div", "state", head);
    this.focusFollow = make("button", "text", state, { type: "button" });
    this.focusFollow.textContent = words.follow;
    this.focusFollow.addEventListener("click", () => this.release(this.focus));
    this.focusLock = make("button", "text", state, { type: "button" });
    this.focusLock.addEventListener("click", () => this.toggleLock(this.focus));
    this.note = make("div", "note", panel);
    this.plot = make("div", "plot", panel);
    this.canvas = make("canvas", "", this.plot);
    this.handle = make("div", "handle", this.plot, { role: "slider", tabindex: 0, "aria-valuemin": 0 });
    make("span", "grip", this.handle);
    this.tip = make("div", "tip", this.plot);
    const foot = make("footer", "", panel);
    const entry = make("label", "entry", foot);
    make("span", "", entry).textContent = words.cut_row;
    this.rowPercent = make("input", "number", entry, { inputmode: "decimal", "aria-label": words.row_percent });
    make("span", "", entry).textContent = words.of_row;
    const scored = make("label", "entry", foot);
    make("span", "", scored).textContent = words.at_score;
    this.rowScore = make("input", "number score", scored, { inputmode: "decimal", "aria-label": words.row_threshold });
    this.rowSlider = make("input", "slider", foot, { type: "range", min: 0, max: 1000, step: 1, "aria-label": words.row_cut });
    this.rowReadout = make("output", "readout", foot);
    this.sliding(this.rowSlider, (share) => this.own(this.focus, share, false));
    this.typing(this.rowPercent, (value) => {
      if (value < 0 || value > 100) return false;
      this.own(this.focus, value / 100);
      this.send(true);
      return true;
    });
    this.typing(this.rowScore, (value) => {
      const row = this.rows[this.focus];
      this.own(this.focus, row.scores.below(value)[0] / row.units);
      this.typed = { row: row.name, value };
      this.send(true, this.typed);
      return true;
    });
    setText(this.note, this.data.lineless ? words.lineless : this.data.view_only ? words.view_only : "");
    this.dragging();
  }

  // A slider: `move(share)` while it is dragged; a whole drag is one step of undo, and so is each key.
  sliding(slider, move) {
    slider.addEventListener("pointerdown", () => this.remember());
    slider.addEventListener("keydown", (event) => /Arrow|Page|Home|End/.test(event.key) && this.remember());
    slider.addEventListener("input", () => {
      move(slider.value / 1000);
      this.send(false);
    });
    slider.addEventListener("change", () => this.send(true));
  }

  // A text field for a number: Enter or leaving it takes the value, nonsense and Escape bring the old one back.
  typing(field, take) {
    const done = () => {
      if (!field.dirty) return;
      field.dirty = false;
      const text = field.value.trim().replace(",", "."), value = Number(text);
      const fine = text !== "" && Number.isFinite(value) && take(value);
      field.toggleAttribute("data-wrong", !fine);
      if (!fine) setTimeout(() => field.removeAttribute("data-wrong"), 1200);
      this.paint();
    };
    field.addEventListener("input", () => { field.dirty = true; });
    field.addEventListener("focus", () => field.select());
    field.addEventListener("blur", done);
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      this.press(event);
      if (event.key === "Enter") { done(); field.select(); }
      if (event.key === "Escape") { field.dirty = false; this.paint(); }
    });
  }

  // -- the hand --------------------------------------------------------------------------------------------------

  dragging() {
    const threshold = (event) => {
      const value = this.axis.value(event.clientX - this.plot.getBoundingClientRect().left);
      return this.data.signed ? Math.abs(value) : value;
    };
    const move = (event) => {
      const row = this.rows[this.focus];
      this.pointer = threshold(event);
      this.own(this.focus, row.scores.below(this.pointer)[0] / row.units, false);
      this.send(false);
    };
    let before;
    this.plot.addEventListener("pointerdown", (event) => {
      if (event.button || this.handle.hidden || this.isLocked(this.focus)) return;
      before = { cut: this.cut, future: this.steps.future };
      this.remember();
      this.plot.setPointerCapture(event.pointerId);
      this.plot.classList.add("moving");
      this.tip.hidden = true;
      this.held = true;
      this.handle.focus({ preventScroll: true });
      event.preventDefault();
      move(event);
    });
    this.plot.addEventListener("pointermove", (event) => (this.held ? move(event) : this.tell(event)));
    const release = () => {
      if (!this.held) return;
      this.held = false;
      this.pointer = null;
      this.plot.classList.remove("moving");
      this.send(true);
      this.paint();
    };
    this.plot.addEventListener("pointerup", release);
    this.plot.addEventListener("pointercancel", () => {
      if (!this.held) return;
      // The browser takes the finger for one that scrolls: it has not touched the line.
      this.steps.past.pop();
      this.steps.future = before.future;
      this.change(before.cut, false);
      release();
    });
    this.plot.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.handle.addEventListener("keydown", (event) => {
      // In whole multiples, where what stays is rounded to some: less would be rounded back.
      const row = this.rows[this.focus], pruned = this.counts[this.focus], least = this.data.round_to;
      const step = Math.max(least, Math.round(row.units / 200)), page = Math.max(least, Math.round(row.units / 20));
      const to = {
        ArrowRight: pruned + step, ArrowUp: pruned + step, ArrowLeft: pruned - step, ArrowDown: pruned - step,
        PageUp: pruned + page, PageDown: pruned - page, Home: 0, End: row.units,
      }[event.key];
      if (to === undefined || this.isLocked(this.focus)) return;
      event.preventDefault();
      this.own(this.focus, Math.max(0, Math.min(row.units, to)) / row.units);
      this.send(true);
    });
  }

  // What is under the pointer.
  tell(event) {
    const { hist } = this.rows[this.focus], box = this.plot.getBoundingClientRect(), x = event.clientX - box.left;
    const i = hist.bars.findIndex((_, j) => x >= barEdge(hist, this.axis, j) && x < barEdge(hist, this.axis, j + 1));
    this.tip.hidden = i < 0 || !hist.bars[i];
    if (this.tip.hidden) return;
    const edge = (j) => hist.low + ((hist.high - hist.low) * j) / hist.bars.length;
    const value = (j) => scoreText(hist.log ? 10 ** edge(j) : edge(j));
    setText(this.tip, say(this.words.bin, { from: value(i), to: value(i + 1), units: whole(hist.bars[i]) }));
    this.tip.style.transform = `translate(${Math.max(50, Math.min(box.width - 60, x))}px, 0) translateX(-50%)`;
  }

  isLocked(i) {
    return this.cut.locked.has(this.rows[i].name);
  }

  own(i, fraction, remembered = true) {
    const locked = new Set(this.cut.locked);
    locked.delete(this.rows[i].name);
    this.change({ ...this.cut, locked, overrides: { ...this.cut.overrides, [this.rows[i].name]: fraction } }, remembered);
  }

  release(i) {
    const { [this.rows[i].name]: _, ...overrides } = this.cut.overrides;
    this.change({ ...this.cut, overrides });
    this.send(true);
  }

  toggleLock(i) {
    const { name } = this.rows[i], locked = new Set(this.cut.locked);
    if (!locked.delete(name)) locked.add(name);
    this.change({ ...this.cut, locked });
    this.send(true);
  }

  look(i, told) {
    this.rows[this.focus]?.parts.element.classList.remove("focused");
    this.focus = i;
    const { parts, label, kind, units } = this.rows[i];
    parts.element.classList.add("focused");
    this.rows.forEach((row, j) => {
      row.parts.pick.tabIndex = j === i ? 0 : -1;
      row.parts.pick.setAttribute("aria-pressed", j === i);
    });
    this.focusName.textContent = label;
    this.focusKind.textContent = say(this.words.focus, { kind, units: whole(units) });
    this.prepareFocus();
    this.paint();
    if (!told) return;
    this.seq += 1;
    this.send(true);
  }

  remember() {
    this.steps.past.push(this.cut);
    if (this.steps.past.length > 200) this.steps.past.shift();
    this.steps.future = [];
  }

  // Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y), wherever the focus is, but for text that has an undo of its own.
  press(event) {
    const key = event.key?.toLowerCase(), undo = key === "z" && !event.shiftKey, redo = key === "y" || (key === "z" && event.shiftKey);
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !(undo || redo) || event.defaultPrevented || this.held || !this.told) return;
    const at = event.composedPath()[0];
    const typing = at.isContentEditable || at.matches?.("textarea, input:not([type=range], [type=checkbox], [type=radio])");
    if (typing && (at.dirty || !at.matches(".number"))) return;
    event.preventDefault();
    if (undo) this.travel(this.steps.past, this.steps.future);
    else this.travel(this.steps.future, this.steps.past);
  }

  change(cut, remembered = true) {
    if (remembered) this.remember();
    this.cut = cut;
    this.exact = this.typed = null;
    this.seq += 1;
    this.paint();
  }

  travel(from, to) {
    while (from.length && sameCut(from.at(-1), this.cut)) from.pop(); // a click that moved nothing
    this.paint();
    if (!from.length) return;
    to.push(this.cut);
    const cut = from.pop();
    this.change(cut, false);
    this.send(true);
  }

  // The server hears at most eight times a second, and always of the last state.
  send(settled, threshold = null) {
    clearTimeout(this.timer);
    this.settled = settled;
    const go = () => {
      this.sentAt = performance.now();
      this.emit("cut", {
        sparsity: this.cut.sparsity,
        overrides: this.cut.overrides,
        locked: [...this.cut.locked],
        focus: this.rows[this.focus].name,
        revision: this.revision,
        seq: this.seq,
        board: this.data.board,
        settled,
        threshold,
      });
    };
    const wait = SEND_EVERY - (performance.now() - this.sentAt);
    if (settled || wait <= 0) go();
    else this.timer = setTimeout(go, wait);
  }

  // -- painting --------------------------------------------------------------------------------------------------

  prepare() {
    this.preparing ||= requestAnimationFrame(() => {
      this.preparing = 0;
      this.prepareRows();
      this.prepareFocus();
      this.paint();
    });
  }

  colours() {
    const style = getComputedStyle(this.root), read = (name) => style.getPropertyValue(name).trim();
    return {
      kept: read("--kept"), pruned: read("--pruned"), line: read("--line"), grid: read("--grid"),
      text: read("--quiet"), font: read("--st-font") || "sans-serif",
    };
  }

  // Rows of a global cut share one axis, so that the cut is one line through all of them; the layer in focus has its
  // own, so that the hand can be exact.
  axisOf(row, left, width, shared) {
    const common = shared && this.data.scope === "global" ? this.rows : [row];
    const log = common.filter((r) => r.hist.log).length * 2 > common.length;
    const inSpace = (r, end) => {
      const value = r.hist[end];
      if (r.hist.log === log) return value;
      return log ? Math.log10(Math.max(value, 1e-12)) : 10 ** value;
    };
    const low = Math.min(...common.map((r) => inSpace(r, "low"))), high = Math.max(...common.map((r) => inSpace(r, "high")));
    return new Axis(low, high, log, left, width);
  }

  prepareRows() {
    const ratio = devicePixelRatio || 1, colour = this.colours();
    this.ratio = ratio;
    this.colour = colour;
    this.seen = this.list.clientHeight;
    for (const row of this.rows) {
      const { canvas } = row.parts, width = canvas.clientWidth, height = canvas.clientHeight;
      if (!width) continue;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      row.width = width;
      row.height = height;
      row.top = row.parts.element.offsetTop;
      row.bottom = row.top + row.parts.element.offsetHeight;
      row.axis = this.axisOf(row, 2, width - 4, true);
      const paint = (fill) => painted(width, height, ratio, (g) => {
        g.fillStyle = colour.grid;
        g.fillRect(0, height - 1, width, 1);
        paintBars(g, row.hist, row.axis, height - 1, height - 5, fill, true);
      });
      row.pair = { kept: paint(colour.kept), pruned: paint(colour.pruned) };
      row.context = canvas.getContext("2d");
      row.drawn = undefined;
    }
  }

  prepareFocus() {
    const row = this.rows[this.focus], width = this.plot?.clientWidth, height = this.plot?.clientHeight;
    if (!width) return;
    const ratio = devicePixelRatio || 1, colour = this.colours();
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const axis = (this.axis = this.axisOf(row, MARGIN.left, width - MARGIN.left - MARGIN.right, false));
    const bottom = (this.bottom = height - MARGIN.bottom), tall = bottom - MARGIN.top, top = Math.max(1, ...row.hist.bars);
    const rug = !this.data.signed && !this.data.view_only && row.scores.exact && row.units <= 300 ? 9 : 0;
    const paint = (fill) => painted(width, height, ratio, (g) => {
      g.font = `12px ${colour.font}`;
      g.textBaseline = "middle";
      for (const at of niceSteps(0, top, 4).filter(Number.isInteger)) {
        const y = bottom - rug - (at / top) * (tall - rug);
        g.fillStyle = colour.grid;
        g.fillRect(MARGIN.left, Math.round(y) - 0.5, width - MARGIN.left - MARGIN.right, 1);
        g.fillStyle = colour.text;
        g.textAlign = "right";
        g.fillText(whole(at), MARGIN.left - 8, y);
      }
      paintBars(g, row.hist, axis, bottom - rug, tall - rug, fill);
      if (rug) paintUnits(g, row.scores.edges, axis, bottom - rug + 2, rug - 2, fill);
      g.textAlign = "center";
      let free = -Infinity;
      for (const { at, text } of axis.ticks()) {
        const x = axis.place(at), half = g.measureText(text).width / 2;
        g.fillStyle = colour.grid;
        g.fillRect(Math.round(x), bottom, 1, 4);
        if (x - half < free) continue;
        g.fillStyle = colour.text;
        g.fillText(text, x, bottom + 12);
        free = x + half + 8;
      }
      g.fillStyle = colour.text;
      g.fillText(axis.log ? this.words.log_axis : this.words.axis, MARGIN.left + axis.width / 2, bottom + 30);
    });
    this.pair = { kept: paint(colour.kept), pruned: paint(colour.pruned) };
    this.context = this.canvas.getContext("2d");
  }

  paint() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const start = performance.now();
      this.draw();
      // The benchmark reads these; the browser keeps them for ever, so they are swept now and then.
      if ((this.measured = (this.measured + 1) % 5000) === 0) performance.clearMeasures("prunekit-draw");
      performance.measure("prunekit-draw", { start, end: performance.now() });
    });
  }

  draw() {
    if (!this.colour || !this.told) return;
    const { cut, rows } = this;
    this.asked = this.counter.asked(cut);
    this.counts = this.counter.bounded(this.asked);
    // Rounded or with a floor, a row has a line of its own: it says what really goes.
    const net = this.counter.threshold(cut), common = this.counter.isBounded ? null : net;
    let keptInAll = 0;
    rows.forEach((row, i) => {
      const kept = this.exact ? this.exact[i] : Math.max(row.units - this.counts[i], Math.min(this.data.floor, row.units));
      keptInAll += kept;
      const locked = cut.locked.has(row.name), own = !locked && row.name in cut.overrides;
      row.kept = kept;
      row.least = kept > 0 && this.asked[i] >= row.units;
      row.line = locked || this.data.lineless ? null : own || common === null ? row.scores.at(this.counts[i]) : common;
      if (this.held && i === this.focus) row.line = this.pointer;
      if (this.typed?.row === row.name) row.line = this.typed.value;
      // Rows scrolled out of sight wait until they come back.
      if (row.top < this.scrolled + this.seen && row.bottom > this.scrolled) this.drawRow(row, locked, own);
    });
    this.drawNet(net, keptInAll);
    this.drawFocus();
  }

  drawRow(row, locked, own) {
    const { parts } = row;
    if (row.pair) {
      const x = row.line === null || this.data.view_only ? null : row.axis.x(row.line);
      if (row.drawn !== x) {
        row.drawn = x;
        this.blend(row.context, row.pair, row.axis, row.line, x, 1, row.height);
      }
    }
    if (row.shownKept === row.kept && row.shownState === locked + 2 * own) return;
    row.shownKept = row.kept;
    row.shownState = locked + 2 * own;
    const share = row.kept / row.units;
    parts.share.textContent = percent(share) + " %";
    parts.bar.style.transform = `scaleX(${share})`;
    parts.count.textContent = say(this.words.kept, { kept: whole(row.kept), units: whole(row.units) });
    parts.element.classList.toggle("locked", locked);
    parts.element.classList.toggle("own-cut", own);
    parts.element.classList.toggle("least", row.least && row.units > 1);
    parts.lock.setAttribute("aria-pressed", locked);
    parts.lock.firstChild.firstChild.setAttribute("d", ICONS[locked ? "closed" : "open"]);
    parts.pick.setAttribute("aria-label", `${row.label}: ${parts.count.textContent}`);
  }

  blend(g, pair, axis, value, x, top, bottom) {
    const { ratio, colour } = this;
    if (x === null) blend(g, pair, ratio, 0, 0, [], colour.line, top, bottom);
    else if (!this.data.signed) blend(g, pair, ratio, 0, x, [x], colour.line, top, bottom);
    else {
      const mirror = axis.x(-value);
      blend(g, pair, ratio, mirror, x, [mirror, x], colour.line, top, bottom);
    }
  }

  drawNet(net, kept) {
    const { cut, words } = this;
    const others = this.counter.free(cut).length, free = others > 0;
    setText(this.netOf, others === this.rows.length ? words.of_net : words.of_others);
    this.netSlider.disabled = this.netPercent.disabled = this.netScore.disabled = !free;
    const value = Math.round(cut.sparsity * 1000);
    if (Number(this.netSlider.value) !== value) this.netSlider.value = value;
    this.netSlider.style.setProperty("--done", `${value / 10}%`);
    this.field(this.netPercent, String(Number((cut.sparsity * 100).toFixed(2))));
    if (net !== null) this.field(this.netScore, this.typed?.row === "" ? String(this.typed.value) : scoreNumber(net));
    const sparsity = percent(1 - kept / this.total) + " %";
    const text = say(words.net_kept, { kept: whole(kept), units: whole(this.total), sparsity });
    setText(this.netReadout, text);
    this.netSlider.setAttribute("aria-valuetext", text);
    this.undoButton.disabled = !this.steps.past.length;
    this.redoButton.disabled = !this.steps.future.length;
  }

  drawFocus() {
    const row = this.rows[this.focus], { words, data } = this;
    const locked = this.isLocked(this.focus), own = !locked && row.name in this.cut.overrides;
    if (this.focusState !== locked + 2 * own) {
      this.focusState = locked + 2 * own;
      this.focusFollow.hidden = !own;
      setText(this.focusLock, locked ? words.unlock : words.lock);
      this.plot.classList.toggle("locked", locked);
    }
    this.handle.hidden = locked || data.view_only;
    this.rowPercent.disabled = this.rowScore.disabled = this.rowSlider.disabled = locked;
    this.rowScore.parentElement.hidden = data.lineless;
    const done = Math.round((1000 * this.counts[this.focus]) / row.units);
    if (Number(this.rowSlider.value) !== done && !this.rowSlider.matches(":active")) this.rowSlider.value = done;
    this.rowSlider.style.setProperty("--done", `${done / 10}%`);
    const pruned = row.units - row.kept;
    this.field(this.rowPercent, String(Number(((100 * this.counts[this.focus]) / row.units).toFixed(2))));
    this.field(
      this.rowScore,
      row.line === null ? "" : this.typed?.row === row.name ? String(this.typed.value) : scoreNumber(row.line),
    );
    const text = say(words[row.least ? (row.kept < row.units ? "row_least" : "row_held") : "row_kept"], { kept: whole(row.kept), units: whole(row.units), share: percent(row.kept / row.units) });
    setText(this.rowReadout, text);
    if (!this.pair) return;
    const x = row.line === null || data.view_only ? null : this.axis.x(row.line);
    this.blend(this.context, this.pair, this.axis, row.line, x, MARGIN.top - 6, this.bottom);
    if (x === null) return;
    this.handle.style.transform = `translateX(${x}px)`;
    this.handle.setAttribute("aria-label", say(words.handle, { layer: row.label }));
    this.handle.setAttribute("aria-valuemax", row.units);
    this.handle.setAttribute("aria-valuenow", pruned);
    this.handle.setAttribute("aria-valuetext", say(words.handle_text, { pruned: whole(pruned), units: whole(row.units), score: scoreText(row.line) }));
  }

  field(input, text) {
    if (!input.dirty && input.value !== text) input.value = text;
  }
}

// A score as it is typed: four digits, no superscripts.
const scoreNumber = (value) => String(Number(value.toPrecision(4)));

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".cuts");
  let board = boards.get(root);
  if (board) board.show(data);
  else boards.set(root, (board = new Board(root, data, setStateValue)));
  board.emit = setStateValue;
  return () => {
    board.close();
    boards.delete(root);
  };
}
