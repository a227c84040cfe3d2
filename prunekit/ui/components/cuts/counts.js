// From a cut to counts, on the client: the same rules as prunekit/core/cuts.py and cut_table.py, so that what moves
// under the hand is what the server says a moment later. Exact for rows that came with all their scores.

const exactCount = (fraction, units) => Math.min(units, Math.floor(fraction * units + 0.5 + 1e-9));

// As erk_sparsities in cuts.py, with the same operations in the same order.
function erkSparsities(sparsity, units, sides) {
  const sum = (values, which) => which.reduce((total, i) => total + values[i], 0), all = units.map((_, i) => i);
  const keep = (1 - sparsity) * sum(units, all), whole = new Set();
  while (whole.size < units.length) {
    const rest = all.filter((i) => !whole.has(i));
    const scale = (keep - sum(units, [...whole])) / Math.max(sum(sides, rest), 1);
    const full = rest.filter((i) => scale * sides[i] >= units[i]);
    if (!full.length) return all.map((i) => (whole.has(i) ? 0 : 1 - (scale * sides[i]) / units[i]));
    full.forEach((i) => whole.add(i));
  }
  return all.map(() => 0);
}

// As LANES in cuts.py, and how many of a row with lines of so many neighbours go, as Cut._count.
const LANES = { "n:4": 4, "n:8": 8 };

function ownCount(scope, sparsity, units, lane) {
  const group = LANES[scope];
  if (!group || !units) return exactCount(sparsity, units);
  const stay = group - exactCount(sparsity, group), rest = lane % group;
  return Math.floor(units / lane) * (((lane - rest) / group) * (group - stay) + Math.max(0, rest - stay));
}

// As Cut.bounded: of a row that is cut a multiple stays, and a few at least.
function bounded({ round_to: multiple, floor }, pruned, units) {
  if (!pruned || (multiple === 1 && floor === 1)) return pruned;
  let kept = units - pruned;
  if (multiple > 1) kept = Math.max(Math.floor((2 * kept + multiple) / (2 * multiple)), 1) * multiple;
  if (floor > 1) kept = Math.max(kept, Math.ceil(floor / multiple) * multiple);
  return Math.max(units - kept, 0);
}

const roundHalfEven = (x) => {
  const floor = Math.floor(x), rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
};

