/* tab.mjs PORT: Chromium opens the dashboard and its Stats view on a board; then the browser
 * is killed, as when somebody pulls the plug of a PC. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { until } from "../browser/until.mjs";

const require = createRequire(new URL("../browser/main.mjs", import.meta.url));
const { chromium } = require("playwright-core");

const url = `http://127.0.0.1:${process.argv[2]}`;
const stats = async () => (await fetch(`${url}/ws/stats`)).json();
const PATIENCE_MS = 120_000; // an emulated board on a busy machine

const server = await chromium.launchServer({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
});
const browser = await chromium.connect(server.wsEndpoint());
const page = await browser.newPage();
page.setDefaultTimeout(PATIENCE_MS);
await page.goto(`${url}/stats`);
await until("a session lives", async () => (await stats()).sessions.active >= 1, PATIENCE_MS);
const heading = page.getByRole("heading", { name: /stats|sessions/i }).first();
await heading.waitFor();
assert.match(await page.evaluate(() => document.body.innerText), /sessions/i);
await server.kill();
process.exit(0);
