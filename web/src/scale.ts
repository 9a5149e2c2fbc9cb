/* Where the lines of a chart's grid go. Pure. */

/* Round values between lo and hi, about `most` of them, in steps of 1, 2 or 5 times ten. */
export function ticks(lo: number, hi: number, most: number): number[] {
  const rough = (hi - lo) / Math.max(1, most);
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * ten).find((s) => s >= rough * 0.999) ?? 10 * ten;
  const out: number[] = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; k++) out.push(k * step || 0);
  return out;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const STEPS = [
  ...[5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  DAY,
  2 * DAY,
  7 * DAY,
];

export interface Times {
  step: number;
  at: number[];
}

/* Round moments of the wall clock between two, at most about `most` of them, all in ms. `zone` says
 * how far the reader's clock is ahead of the world's at a moment: a day begins at their midnight, on
 * both sides of a change to summer time. */
export function times(from: number, to: number, most: number, zone = (_: number) => 0): Times {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? 7 * DAY;
  const at: number[] = [];
  for (let k = Math.ceil((from + zone(from)) / step); ; k++) {
    const local = k * step;
    const t = local - zone(local - zone(from));
    if (t > to) return { step, at };
    if (t >= from) at.push(t);
  }
}

/* The index of the value nearest to x in an ascending list; -1 when it is empty. */
export function nearest(xs: readonly number[], x: number): number {
  let lo = 0;
  let hi = xs.length - 1;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if ((xs[mid] ?? 0) < x) lo = mid + 1;
    else hi = mid;
  }
  const before = xs[lo - 1];
  const here = xs[lo];
  if (before !== undefined && here !== undefined && x - before < here - x) return lo - 1;
  return hi < 0 ? -1 : lo;
}
