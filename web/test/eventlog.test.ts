import assert from "node:assert/strict";
import { test } from "node:test";
import { addEvents, asText, emptyLog, filtered } from "../src/eventlog";

const event = (seq: number, level = "info", name = "session_closed", text = "cause=peer_gone") => ({
  seq,
  t: 1_700_000_000_000 + seq,
  level,
  event: name,
  text,
});
const seqs = (log: ReturnType<typeof addEvents>) => log.entries.map((e) => e.seq);

test("events come in order and once, whichever way they came", () => {
  let log = addEvents(emptyLog, [event(3)], "a");
  log = addEvents(log, [event(1), event(2), event(3)], "a");
  assert.deepEqual(seqs(log), [1, 2, 3]);
  assert.equal(log.lost, false);
  assert.equal(addEvents(log, [event(9)], "a").lost, true);
});

test("another life of the service counts anew, and the old one stays", () => {
  let log = addEvents(emptyLog, [event(1), event(2)], "a");
  log = addEvents(log, [event(1)], "b");
  assert.deepEqual(seqs(log), [1, 2, 1]);
  assert.equal(log.lost, false);
});

test("a filter shows its level and worse, and all of its words", () => {
  const log = addEvents(
    emptyLog,
    [event(1), event(2, "warn"), event(3, "error", "login_failed", "address=10.0.0.7")],
    "a",
  );
  const shown = (level: string, text = "") => filtered(log, { level, text }).map((e) => e.seq);
  assert.deepEqual(shown("info"), [1, 2, 3]);
  assert.deepEqual(shown("warning"), [2, 3]);
  assert.deepEqual(shown("error"), [3]);
  assert.deepEqual(shown("info", "LOGIN 10.0"), [3]);
  assert.match(asText(filtered(log, { level: "error", text: "" })), /level=error event=login_failed/);
});
