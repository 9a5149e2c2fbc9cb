import assert from "node:assert/strict";
import { test } from "node:test";
import { ANSWER_MS, CONNECT_MS, PROBE_MS } from "../src/link";
import { RpcError } from "../src/rpc";
import { liveWorld, World } from "./fake";

const SILENT_MS = 3000 + ANSWER_MS;

test("hello makes it live", () => {
  const w = liveWorld();
  assert.deepEqual(w.states.map((s) => s.kind), ["connecting", "live"]);
  assert.deepEqual(w.frames, [11]);
});

test("telemetry before hello is not taken", () => {
  const w = new World();
  w.link.start();
  w.socket.telemetry(3);
  assert.deepEqual(w.frames, []);
});

test("no telemetry for three samples is stale, the next one heals it", () => {
  const w = liveWorld();
  const heard = w.time;
  w.pass(2999);
  assert.equal(w.state.kind, "live");
  w.pass(1);
  assert.deepEqual(w.state, { kind: "stale", since: heard });
  w.socket.telemetry(12);
  assert.equal(w.state.kind, "live");
});

test("a slow sampler is not called stale", () => {
  const w = new World();
  w.link.start();
  w.socket.hello({ sample_ms: 5000 });
  w.pass(14_999);
  assert.equal(w.state.kind, "live");
  w.pass(1);
  assert.equal(w.state.kind, "stale");
});

test("going stale asks the peer whether it is alive", () => {
  const w = liveWorld();
  w.pass(3000);
  assert.equal(w.socket.sent.at(-1)?.method, "ping");
});

test("a peer that answers pings but sends no values stays connected and stale", () => {
  const w = liveWorld();
  for (let i = 0; i < 40; i++) {
    w.pass(1000);
    if (w.socket.sent.length) w.socket.answer({ t: 0, up: 0 });
  }
  assert.equal(w.sockets.length, 1);
  assert.equal(w.state.kind, "stale");
});

test("silence drops the link and connects anew without waiting for the peer", () => {
  const w = liveWorld();
  const old = w.socket;
  w.pass(SILENT_MS);
  assert.equal(w.state.kind, "waiting");
  assert.ok(old.closed);
  w.pass(1000);
  assert.equal(w.sockets.length, 2);
});

test("nothing from a released socket is heard", () => {
  const w = liveWorld();
  const old = w.socket;
  w.pass(SILENT_MS + 1000);
  old.telemetry(99);
  old.drop();
  assert.ok(!w.frames.includes(99));
  assert.equal(w.state.kind, "connecting");
});

test("a reconnect offers the token, the newest seq and the epoch", () => {
  const w = liveWorld();
  w.socket.telemetry(12);
  w.socket.drop();
  w.retry();
  assert.equal(w.sockets[1]?.query, "?resume=token&seq=12&epoch=e1");
});

test("a new epoch starts counting anew", () => {
  const w = liveWorld();
  w.socket.drop();
  w.retry();
  w.socket.hello({ epoch: "e2", seq: 4, resume: "token2" });
  w.socket.drop();
  w.retry();
  assert.equal(w.socket.query, "?resume=token2&seq=4&epoch=e2");
});

