/* What the link does besides staying alive: deltas, rest, refusals, events. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { liveWorld, World } from "./fake";

test("a frame on a lost base is no frame: a snapshot is asked for, once", async () => {
  const w = liveWorld();
  const delta = (seq: number, base: number) =>
    w.socket.say({ method: "telemetry", params: { seq, base, t: 1, up: seq * 1000, values: {} } });
  delta(12, 11);
  delta(14, 13);
  delta(15, 14);
  assert.deepEqual(w.frames, [11, 12]);
  const asked = w.socket.sent.filter((m) => m.method === "snapshot");
  assert.equal(asked.length, 1);
  w.socket.say({ id: asked[0]!.id, result: { seq: 15, t: 1, up: 15_000, values: { a: 1 } } });
  await Promise.resolve();
  delta(16, 15);
  assert.deepEqual(w.frames, [11, 12, 15, 16]);
});

test("a hidden page takes no telemetry, and is never called dead for it", () => {
  const w = liveWorld();
  w.link.pause();
  assert.deepEqual(w.socket.sent.at(-1)?.params, { topics: ["telemetry"] });
  assert.equal(w.socket.sent.at(-1)?.method, "unsubscribe");
  w.pass(3_600_000);
  assert.equal(w.state.kind, "live");
  assert.equal(w.sockets.length, 1);
  w.link.wake();
  assert.ok(w.socket.sent.some((m) => m.method === "subscribe"));
  w.socket.telemetry(4000);
  w.pass(2000);
  assert.equal(w.state.kind, "live");
});

test("a hidden page whose link died notices on its return", () => {
  const w = liveWorld();
  w.link.pause();
  w.pass(3_600_000);
  const first = w.socket;
  w.link.wake();
  w.pass(10_000);
  assert.notEqual(w.state.kind, "live");
  assert.ok(w.socket !== first, "another connection");
});

test("a refusal may say when to come back", () => {
  const w = new World();
  w.link.start();
  w.socket.drop();
  assert.equal(w.refusals, 1);
  w.link.holdOff(60_000);
  w.pass(59_000);
  assert.equal(w.sockets.length, 1);
  w.link.wake();
  assert.equal(w.sockets.length, 1, "not sooner than told");
  w.pass(2000);
  assert.equal(w.sockets.length, 2);
});

test("events of the board are handed on", () => {
  const w = liveWorld();
  w.socket.say({ method: "event", params: { seq: 3, t: 1, level: "info", event: "a", text: "" } });
  assert.deepEqual(w.events, [3]);
});
