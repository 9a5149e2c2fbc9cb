import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogOf, chosen } from "../src/catalog";
import { arrange } from "../src/tiles";
import type { Metric } from "../src/wire";

const metric = (id: string, group: string, unit: string): Metric => ({
  id,
  label: id,
  unit,
  group,
  kind: "gauge",
});
const all = catalogOf(
  arrange([
    metric("cpu.total", "cpu", "%"),
    metric("cpu.0", "cpu", "%"),
    metric("cpu.1", "cpu", "%"),
    metric("mem.used", "memory", "B"),
    metric("mem.total", "memory", "B"),
    metric("net.eth0.rx", "network", "B/s"),
    metric("net.eth0.tx", "network", "B/s"),
    ...Array.from({ length: 20 }, (_, i) => metric(`own.m${i}`, "own", "1")),
  ]),
);
const keys = (charts: typeof all) => charts.map((c) => c.key);

test("every metric that can be drawn has one chart, pairs together", () => {
  assert.equal(new Set(keys(all)).size, all.length);
  assert.ok(keys(all).includes("net.eth0.rx,net.eth0.tx"));
  for (const id of ["cpu.total", "cpu.1", "mem.used", "own.m19"])
    assert.ok(keys(all).includes(id), id);
});

test("an address chooses by any id; without one there are a few of each kind", () => {
  assert.deepEqual(keys(chosen(all, "net.eth0.tx,cpu.1")), ["net.eth0.rx,net.eth0.tx", "cpu.1"]);
  assert.deepEqual(chosen(all, ""), []);
  const first = keys(chosen(all, null));
  assert.ok(first.length <= 6 && first.includes("cpu.total") && first.includes("own.m0"));
});
