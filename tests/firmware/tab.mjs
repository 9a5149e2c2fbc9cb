/* tab.mjs PORT: two browsers open the dashboard of a board. One is killed, as when somebody
 * pulls the plug of a PC; the other one's Stats view says that it went, and why. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Dashboard, launch } from "../browser/browser.mjs";
import { until } from "../browser/until.mjs";

const require = createRequire(new URL("../browser/main.mjs", import.meta.url));
const { chromium } = require("playwright-core");

const url = `http://127.0.0.1:${process.argv[2]}`;
const PATIENCE_MS = 240_000; // an emulated board on a busy machine
const stats = async () => (await fetch(`${url}/ws/stats`)).json();

const watching = await launch();
const watcher = await Dashboard.open(watching, url, "/stats");
const server = await chromium.launchServer({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
});
const doomed = await Dashboard.open(await chromium.connect(server.wsEndpoint()), url);
await doomed.live(PATIENCE_MS);
await until("two sessions live", async () => (await stats()).sessions.active === 2, PATIENCE_MS);
await until("the page lists two", async () => (await watcher.count(".sessions tbody tr")) >= 2, PATIENCE_MS);

await server.kill();
const ended = await until(
  "the page says why one ended",
  async () => /^peer_(gone|reset)$/.exec(await watcher.text(".causes tr:not(.zero) code"))?.[0],
  PATIENCE_MS,
);
assert.equal((await stats()).closed[ended], 1);
assert.deepEqual(await watcher.close(), []);
await watching.close();
process.exit(0);
