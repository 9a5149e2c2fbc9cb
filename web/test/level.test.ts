import assert from "node:assert/strict";
import { test } from "node:test";
import { levelOf, trendOf } from "../src/level";

test("a level is reached at its threshold, from the side where the sensor is in danger", () => {
  const hot = { warn: 70, crit: 90 };
  assert.deepEqual([69, 70, 90].map((v) => levelOf(hot, v)), [null, "high", "critical"]);
  const empty = { warn: 20, crit: 5 };
  assert.deepEqual([21, 20, 5].map((v) => levelOf(empty, v)), [null, "low", "critical"]);
  assert.equal(levelOf({ crit: 90 }, 95), "critical");
  assert.equal(levelOf({ warn: 1 }, 1), "high");
  assert.equal(levelOf({}, 1e9), null);
});

const line = (n: number, f: (i: number) => number | null) => Array.from({ length: n }, (_, i) => f(i));

test("a trend is said only when it stands out", () => {
  assert.equal(trendOf(line(60, () => 5), 10), 0);
  assert.equal(trendOf(line(60, (i) => (i < 45 ? 2 : 8)), 10), 1);
  assert.equal(trendOf(line(60, (i) => (i < 45 ? 8 : 2)), 10), -1);
  assert.equal(trendOf(line(60, (i) => (i % 2 ? 0 : 10)), 10), 0, "noise is no trend");
  assert.equal(trendOf(line(12, (i) => i), 10), 0, "too little to say");
  assert.equal(trendOf(line(60, (i) => (i < 50 ? null : i)), 10), 0, "holes are not zero");
});
