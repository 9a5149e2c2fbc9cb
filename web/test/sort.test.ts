import assert from "node:assert/strict";
import { test } from "node:test";
import { pressed, sorted } from "../src/sort";
import type { SessionRow } from "../src/wire";

const row = (id: string, over: Partial<SessionRow>): SessionRow => ({
  id,
  address: "10.0.0.1:1",
  age_s: 1,
  state: "open",
  role: "viewer",
  transport: "ws",
  rtt_ms: null,
  interval_ms: 15_000,
  missed: 0,
  queued_bytes: 0,
  messages: 0,
  last_heard_ms: 0,
  ...over,
});
const list = [
  row("1", { rtt_ms: 9, address: "10.0.0.10:1" }),
  row("2", { rtt_ms: null, address: "10.0.0.9:1" }),
  row("3", { rtt_ms: 30, address: "10.0.0.9:1" }),
];
const ids = (rows: SessionRow[]) => rows.map((r) => r.id).join("");

test("sorts by number and by name as people do, the unknown last", () => {
  assert.equal(ids(sorted(list, { by: "rtt_ms", down: true })), "312");
  assert.equal(ids(sorted(list, { by: "rtt_ms", down: false })), "132");
  assert.equal(ids(sorted(list, { by: "address", down: false })), "231");
});

test("a second press turns the order round", () => {
  const once = pressed({ by: "age_s", down: true }, "rtt_ms", true);
  assert.deepEqual(once, { by: "rtt_ms", down: true });
  assert.deepEqual(pressed(once, "rtt_ms", true), { by: "rtt_ms", down: false });
  assert.deepEqual(pressed(once, "address", false), { by: "address", down: false });
});
