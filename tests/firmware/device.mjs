/* device.mjs PORT COOKIE TEXT [FILE]: an owner's browser on the Device view of a board. Gives it the
 * update FILE, if there is one, as people do; waits until the page says TEXT. */

import { launch } from "../browser/browser.mjs";

const PATIENCE_MS = 600_000; // an emulated board on a busy machine
const [port, cookie, text, file] = process.argv.slice(2);
const url = `https://127.0.0.1:${port}`;
const [name, value] = cookie.split(/=(.*)/s);

const browser = await launch();
const context = await browser.newContext({ ignoreHTTPSErrors: true });
context.setDefaultTimeout(PATIENCE_MS);
await context.addCookies([{ name, value, url, secure: true, httpOnly: true, sameSite: "Strict" }]);
const page = await context.newPage();
await page.goto(`${url}/device`);
if (file) await page.locator('input[type="file"][accept=".pbu"]').setInputFiles(file);
await page.locator("section.card", { hasText: text }).waitFor();
await browser.close();
