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

/* Whole minutes of the wall clock inside a window that ends at `wallEnd`, all in ms; every
 * second or fifth only when there is room for no more than `most`. */
export function minutes(wallEnd: number, window: number, most: number): number[] {
  const every = [1, 2, 5].find((k) => window / (k * 60_000) <= most) ?? 10;
  const step = every * 60_000;
  const out: number[] = [];
  for (let t = Math.ceil((wallEnd - window) / step) * step; t <= wallEnd; t += step) out.push(t);
  return out;
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
