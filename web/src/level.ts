/* Whether a value is a reason to act, and where it is going. Pure. */

import type { Metric } from "./wire";

export type Level = "high" | "low" | "critical";

/* Thresholds are the sensor's own. A critical one below the warning is for what must not fall. */
export function levelOf(m: Pick<Metric, "warn" | "crit">, v: number): Level | null {
  const { warn, crit } = m;
  const falls = warn !== undefined && crit !== undefined && crit < warn;
  const past = (limit: number | undefined) =>
    limit !== undefined && (falls ? v <= limit : v >= limit);
  if (past(crit)) return "critical";
  return past(warn) ? (falls ? "low" : "high") : null;
}

const RECENT = 15; // values that are compared with
const BEFORE = 45; // those before them
const LEAST = 10; // of each, to say anything

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;

/* 1 rising, -1 falling, 0 neither: the recent mean against the one before, where they are further
 * apart than a tenth of the scale and than what the values jitter by themselves. */
export function trendOf(column: readonly (number | null)[], scale: number): -1 | 0 | 1 {
  const seen = column.slice(-RECENT - BEFORE).filter((v): v is number => v !== null);
  const [before, recent] = [seen.slice(0, -RECENT), seen.slice(-RECENT)];
  if (before.length < LEAST || recent.length < LEAST) return 0;
  const was = mean(before);
  const jitter = Math.sqrt(mean(before.map((v) => (v - was) ** 2)));
  const moved = mean(recent) - was;
  if (Math.abs(moved) < Math.max(jitter, Math.abs(scale) / 10)) return 0;
  return moved > 0 ? 1 : -1;
}
