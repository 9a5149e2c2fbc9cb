import assert from "node:assert/strict";
import { test } from "node:test";
import { CAUSES, causesOf } from "../src/causes";
import { arrange, find, idsOf, pack, type Board } from "../src/tiles";
import type { Metric } from "../src/wire";

const metric = (id: string, group: string, unit = "1", label = id): Metric => ({
  id,
  label,
  unit,
  group,
  kind: "gauge",
});

const PC: Metric[] = [
  metric("cpu.total", "cpu", "%"),
  ...[0, 1, 2, 3].flatMap((n) => [
    metric(`cpu.${n}`, "cpu", "%"),
    metric(`cpu.${n}.freq`, "cpu", "Hz"),
  ]),
  ...[1, 5, 15].map((n) => metric(`load.${n}`, "system", "1", `Load, ${n} min`)),
  ...["total", "used", "available", "cached"].map((n) =>
    metric(`mem.${n}`, "memory", "B", `Memory, ${n}`),
  ),
  metric("swap.total", "memory", "B", "Swap, total"),
  metric("swap.used", "memory", "B", "Swap, used"),
  metric("temp.cpu", "temperature", "°C", "coretemp Core 0"),
  metric("net.lo.rx", "network", "B/s"),
  metric("net.lo.tx", "network", "B/s"),
  metric("net.eth0.rx", "network", "B/s", "eth0 received"),
  metric("net.eth0.tx", "network", "B/s", "eth0 sent"),
  metric("disk.sda.read", "disk", "B/s"),
  metric("disk.sda.write", "disk", "B/s"),
  metric("fs.root.used", "disk", "B", "/ used"),
  metric("fs.root.total", "disk", "B", "/ size"),
  metric("sys.uptime", "system", "s"),
];

const tilesOf = (b: Board) => b.groups.flatMap((g) => g.tiles);
const titles = (b: Board) => b.groups.map((g) => `${g.title}: ${g.tiles.map((t) => t.title)}`);

test("a PC", () => {
  const b = arrange(PC);
  assert.equal(b.cpu?.id, "cpu.total");
  assert.equal(b.memory?.total.id, "mem.total");
  assert.equal(b.network?.name, "eth0");
  assert.deepEqual(titles(b), [
    "CPU: Cores",
    "Memory: Available,Cached,Swap",
    "Temperature: coretemp Core 0",
    "Network: lo",
    "Disk: sda,/",
    "System: Load,This board",
  ]);
});

test("every metric has one place", () => {
  const b = arrange(PC);
  const shown = tilesOf(b).flatMap(idsOf);
  const hero = ["cpu.total", "mem.used", "mem.total", "net.eth0.rx", "net.eth0.tx"];
  assert.deepEqual([...shown, ...hero].sort(), PC.map((m) => m.id).sort());
});

test("two networks have a tile each", () => {
  const more = ["rx", "tx"].map((d) => metric(`net.wlan0.${d}`, "network", "B/s"));
  const b = arrange([...PC, ...more]);
  assert.equal(b.network?.name, "eth0 + wlan0");
  assert.ok(titles(b).includes("Network: lo,eth0,wlan0"));
});

test("a router with next to nothing", () => {
  const b = arrange([metric("cpu.total", "cpu", "%"), metric("load.1", "system")]);
  assert.equal(b.memory, undefined);
  assert.equal(b.network, undefined);
  assert.deepEqual(titles(b), ["System: Load,This board"]);
});

test("what it does not know is still shown", () => {
  const b = arrange([metric("fan.1", "cooling", "rpm", "Fan"), metric("net.x.rx", "network", "B/s")]);
  assert.deepEqual(titles(b), ["Network: net.x.rx", "System: This board", "cooling: Fan"]);
});

test("rows are full at every width", () => {
  for (const extra of [0, 1, 2, 5, 9, 20]) {
    const temps = Array.from({ length: extra }, (_, i) => metric(`temp.x${i}`, "temperature", "°C"));
    const { groups } = arrange([...PC, ...temps]);
    for (const columns of [2, 3, 6, 9]) {
      let used = 0;
      for (const p of pack(groups, columns)) {
        const sum = p.spans.reduce((a, b) => a + b, 0);
        assert.equal(sum % p.span, 0, `${p.group.id} at ${columns}`);
        assert.ok(p.spans.every((s) => s >= 1 && s <= columns));
        assert.ok(p.span <= columns);
        used = (used + p.span) % columns;
      }
      assert.equal(used, 0, `a row ends early at ${columns}`);
    }
  }
});

test("every cause of the design has its words", () => {
  const causes = causesOf(Object.fromEntries(Object.keys(CAUSES).map((w) => [w, 0])));
  assert.deepEqual(
    causes.filter((c) => !c.expected).map((c) => c.word),
    ["protocol_error", "internal_error"],
  );
  assert.equal(causes.length, 11);
  assert.ok(causes.every((c) => c.title !== c.word && c.text));
});

test("a cause that is new to the page is shown, not hidden", () => {
  const got = causesOf({ peer_gone: 1, quantum_flip: 2 });
  assert.deepEqual(got.map((c) => c.word), ["peer_gone", "quantum_flip"]);
});

test("a search finds by title, group and id, all words of it", () => {
  const { groups } = arrange(PC);
  const found = (search: string) => find(groups, search).flatMap((g) => g.tiles.map((t) => t.title));
  assert.deepEqual(found("SWAP"), ["Swap"]);
  assert.deepEqual(found("memory cach"), ["Cached"]);
  assert.deepEqual(found("disk.sda.read"), ["sda"]);
  assert.deepEqual(found("memory eth0"), []);
  assert.equal(found(" ").length, groups.flatMap((g) => g.tiles).length);
});
