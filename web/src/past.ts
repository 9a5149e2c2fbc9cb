/* What the history view shows of the past: which stretch, in which steps, and as which files. Pure.
 * Times are ms of the reader's wall clock. */

import type { Past } from "./wire";

/* The stretches to choose from, in seconds, and the steps in which the board keeps each. */
export const RANGES: Readonly<Record<string, number>> = {
  "5m": 300,
  "1h": 3600,
  "24h": 86_400,
  "7d": 604_800,
};
const TIERS: readonly [range: number, step: number][] = [
  [300, 1],
  [3600, 10],
  [86_400, 120],
  [604_800, 900],
];

export type Column = readonly (number | null)[];

/* One metric: its mean at each place and, where the step holds several samples, their extremes. */
export interface Line {
  avg: Column;
  min?: Column | undefined;
  max?: Column | undefined;
}

export interface Stretch {
  range: string;
  from: number;
  to: number;
  zoomed: boolean;
}

/* The stretch that an address names; an impossible one is not there. */
export function stretchOf(search: string, now: number): Stretch {
  const params = new URLSearchParams(search);
  const named = params.get("range") ?? "";
  const range = named in RANGES ? named : "1h";
  const [from, to] = [Number(params.get("from")), Number(params.get("to"))];
  const zoomed = from > 0 && to > from;
  return zoomed
    ? { range, from, to, zoomed }
    : { range, from: now - RANGES[range]! * 1000, to: now, zoomed };
}

/* What to ask the board for: the finest steps that reach back far enough. */
export function questionOf(s: Stretch, now: number): { range_s: number; step_s: number } {
  const age = s.zoomed ? (now - s.from) / 1000 : RANGES[s.range]!;
  const tier = TIERS.find(([range]) => age <= range) ?? TIERS[TIERS.length - 1]!;
  return { range_s: tier[0], step_s: tier[1] };
}

/* A part of the stretch, never shorter than ten steps. */
export function zoom(s: Stretch, a: number, b: number, stepMs: number): [number, number] {
  const least = 10 * stepMs;
  const [from, to] = a < b ? [a, b] : [b, a];
  const middle = (from + to) / 2;
  if (to - from >= least) return [Math.round(from), Math.round(to)];
  const start = Math.max(s.from, middle - least / 2);
  return [Math.round(start), Math.round(start + least)];
}

export interface Cut {
  ts: number[];
  lines: Record<string, Line>;
}

/* What lies inside a stretch. skew: how far the board's wall clock is ahead of the reader's. */
export function cut(p: Past, from: number, to: number, skew: number): Cut {
  const t0 = p.t0 - skew;
  const first = Math.max(0, Math.ceil((from - t0) / p.step_ms));
  const end = Math.min(p.n, Math.floor((to - t0) / p.step_ms) + 1);
  const ts = Array.from({ length: Math.max(0, end - first) }, (_, i) => t0 + (first + i) * p.step_ms);
  const lines: Record<string, Line> = {};
  for (const id in p.values) {
    const { avg, min, max } = p.values[id]!;
    const part = (c: Column | undefined) => c?.slice(first, end);
    lines[id] = { avg: avg.slice(first, end), min: part(min), max: part(max) };
  }
  return { ts, lines };
}

const FIELDS = ["avg", "min", "max"] as const;

const columnsOf = (lines: Record<string, Line>): [string, Column][] =>
  Object.entries(lines).flatMap(([id, line]) =>
    FIELDS.flatMap((f): [string, Column][] => {
      const column = line[f];
      return column ? [[line.min ? `${id} ${f}` : id, column]] : [];
    }),
  );

/* RFC 4180; a hole is an empty field. No field begins as a formula does: ids are words. */
export function toCsv({ ts, lines }: Cut): string {
  const columns = columnsOf(lines);
  const head = ["time", ...columns.map(([name]) => name)].join(",");
  const rows = ts.map((t, i) =>
    [new Date(t).toISOString(), ...columns.map(([, c]) => c[i] ?? "")].join(","),
  );
  return [head, ...rows, ""].join("\r\n");
}

export const toJson = ({ ts, lines }: Cut): string =>
  JSON.stringify({ time: ts.map((t) => new Date(t).toISOString()), values: lines });
