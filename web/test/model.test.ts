import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "../src/app";
import { wordsFor } from "../src/pill";
import { read, viewOf } from "../src/view";
import { World } from "./fake";

const INFO = {
  server: { name: "pulseboard", version: "1", started: 0, epoch: "e1" },
  device: { host: "board", kernel: "6", arch: "armv7l", cpus: 1 },
  sample_ms: 1000,
  history: { step_ms: 1000, n: 300 },
  metrics: ["cpu.total", "x"].map((id) => ({
    id,
    label: id,
    unit: "%",
    group: "cpu",
    kind: "gauge",
  })),
};

const settle = () => new Promise((r) => setImmediate(r));

/* An app in a fake world; the server answers by itself unless told not to. */
const MOMENT = { wall: 1e12, hoverAt: null as number | null, setHover() {}, go() {}, change() {}, search: "" };

class Page {
  readonly world = new World();
  readonly app = new App(this.world, () => 1e12, () => this.changes++);
  changes = 0;
  replies: Record<string, (params: { since?: number; ids?: string[] }) => object> = {
    info: () => ({ result: INFO }),
    history: () => ({ result: { seq0: 1, t0: 0, up0: 1000, step_ms: 1000, n: 0, values: {} } }),
    ping: () => ({ result: {} }),
  };
  asked: string[] = [];
  private answered = 0;

  constructor() {
    this.app.link.start();
  }

  async serve(): Promise<void> {
    for (let i = 0; i < 20; i++) {
      await settle();
      const m = this.world.socket.sent[this.answered];
      if (!m) continue;
      this.answered++;
      if (m.method !== "ping") this.asked.push(m.method + JSON.stringify(m.params));
      const reply = this.replies[m.method]?.(m.params as object);
      if (reply) this.world.socket.say({ id: m.id, ...reply });
    }
  }

  /* Waits for the next attempt; the new connection starts counting anew. */
  retry(): void {
    const { link } = this.app.model;
    assert.ok(link.kind === "waiting");
    this.world.pass(link.until - this.world.time);
    this.answered = 0;
    this.asked = [];
  }

  view(now = this.world.time) {
    return viewOf(this.app.model, { ...MOMENT, now, act: this.app });
  }
}

async function opened(): Promise<Page> {
  const p = new Page();
  p.world.socket.hello();
  await p.serve();
  p.world.socket.telemetry(11, p.world.time);
  return p;
}

test("hello asks for info and history, once each", async () => {
  const p = await opened();
  assert.deepEqual(p.asked, ["info{}", "history{}"]);
  await p.serve();
  assert.equal(p.asked.length, 2);
});

test("info is asked for before the hello is there, and not again with it", async () => {
  const p = new Page();
  p.world.socket.onopen?.();
  assert.deepEqual(p.world.socket.sent.map((m) => m.method), ["info"]);
  p.world.socket.hello();
  await p.serve();
  assert.deepEqual(p.asked, ["info{}", "history{}"]);
});

test("a gap asks for what came after the last frame seen", async () => {
  const p = await opened();
  p.asked = [];
  p.world.pass(4000);
  p.world.socket.telemetry(15, p.world.time);
  await p.serve();
  assert.deepEqual(p.asked, ['history{"since":11}']);
});

test("history that is too large is fetched in halves", async () => {
  const p = new Page();
  const tooLarge = { error: { code: -32001, message: "", data: { code: "reply_too_large" } } };
  p.replies.history = ({ ids }) =>
    ids?.length === 1
      ? { result: { seq0: 1, t0: 0, up0: 1000, step_ms: 1000, n: 2, values: { [ids[0]!]: [1, 2] } } }
      : tooLarge;
  p.world.socket.hello();
  await p.serve();
  assert.deepEqual(p.asked.slice(1), [
    "history{}",
    'history{"ids":["cpu.total"]}',
    'history{"ids":["x"]}',
  ]);
  assert.deepEqual(p.app.model.series.rows[0]?.values, { "cpu.total": 1, x: 1 });
});

test("history that never comes is not asked for again and again", async () => {
  const p = new Page();
  p.replies.history = () => ({ error: { code: -32603, message: "", data: { code: "internal" } } });
  p.world.socket.hello();
  for (let seq = 11; seq < 20; seq++) {
    p.world.socket.telemetry(seq, p.world.time);
    p.world.pass(1000);
    await p.serve();
  }
  assert.equal(p.asked.filter((a) => a.startsWith("history")).length, 1);
});

