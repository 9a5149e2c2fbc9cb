import assert from "node:assert/strict";
import { test } from "node:test";
import * as S from "../src/series";
import type { History, Whole } from "../src/wire";

const frame = (seq: number, up: number, values: Record<string, number> = { a: seq }): Whole => ({
  seq,
  t: 0,
  up,
  values,
});

const history = (seq0: number, up0: number, n: number, over: Partial<History> = {}): History => ({
  seq0,
  t0: 0,
  up0,
  step_ms: 1000,
  n,
  values: { a: Array.from({ length: n }, (_, i) => seq0 + i) },
  ...over,
});

const begun = (epoch = "e1") => S.beginEpoch(S.emptySeries, epoch, 1000);

/* Frames from..to, one a second, each received 20 ms after it was made. */
function filled(from: number, to: number, s = begun(), shift = 500_000): S.Series {
  for (let seq = from; seq <= to; seq++)
    s = S.push(s, frame(seq, seq * 1000), seq * 1000 + shift + 20).series;
  return s;
}

const seqs = (s: S.Series) => s.rows.map((r) => r.seq);
const shape = (s: S.Series) => S.column(S.axisOf(s), "a");

test("frames line up", () => {
  assert.deepEqual(shape(filled(1, 4)), [1, 2, 3, 4]);
});

test("a gap in seq asks for what is missing, once", () => {
  const s = filled(1, 3);
  const got = S.push(s, frame(7, 7000), 507_020);
  assert.equal(got.missedSince, 3);
  assert.equal(S.push(got.series, frame(8, 8000), 508_020).missedSince, null);
});

test("a gap in time is a hole in the chart", () => {
  const s = S.push(filled(1, 3), frame(7, 7000), 507_020).series;
  assert.deepEqual(shape(s), [1, 2, 3, null, 7]);
});

test("a late sample is not a gap", () => {
  const s = S.push(filled(1, 3), frame(4, 4500), 504_520).series;
  assert.deepEqual(shape(s), [1, 2, 3, 4]);
});

test("a missing value is a hole, not a zero", () => {
  let s = filled(1, 2);
  s = S.push(s, frame(3, 3000, { b: 1 }), 503_000).series;
  assert.deepEqual(shape(s), [1, 2, null]);
  assert.deepEqual(S.lastValue(s, "a"), { v: 2, up: 2000 });
  assert.equal(S.lastValue(s, "never"), null);
});

test("history fills a hole and what we saw ourselves wins", () => {
  let s = S.push(filled(1, 3), frame(7, 7000, { a: 700 }), 507_020).series;
  s = S.merge(s, history(4, 4000, 4), 507_100);
  assert.deepEqual(shape(s), [1, 2, 3, 4, 5, 6, 700]);
  assert.deepEqual(seqs(s), [1, 2, 3, 4, 5, 6, 7]);
});

test("history with holes keeps them", () => {
  const h = history(1, 1000, 3, { values: { a: [1, null, 3] } });
  assert.deepEqual(shape(S.merge(begun(), h, 500_000)), [1, null, 3]);
});

test("history in two halves gives whole rows", () => {
  let s = S.merge(begun(), history(1, 1000, 2, { values: { a: [1, 2] } }), 500_000);
  s = S.merge(s, history(1, 1000, 2, { values: { b: [5, 6] } }), 500_000);
  assert.deepEqual(s.rows.map((r) => r.values), [{ a: 1, b: 5 }, { a: 2, b: 6 }]);
});

test("an empty history changes nothing", () => {
  const s = filled(1, 3);
  assert.equal(S.merge(s, history(1, 0, 0, { values: {} }), 0), s);
});

test("replayed and repeated frames are taken in order and once", () => {
  let s = filled(1, 3);
  for (const seq of [2, 3, 4, 5, 5, 4]) s = S.push(s, frame(seq, seq * 1000), 510_000).series;
  assert.deepEqual(seqs(s), [1, 2, 3, 4, 5]);
});

