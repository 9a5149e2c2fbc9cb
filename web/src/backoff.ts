/* When to try again: full jitter under an exponential cap. Pure. */

export const RETRY_MIN_MS = 500;
export const RETRY_MAX_MS = 20_000;
const FLOOR_MAX_MS = 300_000; // a server cannot send us away for longer

/* attempt counts failures in a row from 0; random is in [0, 1). */
export function retryDelay(attempt: number, random: number): number {
  const cap = Math.min(RETRY_MAX_MS, 2 * RETRY_MIN_MS * 2 ** Math.min(attempt, 10));
  return Math.round(RETRY_MIN_MS + random * (cap - RETRY_MIN_MS));
}

/* The server named a time: never sooner, and spread a little so that not everybody comes
 * back in the same instant. */
export function byeDelay(retryMs: number, random: number): number {
  const floor = Math.min(Math.max(retryMs || 0, 0), FLOOR_MAX_MS);
  return Math.round(Math.max(floor, RETRY_MIN_MS) + random * RETRY_MIN_MS);
}