test("history that was lost with the connection is asked for on the next", async () => {
  const p = await opened();
  p.replies.history = () => undefined as never;
  p.world.pass(4000);
  p.world.socket.telemetry(15, p.world.time);
  await p.serve();
  p.world.socket.drop();
  await settle();
  p.retry();
  p.world.socket.hello({ resumed: "replay" });
  await p.serve();
  assert.deepEqual(p.asked, ['history{"since":11}']);
});

test("a new epoch asks for everything, the old rows stay", async () => {
  const p = await opened();
  p.world.socket.drop();
  p.retry();
  p.world.socket.hello({ epoch: "e2", seq: 1 });
  await p.serve();
  p.world.socket.telemetry(2, 300);
  assert.deepEqual(p.asked, ["info{}", "history{}"]);
  assert.deepEqual(p.app.model.series.rows.map((r) => r.seq), [-1, 2]);
});

test("an unknown metric asks info again, once", async () => {
  const p = await opened();
  p.asked = [];
  for (const seq of [12, 13]) {
    p.world.pass(1000);
    const params = { seq, t: 0, up: p.world.time, values: { "cpu.total": 1, "usb.new": 2 } };
    p.world.socket.say({ method: "telemetry", params });
    await p.serve();
  }
  assert.deepEqual(p.asked, ["info{}"]);
});

test("what goes and comes again is asked about again", async () => {
  const p = await opened();
  const say = async (seq: number, ids: string[]) => {
    p.world.pass(1000);
    const values = Object.fromEntries(["cpu.total", ...ids].map((id) => [id, 1]));
    const params = { seq, t: 0, up: p.world.time, values };
    p.replies.info = () => ({
      result: { ...INFO, metrics: Object.keys(values).map((id) => ({ ...INFO.metrics[0], id })) },
    });
    p.world.socket.say({ method: "telemetry", params });
    await p.serve();
  };
  const known = () => p.app.model.info?.metrics.map((x) => x.id);
  await say(12, ["usb"]);
  await say(13, ["other"]);
  assert.deepEqual(known(), ["cpu.total", "other"]);
  await say(14, ["usb"]);
  assert.deepEqual(known(), ["cpu.total", "usb"]);
});

test("values grow old, each for itself", async () => {
  const p = await opened();
  const { world } = p;
  const say = (seq: number, values: object) =>
    world.socket.say({ method: "telemetry", params: { seq, t: 0, up: world.time, values } });
  world.pass(1000);
  say(12, { "cpu.total": 1, x: 5 });
  for (let seq = 13; seq < 20; seq++) {
    world.pass(1000);
    say(seq, { "cpu.total": seq });
  }
  assert.deepEqual(read(p.view(), "cpu.total"), { v: 19, old: null });
  assert.deepEqual(read(p.view(), "x"), { v: 5, old: 7000 });
  assert.equal(read(p.view(), "never"), null);
});

test("without a live link every value is old", async () => {
  const p = await opened();
  p.world.socket.drop();
  assert.equal(read(p.view(), "cpu.total")?.old, 0);
  assert.equal(read(p.view(p.world.time + 12_000), "cpu.total")?.old, 12_000);
});

test("the pill says it in plain words", async () => {
  const p = await opened();
  const text = () => wordsFor(p.view()).text;
  assert.equal(text(), "Live");
  p.world.pass(3000);
  assert.match(text(), /^Stale since \d\d:\d\d:\d\d$/);
  p.world.socket.drop();
  assert.equal(text(), "Reconnecting in 1 s");
  p.retry();
  assert.equal(text(), "Reconnecting…");
  p.world.isOnline = false;
  p.world.socket.drop();
  assert.equal(text(), "Offline");
});

test("the crosshair finds its row, and has none without a pointer", async () => {
  const p = await opened();
  const at = (hoverAt: number | null) =>
    viewOf(p.app.model, { ...MOMENT, now: p.world.time, act: p.app, hoverAt }).hover.index;
  assert.equal(at(null), -1);
  assert.equal(at(1), 0);
});