test("a burst of replayed frames is placed by the board's clock, not by its arrival", () => {
  let s = filled(1, 10);
  for (let seq = 11; seq <= 40; seq++) s = S.push(s, frame(seq, seq * 1000), 540_030).series;
  assert.equal(S.offsetOf(s), 540_030 - 40_000);
  assert.equal(S.axisOf(s).ups.length, 40);
});

test("the least delayed of the last frames gives the offset", () => {
  let s = filled(1, 5);
  s = S.push(s, frame(6, 6000), 506_400).series; // a slow one
  assert.equal(S.offsetOf(s), 500_020);
});

test("a new epoch continues at the right distance, with a hole between", () => {
  let s = filled(1, 10); // last made at page time 510_000
  s = S.beginEpoch(s, "e2", 1000);
  s = S.push(s, frame(1, 300), 520_300).series; // the new server's clock begins anew
  const { ups } = S.axisOf(s);
  const last = ups[ups.length - 1]!;
  const before = ups[ups.length - 3]!;
  assert.equal(last, 300);
  assert.ok(Math.abs(last - before - 10_280) < 1, `${last - before}`);
  assert.deepEqual(shape(s).slice(-3), [10, null, 1]);
});

test("history of a new epoch never lands among the old rows", () => {
  let s = S.beginEpoch(filled(1, 10), "e2", 1000);
  s = S.merge(s, history(1, 1000, 5), 525_000); // it remembers five seconds
  s = S.push(s, frame(6, 6000), 526_010).series;
  assert.deepEqual(shape(s), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, null, 1, 2, 3, 4, 5, 6]);
  const ups = S.axisOf(s).ups;
  assert.ok(ups.every((up, i) => i === 0 || up > ups[i - 1]!));
});

test("the same epoch again keeps everything", () => {
  const s = filled(1, 5);
  assert.deepEqual(seqs(S.beginEpoch(s, "e1", 1000)), [1, 2, 3, 4, 5]);
  assert.equal(S.push(S.beginEpoch(s, "e1", 1000), frame(9, 9000), 509_000).missedSince, 5);
});

test("only the window is kept", () => {
  const s = filled(1, 900);
  assert.equal(s.rows.length, 301);
  assert.equal(s.rows[0]?.seq, 600);
});

test("sums take what is there", () => {
  let s = begun();
  s = S.push(s, frame(1, 1000, { a: 1, b: 2 }), 0).series;
  s = S.push(s, frame(2, 2000, { b: 5 }), 1000).series;
  s = S.push(s, frame(3, 3000, {}), 2000).series;
  assert.deepEqual(S.sumColumn(S.axisOf(s), ["a", "b"]), [3, 5, null]);
});

test("value axes: limits where they are known, room where not", () => {
  assert.deepEqual(S.domain("%", [[3, 4]]), [0, 100]);
  assert.deepEqual(S.domain("B/s", [[]]), [0, 1000]);
  assert.deepEqual(S.domain("B", [[5, null, 7]], 0, 100), [0, 100]);
  const [lo, hi] = S.domain("°C", [[47, 48]]);
  assert.ok(lo < 45 && hi > 50);
  assert.ok(S.domain("B/s", [[1e6], [2e6]])[1] > 2e6);
});

test("a chart shows half a minute at first, and grows to the whole window", () => {
  assert.equal(S.edgeOf([], 1000), -29_000);
  assert.equal(S.edgeOf([0, 30_000], 30_000), 0);
  assert.equal(S.edgeOf([0, 30_001], 30_001), -29_999);
  assert.equal(S.edgeOf([0, 120_000], 120_000), 0);
  assert.equal(S.edgeOf([0, 121_000], 121_000), 121_000 - S.WINDOW_MS);
  assert.equal(S.edgeOf([0, 900_000], 900_000), 900_000 - S.WINDOW_MS);
});
