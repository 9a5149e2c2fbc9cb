import assert from "node:assert/strict";
import { test } from "node:test";
import { isBusy, verdict } from "../src/versions";

const update = (state: string, version = "2") => ({ supported: true, state, version });
const before = { bootId: "boot1", version: "1" };

test("a version has won when the board restarted and confirmed it", () => {
  assert.equal(verdict(update("confirmed"), before, "boot2")?.key, "u.won");
  assert.equal(verdict(update("confirmed"), before, "boot1"), null, "nothing restarted");
  assert.equal(verdict(update("confirmed"), null, "boot2"), null, "nothing was sent from here");
});

test("what did not win is said, whatever the boot id", () => {
  assert.equal(verdict(update("rolled_back", "1"), before, "boot2")?.tone, "bad");
  assert.equal(verdict(update("failed", "1"), before, "boot1")?.tone, "bad");
  assert.equal(verdict(update("trial"), before, "boot2")?.tone, "warn");
  assert.equal(verdict(update("idle", "1"), before, "boot2")?.key, "u.same");
});

test("busy is what needs watching", () => {
  assert.deepEqual(
    ["idle", "receiving", "writing", "reboot", "confirmed"].map((s) => isBusy(update(s))),
    [false, true, true, true, false],
  );
});
