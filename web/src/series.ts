/* The last minutes of every metric. Pure: rows in, rows out.
 *
 * Rows are placed by the board's monotonic clock (`up`), so a jump of any wall clock moves
 * nothing. Nothing is invented: a value that is not there is a hole, and so is every stretch
 * without a row. */

import type { History, Whole } from "./wire";

export const WINDOW_MS = 300_000;
const SPANS_MS = [30_000, 60_000, 120_000];
const ROWS_MAX = 3000;
const OFFSETS = 5;

export interface Row {
  seq: number; // -1: from an earlier life of the server
  up: number;
  values: Record<string, number>;
}

export interface Series {
  epoch: string;
  fresh: boolean; // a new epoch of which nothing was seen yet
  rows: readonly Row[]; // ascending in up
  stepMs: number;
  offsets: readonly number[]; // page clock minus up, for the newest frames
}

export const emptySeries: Series = {
  epoch: "",
  fresh: true,
  rows: [],
  stepMs: 1000,
  offsets: [],
};

/* Page clock minus board clock: the smallest of the last few has the least delay in it. */
export const offsetOf = (s: Series): number => (s.offsets.length ? Math.min(...s.offsets) : 0);

const newest = (s: Series): Row | undefined => s.rows[s.rows.length - 1];

function trim(rows: Row[]): Row[] {
  const last = rows[rows.length - 1];
  if (!last) return rows;
  const from = rows.findIndex((r) => r.up >= last.up - WINDOW_MS);
  return rows.slice(Math.max(from, rows.length - ROWS_MAX));
}

export function beginEpoch(s: Series, epoch: string, stepMs: number): Series {
  return { ...s, epoch, stepMs, fresh: s.fresh || epoch !== s.epoch };
}

/* A new life of the server has a clock of its own: move what we have so that the distance in
 * time, as this page saw it, stays right. */
function adopt(s: Series, up: number, now: number): Series {
  const last = newest(s);
  if (!s.fresh) return s;
  const base = { ...s, fresh: false, offsets: [now - up] };
  if (!last) return base;
  const away = Math.max(s.stepMs, now - (last.up + offsetOf(s)));
  const shift = up - away - last.up;
  return { ...base, rows: s.rows.map((r) => ({ ...r, seq: -1, up: r.up + shift })) };
}

export interface Pushed {
  series: Series;
  missedSince: number | null; // ask history for what came after this seq
}

/* One live or replayed frame, received at `now` of the page clock. */
export function push(was: Series, f: Whole, now: number): Pushed {
  const s = adopt(was, f.up, now);
  const last = newest(s);
  if (last && (f.up <= last.up || f.seq <= last.seq)) return { series: s, missedSince: null };
  const rows = trim([...s.rows, { seq: f.seq, up: f.up, values: f.values }]);
  const offsets = [...s.offsets, now - f.up].slice(-OFFSETS);
  const missed = last && last.seq >= 0 && f.seq > last.seq + 1;
  return { series: { ...s, rows, offsets }, missedSince: missed ? last.seq : null };
}

function historyRow(h: History, i: number): Row {
  const values: Record<string, number> = {};
  for (const id in h.values) {
    const v = h.values[id]?.[i];
    if (v !== null && v !== undefined) values[id] = v;
  }
  return { seq: h.seq0 + i, up: h.up0 + i * h.step_ms, values };
}

/* Adds what the server remembers. What we saw ourselves wins; columns of a row that came in
 * several replies are joined. */
export function merge(was: Series, h: History, now: number): Series {
  if (!h.n) return was;
  const s = adopt(was, h.up0 + (h.n - 1) * h.step_ms, now);
  const own = new Map<number, Row>();
  for (const r of s.rows) if (r.seq >= 0) own.set(r.seq, r);
  for (let i = 0; i < h.n; i++) {
    const row = historyRow(h, i);
    const had = own.get(row.seq);
    own.set(row.seq, had ? { ...had, values: { ...row.values, ...had.values } } : row);
  }
  const present = [...own.values()].sort((a, b) => a.up - b.up);
  const first = present[0];
  const before = first ? s.rows.filter((r) => r.seq < 0 && r.up < first.up) : s.rows;
  return { ...s, rows: trim([...before, ...present]) };
}

export interface Value {
  v: number;
  up: number;
}

/* The newest known value of a metric, however old it is. */
export function lastValue(s: Series, id: string): Value | null {
  for (let i = s.rows.length - 1; i >= 0; i--) {
    const row = s.rows[i];
    const v = row?.values[id];
    if (row && v !== undefined) return { v, up: row.up };
  }
  return null;
}

/* The time axis that all charts share: up in ms, and a row or a hole for each place. */
export interface Axis {
  ups: number[];
  rows: (Row | null)[];
}

export function axisOf(s: Series): Axis {
  const ups: number[] = [];
  const rows: (Row | null)[] = [];
  let prev: Row | undefined;
  for (const row of s.rows) {
    if (prev && row.up - prev.up > 1.6 * s.stepMs) {
      ups.push((prev.up + row.up) / 2);
      rows.push(null);
    }
    ups.push(row.up);
    rows.push(row);
    prev = row;
  }
  return { ups, rows };
}

/* The left edge of the charts: half a minute at first, that what there is fills some of it. */
export function edgeOf(ups: readonly number[], until: number): number {
  const age = until - (ups[0] ?? until);
  return until - (SPANS_MS.find((s) => age <= s) ?? WINDOW_MS);
}

export const column = (a: Axis, id: string): (number | null)[] =>
  a.rows.map((r) => r?.values[id] ?? null);

/* The sum over those of the metrics that are there; a hole where none is. */
export const sumColumn = (a: Axis, ids: readonly string[]): (number | null)[] =>
  a.rows.map((r) => {
    let sum: number | null = null;
    for (const id of ids) {
      const v = r?.values[id];
      if (v !== undefined) sum = (sum ?? 0) + v;
    }
    return sum;
  });

/* The range of the value axis: the metric's own limits where it has them, else room around
 * what was seen, never so little that noise looks like an event. */
export function domain(
  unit: string,
  columns: readonly (readonly (number | null)[])[],
  min?: number,
  max?: number,
): [number, number] {
  let lo = Infinity;
  let hi = -Infinity;
  for (const c of columns)
    for (const v of c)
      if (v !== null) {
        lo = Math.min(lo, v);
        hi = Math.max(hi, v);
      }
  if (lo > hi) [lo, hi] = [0, 0];
  if (unit === "%") return [0, 100];
  if (unit === "°C" || unit === "V") {
    const room = Math.max((unit === "V" ? 0.2 : 8) - (hi - lo), (hi - lo) * 0.2) / 2;
    return [lo - room, hi + room];
  }
  const least = unit === "1" ? 1 : unit === "B/s" ? 1000 : 1;
  return [min ?? Math.min(0, lo), Math.max(max ?? 0, hi * 1.1, least)];
}
