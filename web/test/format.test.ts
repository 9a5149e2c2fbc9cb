import assert from "node:assert/strict";
import { test } from "node:test";
import * as F from "../src/format";
import { nearest, ticks, times } from "../src/scale";

const plain = (s: string) => s.replaceAll("\u00a0", " ");
const q = (v: number, unit: string) => plain(F.join(F.quantity(v, unit)));

test("three significant digits and a prefix", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [999.6, "1.00 kB"],
    [1000, "1.00 kB"],
    [12_345, "12.3 kB"],
    [99_949, "99.9 kB"],
    [99_960, "100 kB"],
    [999_600, "1.00 MB"],
    [1.024e9, "1.02 GB"],
    [-2500, "-2.50 kB"],
  ];
  for (const [v, text] of cases) assert.equal(q(v, "B"), text);
});

test("each unit in its own way", () => {
  assert.equal(q(12.54, "%"), "12.5 %");
  assert.equal(q(100, "%"), "100 %");
  assert.equal(q(47.25, "°C"), "47.3 °C");
  assert.equal(q(1.296e9, "Hz"), "1.30 GHz");
  assert.equal(q(4.987, "V"), "4.99 V");
  assert.equal(q(1200.4, "rpm"), "1,200 rpm");
  assert.equal(q(0.4, "1"), "0.40");
  assert.equal(q(87, "1"), "87");
  assert.equal(q(15.06, "1"), "15.1");
  assert.equal(q(187.3, "1"), "187");
  assert.equal(q(90_061, "s"), "1 d 1 h");
});

test("readings of anybody's own, great and small", () => {
  assert.equal(q(10 ** 11, "°C"), "100B °C");
  assert.equal(q(12_345_678, ""), "12.3M");
  assert.equal(q(0.0012, "L"), "0.001 L");
  assert.equal(q(-3.25, "L"), "-3.3 L");
  assert.equal(q(1500, "errors/s"), "1,500 errors/s");
  assert.equal(q(0, "1/s"), "0 /s");
});

test("durations take the two largest units", () => {
  const cases: [number, string][] = [
    [-1, "0 s"],
    [59.9, "59 s"],
    [60, "1 min 0 s"],
    [3599, "59 min 59 s"],
    [3600, "1 h 0 min"],
    [86_400, "1 d 0 h"],
  ];
  for (const [s, text] of cases) assert.equal(F.duration(s), text);
});

test("short times", () => {
  assert.equal(plain(F.millis(0)), "<1 ms");
  assert.equal(plain(F.millis(2.44)), "2.4 ms");
  assert.equal(plain(F.millis(412.2)), "412 ms");
  assert.equal(F.millis(61_000), "1 min 1 s");
  assert.equal(plain(F.micros(820)), "820 µs");
  assert.equal(plain(F.micros(1820)), "1.8 ms");
});

test("axis labels carry no needless digits", () => {
  assert.equal(plain(F.tick(500e6, "B")), "500 MB");
  assert.equal(plain(F.tick(1.5e9, "B")), "1.5 GB");
  assert.equal(plain(F.tick(0, "B/s")), "0 B/s");
  assert.equal(plain(F.tick(50, "%")), "50 %");
  assert.equal(plain(F.tick(0.5, "1/s")), "0.5 /s");
  assert.equal(plain(F.tick(3, "1")), "3");
  assert.equal(plain(F.tick(30000, "1")), "30 k");
});

test("clock reads as a clock", () => {
  const at = new Date(2026, 10, 3, 9, 5, 7).getTime();
  assert.equal(F.clock(at), "09:05:07");
  assert.equal(F.clock(at, false), "09:05");
});

test("grid lines are round", () => {
  assert.deepEqual(ticks(0, 100, 4), [0, 50, 100]);
  assert.deepEqual(ticks(0, 1.024e9, 3), [0, 5e8, 1e9]);
  assert.deepEqual(ticks(41, 53, 4), [45, 50]);
  assert.deepEqual(ticks(5, 5, 4), []);
  for (const t of ticks(-3, 7, 5)) assert.ok(!Object.is(t, -0));
});

test("times are round, and fewer when there is no room", () => {
  const end = 1_000_000_050_000;
  const all = times(end - 300_000, end, 5);
  assert.equal(all.step, 60_000);
  assert.equal(all.at.length, 5);
  assert.ok(all.at.every((t) => t % 60_000 === 0 && t <= end && t > end - 300_000));
  assert.equal(times(end - 300_000, end, 3).step, 120_000);
  assert.equal(times(end - 30_000, end, 6).step, 5000);
  assert.ok(times(end - 300_000, end, 0).at.length <= 1);
});

test("a day begins at the reader's midnight", () => {
  const zone = 3_600_000;
  const { at } = times(1_000_000_000_000, 1_000_500_000_000, 7, () => zone);
  assert.equal(at.length, 5);
  assert.ok(at.every((t) => (t + zone) % 86_400_000 === 0));
});

test("a day begins at midnight on both sides of a change to summer time", () => {
  const H = 3_600_000;
  for (const [change, before, after] of [
    [Date.UTC(2026, 2, 29, 1), H, 2 * H],
    [Date.UTC(2026, 9, 25, 1), 2 * H, H],
  ] as const) {
    const zone = (t: number) => (t < change ? before : after);
    const { at } = times(change - 72 * H, change + 72 * H, 7, zone);
    assert.equal(at.length, 6);
    assert.ok(at.every((t) => (t + zone(t)) % (24 * H) === 0));
  }
});

test("nearest finds the nearest", () => {
  assert.equal(nearest([], 5), -1);
  assert.equal(nearest([1], 5), 0);
  assert.equal(nearest([0, 10, 20], 14), 1);
  assert.equal(nearest([0, 10, 20], 16), 2);
  assert.equal(nearest([0, 10, 20], -9), 0);
  assert.equal(nearest([0, 10, 20], 99), 2);
});
