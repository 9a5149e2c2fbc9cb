import assert from "node:assert/strict";
import { test } from "node:test";
import { byeDelay, RETRY_MAX_MS, RETRY_MIN_MS, retryDelay } from "../src/backoff";
import { steadyClock } from "../src/clock";

test("every delay is within its bounds, and the bounds grow to the cap", () => {
  for (let attempt = 0; attempt < 2000; attempt += 1 + (attempt >> 3)) {
    const cap = Math.min(RETRY_MAX_MS, 1000 * 2 ** attempt);
    assert.equal(retryDelay(attempt, 0), RETRY_MIN_MS);
    for (const r of [0.1, 0.5, 0.999]) {
      const d = retryDelay(attempt, r);
      assert.ok(d >= RETRY_MIN_MS && d <= cap, `${attempt} ${r} ${d}`);
    }
  }
});

test("the jitter is full: it spreads over the whole range", () => {
  assert.ok(retryDelay(9, 0.999) > 19_900);
  assert.ok(retryDelay(9, 0.001) < 600);
});

test("the server's wish is a floor, within reason", () => {
  assert.ok(byeDelay(8000, 0) >= 8000);
  assert.ok(byeDelay(8000, 0.99) <= 8500);
  assert.ok(byeDelay(0, 0) >= RETRY_MIN_MS);
  assert.ok(byeDelay(Number.NaN, 0) >= RETRY_MIN_MS);
  assert.ok(byeDelay(1e12, 0.5) <= 301_000);
});

test("the page's clock never goes back, and counts sleep", () => {
  let mono = 0;
  let wall = 1e12;
  const now = steadyClock(() => mono, () => wall);
  const step = (m: number, w: number) => {
    mono += m;
    wall += w;
    return now();
  };
  assert.equal(step(100, 100), 100);
  assert.equal(step(100, -3_600_000), 200); // somebody set the clock back
  assert.equal(step(100, 101), 300); // small differences are not counted
  assert.equal(step(10, 60_000), 60_300); // asleep: only the wall clock went on
});
