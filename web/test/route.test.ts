import assert from "node:assert/strict";
import { test } from "node:test";
import { pathOf, routeOf, VIEWS, withParams } from "../src/route";

test("every view has an address, and every address a view", () => {
  for (const view of VIEWS) assert.equal(routeOf(pathOf(view)), view);
  assert.equal(routeOf("/stats/"), "stats");
  assert.equal(routeOf("/nowhere"), "overview");
  assert.equal(routeOf("/stats/more"), "overview");
});

test("parameters are changed one by one, and stay readable", () => {
  assert.equal(withParams("", { range: "24h" }), "?range=24h");
  assert.equal(withParams("?range=1h&ids=a,b", { range: "7d" }), "?range=7d&ids=a,b");
  assert.equal(withParams("?from=1&to=2", { from: null, to: null }), "");
});
