import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, questionOf, stretchOf, toCsv, toJson, zoom } from "../src/past";

const NOW = 1_700_000_000_000;
const ago = (s: number) => NOW - s * 1000;
const past = {
  step_ms: 10_000,
  t0: ago(100),
  n: 10,
  values: {
    a: { avg: [0, 1, 2, null, 4, 5, 6, 7, 8, 9], min: Array(10).fill(0), max: Array(10).fill(9) },
  },
};

test("an address names a stretch; nonsense gives the usual one", () => {
  assert.deepEqual(stretchOf("?range=24h", NOW), {
    range: "24h",
    from: ago(86_400),
    to: NOW,
    zoomed: false,
  });
  assert.equal(stretchOf("?range=nonsense", NOW).range, "1h");
  const z = stretchOf(`?range=24h&from=${ago(50)}&to=${ago(10)}`, NOW);
  assert.deepEqual([z.from, z.to, z.zoomed], [ago(50), ago(10), true]);
  assert.equal(stretchOf(`?from=${ago(10)}&to=${ago(50)}`, NOW).zoomed, false);
});

test("the finest steps that reach back far enough are asked for", () => {
  const of = (search: string) => questionOf(stretchOf(search, NOW), NOW);
  assert.deepEqual(of("?range=5m"), { range_s: 300, step_s: 1 });
  assert.deepEqual(of("?range=7d"), { range_s: 604_800, step_s: 900 });
  assert.deepEqual(of(`?range=7d&from=${ago(3000)}&to=${ago(2000)}`), { range_s: 3600, step_s: 10 });
});

test("a zoom never shows less than ten steps", () => {
  const s = stretchOf("?range=1h", NOW);
  assert.deepEqual(zoom(s, ago(100), ago(900), 10_000), [ago(900), ago(100)]);
  const [from, to] = zoom(s, ago(500), ago(499), 10_000);
  assert.equal(to - from, 100_000);
});

test("what is cut out has its own times, on the reader's clock", () => {
  const c = cut(past, ago(85), ago(50), 0);
  assert.deepEqual(c.ts, [ago(80), ago(70), ago(60), ago(50)]);
  assert.deepEqual(c.lines.a?.avg, [2, null, 4, 5]);
  assert.deepEqual(cut(past, ago(85), ago(50), 20_000).lines.a?.avg, [4, 5, 6, 7]);
  assert.deepEqual(cut(past, NOW + 1, NOW + 9, 0).ts, []);
});

test("files say exactly what is shown, holes left empty", () => {
  const c = cut(past, ago(80), ago(60), 0);
  assert.deepEqual(toCsv(c).split("\r\n"), [
    "time,a avg,a min,a max",
    "2023-11-14T22:12:00.000Z,2,0,9",
    "2023-11-14T22:12:10.000Z,,0,9",
    "2023-11-14T22:12:20.000Z,4,0,9",
    "",
  ]);
  assert.deepEqual(JSON.parse(toJson(c)).values.a.avg, [2, null, 4]);
});