// The first index whose value is not below (or, with `after`, is above) `wanted`.
function search(values, wanted, after = false) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (after ? values[middle] <= wanted : values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Scores {
  // edges: Float32Array, ascending; all `units` scores, or some of them at evenly spaced ranks.
  constructor(edges, units) {
    this.edges = edges;
    this.units = units;
    this.exact = edges.length === units;
    this.step = edges.length > 1 ? (units - 1) / (edges.length - 1) : 0;
  }

  rank(index) {
    return this.exact ? index : roundHalfEven(index * this.step);
  }

  // How many units score below a threshold, and how many at most.
  below(threshold) {
    const t = Math.fround(threshold), { edges, units, step } = this;
    const left = search(edges, t), right = search(edges, t, true);
    if (this.exact) return [left, right];
    if (right > left) return [roundHalfEven(left * step), roundHalfEven((right - 1) * step) + 1];
    if (left === 0) return [0, 0];
    if (left === edges.length) return [units, units];
    const share = (t - edges[left - 1]) / (edges[left] - edges[left - 1]);
    const between = roundHalfEven((left - 1 + share) * step);
    return [between, between];
  }

  // A score with `count` units below it: halfway between the last that goes and the first that stays.
  at(count) {
    const { edges, units } = this;
    if (!edges.length) return 0;
    if (count <= 0) return edges[0];
    if (count >= units) return edges[edges.length - 1] * (1 + 1e-6) + 1e-12;
    const position = this.exact ? count - 0.5 : (count - 0.5) / this.step;
    const floor = Math.min(Math.floor(position), edges.length - 1), next = Math.min(floor + 1, edges.length - 1);
    return edges[floor] + (edges[next] - edges[floor]) * (position - floor);
  }
}

class Ranking {
  // All scores of some rows in one order, and how many units each brings the count to.
  constructor(rows) {
    this.rows = rows;
    this.total = rows.reduce((sum, row) => sum + row.units, 0);
    const size = rows.reduce((sum, row) => sum + row.edges.length, 0);
    const scores = new Float32Array(size), weights = new Float64Array(size), order = new Uint32Array(size);
    let at = 0;
    for (const row of rows) {
      for (let i = 0, before = -1; i < row.edges.length; i++, at++) {
        const rank = row.rank(i);
        scores[at] = row.edges[i];
        weights[at] = rank - before;
        order[at] = at;
        before = rank;
      }
    }
    order.sort((a, b) => scores[a] - scores[b] || a - b);
    this.scores = scores.map((_, i) => scores[order[i]]);
    this.cumulative = new Float64Array(size);
    for (let i = 0, sum = 0; i < size; i++) this.cumulative[i] = sum += weights[order[i]];
  }

  // The score at which the `count` lowest end: one of the scores where all are known, found by halving between two of
  // them where some rows are known at evenly spaced ranks only.
  last(count) {
    const { rows, scores, cumulative } = this, at = search(cumulative, count);
    if (rows.every((row) => row.exact)) return scores[at];
    let low = at ? scores[at - 1] : scores[0], high = scores[at];
    for (let i = 0; i < 24; i++) {
      const middle = (low + high) / 2;
      if (rows.reduce((sum, row) => sum + row.below(middle)[0], 0) < count) low = middle;
      else high = middle;
    }
    return high;
  }

  // How many units of each row are among the `count` lowest of them all.
  lowest(count) {
    const { rows } = this;
    if (count <= 0) return rows.map(() => 0);
    if (count >= this.total) return rows.map((row) => row.units);
    const threshold = this.last(count);
    const bounds = rows.map((row) => row.below(threshold));
    let open = count - bounds.reduce((sum, [below]) => sum + below, 0);
    // Ties go in the network's order, as in the mask.
    const counts = bounds.map(([below, atMost]) => {
      const taken = Math.max(0, Math.min(open, atMost - below));
      open -= taken;
      return below + taken;
    });
    if (open) {
      let largest = 0;
      rows.forEach((row, i) => { if (row.units > rows[largest].units) largest = i; });
      counts[largest] = Math.max(0, Math.min(counts[largest] + open, rows[largest].units));
    }
    return counts;
  }

  // The common threshold of the `count` lowest: halfway between the last that goes and the first that stays.
  at(count) {
    const { scores, cumulative } = this;
    if (!scores.length) return 0;
    if (count <= 0) return scores[0];
    if (count >= this.total) return scores[scores.length - 1] * (1 + 1e-6) + 1e-12;
    if (!this.rows.every((row) => row.exact)) return this.last(count);
    const last = search(cumulative, count), first = cumulative[last] > count ? last : last + 1;
    return (scores[last] + scores[first]) / 2;
  }
}

class Counter {
  // rows: Scores, each with a name and its facts [kind, sides, lane]; rule: {scope, round_to, floor}; a cut is {sparsity,
  // overrides: {name: fraction}, locked: Set of names}.
  constructor(names, rows, facts, rule) {
    this.names = names;
    this.rows = rows;
    this.facts = facts;
    this.rule = rule;
    this.isBounded = rule.round_to > 1 || rule.floor > 1;
    this.rankings = new Map();
  }

  isFree(cut, name) {
    return !cut.locked.has(name) && !(name in cut.overrides);
  }

  free(cut) {
    return this.names.map((_, i) => i).filter((i) => this.isFree(cut, this.names[i]));
  }

  // The rows that are ranked together, and how many units of them go, as Cut.pools.
  pools(cut) {
    const free = this.free(cut), { scope } = this.rule, units = (i) => this.rows[i].units;
    if (scope === "erk") {
      const shares = erkSparsities(cut.sparsity, free.map(units), free.map((i) => this.facts[i][1]));
      return free.map((i, at) => [[i], exactCount(shares[at], units(i))]);
    }
    if (LANES[scope]) return free.map((i) => [[i], this.own(i, cut.sparsity)]);
    const alike = new Map();
    for (const i of free) {
      const pool = { global: 0, isomorphic: this.facts[i][0], layer: i }[scope];
      if (!alike.has(pool)) alike.set(pool, []);
      alike.get(pool).push(i);
    }
    return [...alike.values()].map((pool) => [pool, exactCount(cut.sparsity, pool.reduce((sum, i) => sum + units(i), 0))]);
  }

  // How many units of a row a sparsity of its own means.
  own(i, sparsity) {
    return ownCount(this.rule.scope, sparsity, this.rows[i].units, this.facts[i][2]);
  }

  ranking(free) {
    const key = free.join();
    if (!this.rankings.has(key)) {
      if (this.rankings.size > 99) this.rankings.clear();
      this.rankings.set(key, new Ranking(free.map((i) => this.rows[i])));
    }
    return this.rankings.get(key);
  }

  // Pruned units of each row.
  pruned(cut) {
    return this.bounded(this.asked(cut));
  }

  bounded(counts) {
    return counts.map((count, i) => bounded(this.rule, count, this.rows[i].units));
  }

  // The same before rounding and the floor.
  asked(cut) {
    const counts = this.rows.map((row, i) => {
      const name = this.names[i];
      if (cut.locked.has(name)) return 0;
      if (name in cut.overrides) return this.own(i, cut.overrides[name]);
      return 0;
    });
    for (const [pool, gone] of this.pools(cut)) {
      if (pool.length === 1) counts[pool[0]] = gone;
      else this.ranking(pool).lowest(gone).forEach((count, i) => { counts[pool[i]] = count; });
    }
    return counts;
  }

  // The score at which the rows that follow the whole net are cut (global scope), or null.
  threshold(cut) {
    const free = this.free(cut);
    if (this.rule.scope !== "global" || !free.length) return null;
    const ranking = this.ranking(free);
    return ranking.at(exactCount(cut.sparsity, ranking.total));
  }

  // The sparsity of the free rows when everything below a threshold goes.
  sparsityBelow(threshold, cut) {
    const free = this.free(cut), total = free.reduce((sum, i) => sum + this.rows[i].units, 0);
    return total ? free.reduce((sum, i) => sum + this.rows[i].below(threshold)[0], 0) / total : 0;
  }
}
