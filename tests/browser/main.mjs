/* Runs the tests one after the other; each gets a browser and what it asks for. */

import { launch } from "./browser.mjs";
import { faults } from "./faults.mjs";
import { looks } from "./looks.mjs";
import { more } from "./more.mjs";
import { reads } from "./reads.mjs";
import { views } from "./views.mjs";

const words = process.argv.slice(2);
const update = words.includes("--update-screenshot");
const names = words.filter((w) => !w.startsWith("--"));
const TEST_MS = update ? 500_000 : 400_000; // a hung one ends; a busy machine does not

const tests = { ...reads, ...views, ...more, ...faults, ...looks };
const chosen = Object.entries(tests).filter(
  ([name]) => !names.length || names.some((n) => name.includes(n)),
);

function limited(run) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`not done after ${TEST_MS} ms`)), TEST_MS);
  });
  return Promise.race([run, late]).finally(() => clearTimeout(timer));
}

let passed = 0;
let failed = 0;
const browser = await launch();
for (const [name, run] of chosen) {
  const began = performance.now();
  const undo = [];
  try {
    await limited(run({ browser, update, after: (f) => undo.push(f) }));
    passed++;
    console.log(`ok   ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (e) {
    failed++;
    console.log(`FAIL ${name}\n     ${e.stack?.split("\n").slice(0, 12).join("\n     ")}`);
  }
  for (const f of undo.reverse()) await f();
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !chosen.length ? 1 : 0);