test("failures in a row wait longer each time, up to the cap", () => {
  const w = new World();
  w.jitter = 1;
  w.link.start();
  const waits: number[] = [];
  for (let i = 0; i < 7; i++) {
    w.socket.drop();
    assert.ok(w.state.kind === "waiting");
    waits.push(w.state.until - w.time);
    w.retry();
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
});

test("values reset the wait, a mere connection does not", () => {
  const w = new World();
  w.link.start();
  for (let i = 0; i < 4; i++) {
    w.socket.hello();
    w.socket.drop();
    w.retry();
  }
  w.socket.drop();
  assert.ok(w.state.kind === "waiting" && w.state.until - w.time > 5000);
  w.retry();
  w.socket.hello();
  w.socket.telemetry(11);
  w.socket.drop();
  assert.ok(w.state.kind === "waiting" && w.state.until - w.time <= 1000);
});

test("a connection that is never answered is given up", () => {
  const w = new World();
  w.link.start();
  w.pass(CONNECT_MS);
  assert.equal(w.state.kind, "waiting");
  assert.ok(w.sockets[0]?.closed);
});

test("bye says when to come back, and waking up does not make it sooner", () => {
  const w = liveWorld();
  w.socket.say({ method: "bye", params: { cause: "evicted", retry_ms: 8000 } });
  w.socket.drop();
  assert.equal(w.byes[0]?.cause, "evicted");
  w.pass(1000);
  w.link.wake();
  w.pass(6900);
  assert.equal(w.sockets.length, 1);
  w.pass(700);
  assert.equal(w.sockets.length, 2);
});

test("waking up ends the wait", () => {
  const w = liveWorld();
  w.jitter = 1;
  w.socket.drop();
  w.link.wake();
  assert.equal(w.sockets.length, 2);
});

test("without a network it says offline, and comes back with it", () => {
  const w = liveWorld();
  w.isOnline = false;
  w.socket.drop();
  assert.equal(w.state.kind, "offline");
  w.link.wake();
  assert.equal(w.sockets.length, 1);
  w.isOnline = true;
  w.link.wake();
  assert.equal(w.sockets.length, 2);
});

test("waking up with a live link checks it at once", () => {
  const w = liveWorld();
  w.link.wake();
  assert.equal(w.socket.sent.at(-1)?.method, "ping");
  w.pass(3000);
  assert.equal(w.state.kind, "waiting");
});

test("a page that slept itself does not blame the peer", () => {
  const w = liveWorld();
  w.sleep(60_000);
  assert.equal(w.sockets.length, 1);
  assert.equal(w.state.kind, "stale");
  w.socket.telemetry(12);
  assert.equal(w.state.kind, "live");
  assert.equal(w.sockets.length, 1);
});

test("after a sleep a dead peer is found soon", () => {
  const w = liveWorld();
  w.sleep(60_000);
  w.pass(3000);
  assert.equal(w.state.kind, "waiting");
});

test("the round trip is measured", () => {
  const w = liveWorld();
  w.pass(0);
  const ping = w.socket.sent.at(-1);
  assert.equal(ping?.method, "ping");
  w.pass(7);
  w.socket.answer({});
  return Promise.resolve().then(() => assert.deepEqual(w.rtts, [7]));
});

test("a healthy link is not pinged more than needed", () => {
  const w = liveWorld();
  for (let s = 12; s < 42; s++) {
    w.pass(1000);
    w.socket.telemetry(s);
  }
  const pings = w.socket.sent.filter((m) => m.method === "ping").length;
  assert.ok(pings <= 1 + 30_000 / PROBE_MS, `${pings} pings`);
});

test("replies find their request, errors carry their word", async () => {
  const w = liveWorld();
  const good = w.link.request("info");
  w.socket.answer({ a: 1 });
  assert.deepEqual(await good, { a: 1 });
  const bad = w.link.request("history");
  const id = w.socket.sent.at(-1)?.id;
  w.socket.say({ id, error: { code: -32001, message: "too much", data: { code: "reply_too_large" } } });
  await assert.rejects(bad, (e) => e instanceof RpcError && e.word === "reply_too_large");
});

test("a request fails when the link does, or when no reply comes", async () => {
  const w = liveWorld();
  const cut = w.link.request("info");
  w.socket.drop();
  await assert.rejects(cut, (e) => e instanceof RpcError && e.word === "closed");
  await assert.rejects(w.link.request("info"));
  const u = liveWorld();
  const lost = u.link.request("info");
  for (let s = 12; s < 24; s++) {
    u.pass(1000);
    u.socket.telemetry(s);
  }
  await assert.rejects(lost, (e) => e instanceof RpcError && e.word === "timeout");
});

test("nonsense is not fatal", () => {
  const w = liveWorld();
  for (const data of ["{", "null", "[]", "7", '{"method":"event","params":{}}', '{"id":99}'])
    w.socket.onmessage?.({ data });
  w.socket.telemetry(12);
  assert.equal(w.state.kind, "live");
});
