/* The views besides overview and stats, and what only an owner may do. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Dashboard } from "./browser.mjs";
import { SHOTS, wrongOf } from "./looks.mjs";
import { clean, daemonFor } from "./reads.mjs";
import { until } from "./until.mjs";

const PASSWORD = "correct horse battery";

export const path = (d) => new URL(d.page.url());

/* What a person does with the code that the device shows. */
export async function claim(d, daemon) {
  const code = readFileSync(join(daemon.data, "claim-code"), "utf8").trim();
  const { page } = d;
  await page.getByRole("button", { name: "Claim this board" }).click();
  await page.getByLabel("Claim code").fill(code);
  await page.getByLabel("New password").fill(PASSWORD);
  await page.locator("dialog .button.first").click();
  await until("it is ours", () => page.getByRole("button", { name: "Sign out" }).count());
}

export const signedOut = (d) =>
  d.page.getByRole("button", { name: "Sign out", exact: true }).first().click();

async function signIn({ page }) {
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await until("in again", () => page.getByRole("button", { name: "Sign out" }).count());
}

async function download(d, button) {
  const [file] = await Promise.all([d.page.waitForEvent("download"), button.click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
}

export const views = {
  async "every view has an address, and the way back leads through them"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    const names = ["History", "Stats", "Events", "Device"];
    for (const name of names) {
      await d.page.getByRole("link", { name, exact: true }).click();
      await until(name, async () => (await d.page.title()).startsWith(name));
      assert.equal(path(d).pathname, `/${name.toLowerCase()}`);
    }
    for (const name of names.reverse().slice(1)) {
      await d.page.goBack();
      await until(name, async () => (await d.page.title()).startsWith(name));
    }
    await d.page.goto(`${daemon.url}/device`);
    await until("a deep link", async () => (await d.page.title()).startsWith("Device"));
    assert.equal(await d.page.locator('nav [aria-current="page"]').innerText(), "Device");
    await clean(d, daemon);
  },

  async "a tile leads to its history; the range is in the address"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    await d.live();
    await d.page.getByRole("link", { name: "Load", exact: true }).click();
    await until("the charts of the load", async () => (await d.count(".chart")) === 3);
    assert.equal(path(d).search, "?ids=load.1,load.5,load.15");
    await d.page.getByRole("button", { name: "5 min", exact: true }).click();
    assert.equal(path(d).searchParams.get("range"), "5m");
    await until("values", async () => /^[\d.]+$/.test(await d.text(".chart .amount")));
    await d.page.goBack();
    assert.equal(path(d).searchParams.get("range"), null);
    await clean(d, daemon);
  },

  async "history: synced cursors, zoom by drag and by key, files of what is shown"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/history?range=5m&ids=cpu.total,mem.used");
    const plots = d.page.getByRole("slider");
    await until("two charts", async () => (await plots.count()) === 2);
    const seen = async () => (await d.page.locator(".chart .amount").allInnerTexts()).every((x) => /\d/.test(x));
    await until("some values", seen, 30_000);
    await until("ten samples", async () => (await daemon.stats()).uptime_s >= 10, 20_000);
    const box = await plots.first().boundingBox();
    const y = box.y + box.height / 2;
    await d.page.mouse.move(box.x + box.width * 0.83, y);
    await until("both cursors", async () => (await d.count(".chart .at")) === 2);
    const times = await d.page.locator(".chart .at").allInnerTexts();
    assert.equal(times[0], times[1]);
    await d.page.mouse.down();
    await d.page.mouse.move(box.x + box.width * 0.4, y, { steps: 4 });
    await d.page.mouse.up();
    await until("zoomed", () => path(d).searchParams.has("from"));
    const width = () => Number(path(d).searchParams.get("to")) - Number(path(d).searchParams.get("from"));
    const dragged = width();
    assert.ok(dragged > 100_000 && dragged < 200_000, `${dragged} ms`);
    await plots.first().focus();
    await d.page.keyboard.press("+");
    await until("closer", () => width() < dragged);
    await d.page.keyboard.press("Escape");
    await until("whole again", () => !path(d).searchParams.has("from"));
    const csv = await download(d, d.page.getByRole("button", { name: "CSV CPU" }));
    assert.match(csv.name, /^cpu\.total-.*\.csv$/);
    const [head, ...rows] = csv.text.trim().split("\r\n");
    assert.equal(head, "time,cpu.total");
    assert.ok(rows.length > 5, `${rows.length} rows`);
    assert.match(rows.at(-1), /^\d{4}-\d\d-\d\dT[\d:.]+Z,[\d.]*$/);
    const json = await download(d, d.page.getByRole("button", { name: "JSON CPU" }));
    const { time, values } = JSON.parse(json.text);
    assert.equal(time.length, values["cpu.total"].avg.length);
    await clean(d, daemon);
  },

  async "events: what is logged appears, filtered, paused and as a file"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/events");
    const lines = () => d.count(".log li");
    await until("the start is there", async () => /started/.test(await d.text(".log")));
    await d.page.getByRole("button", { name: "Pause" }).click();
    const before = await lines();
    daemon.signal("SIGHUP"); // says so in the log
    await until("it waits", async () => /\([1-9]\d* new\)/.test(await d.text('[aria-pressed="true"]')));
    assert.equal(await lines(), before);
    await d.page.locator('[aria-pressed="true"]').click();
    await until("it came", async () => (await lines()) > before);
    await d.page.getByLabel("Search events").fill("started version");
    await until("one line", async () => (await lines()) === 1);
    const file = await download(d, d.page.getByRole("button", { name: "Download" }));
    assert.match(file.text, /^\S+ level=info event=started version=/);
    await d.page.getByLabel("Level").selectOption("error");
    await until("none", async () => /No event fits/.test(await d.text(".empty")));
    await clean(d, daemon);
  },

  async "device: what the board is, in the reader's language and colours"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/device", { locale: "de-DE" });
    await until("German", async () => /Dieses Gerät/.test(await d.text(".device")));
    assert.equal(await d.page.getAttribute("html", "lang"), "de");
    await d.page.getByLabel("Farben").selectOption("dark");
    await until("dark", async () => (await d.page.getAttribute("html", "data-theme")) === "dark");
    await d.page.getByLabel("Sprache").selectOption("fr");
    await until("French", async () => /Cet appareil/.test(await d.text(".device")));
    await d.page.goto(`${daemon.url}/`);
    await until("French everywhere", async () => /Aperçu/.test(await d.text("nav")));
    await clean(d, daemon);
  },

  async "claimed, signed in and out, with a token in between"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/device");
    const { page } = d;
    await until("it only shows", async () => /no owner yet/.test(await d.text(".device")));
    await claim(d, daemon);
    await page.locator(".form [name=name]").fill("home");
    await page.getByRole("button", { name: "Make a token" }).click();
    const secret = await until("the token", async () => (await d.count(".secret")) && d.text(".secret"));
    const asked = await fetch(`${daemon.url}/api/v1/info`, { headers: { Authorization: `Bearer ${secret}` } });
    assert.equal(asked.status, 200);
    await page.getByRole("button", { name: "Revoke home" }).click();
    await until("revoked", async () => (await d.count(".tokens li")) === 0);
    await signedOut(d);
    await page.getByRole("button", { name: "Sign in" }).click();
    d.refusals = [401];
    await page.getByLabel("Password", { exact: true }).fill("wrong");
    await page.keyboard.press("Enter");
    await until("refused", async () => /not right/.test(await d.text("dialog .note")));
    await signIn(d);
    await d.says(/^Live/);
    await clean(d, daemon);
  },

  async "where a password may not be sent, the way leads to where it may"(t) {
    const daemon = await daemonFor({ ...t, args: ["--tls-listen", "127.0.0.1:0"] });
    const d = await Dashboard.open(t.browser, daemon.url, "/device", { ignoreHTTPSErrors: true });
    d.hosts.push(new URL(daemon.secureUrl).host);
    await d.page.getByRole("button", { name: "Claim this board" }).click();
    assert.equal(await d.count("dialog form"), 0);
    assert.deepEqual(await wrongOf(d), []);
    await d.page.screenshot({ path: join(SHOTS, "claim-over-http.png") });
    await d.page.getByRole("link", { name: "Go on over HTTPS" }).click();
    await until("the same view", () => path(d).href === `${daemon.secureUrl}/device`);
    await claim(d, daemon);
    await clean(d, daemon);
  },

  async "an owner ends the session of another"(t) {
    const daemon = await daemonFor(t);
    const other = await Dashboard.open(t.browser, daemon.url);
    await other.live();
    const d = await Dashboard.open(t.browser, daemon.url, "/stats");
    await claim(d, daemon);
    const others = d.page.locator("tr:not(:has(.tag)) .fold");
    await until("the other one alone", async () => (await d.count(".sessions .tag")) && (await others.count()) === 1);
    await others.click();
    const end = d.page.getByRole("button", { name: "End this session" });
    d.refusals = [403];
    /* Signed out elsewhere, and this page has not heard of it yet. */
    await end.evaluate(async (button) => {
      const headers = { "Content-Type": "application/json" };
      await fetch("/api/v1/logout", { method: "POST", headers, body: `{"everywhere":true}` });
      button.click();
    });
    await until("it says why not", async () => /another role/.test(await d.text(".sessions ~ .note")));
    await until("it offers it no more", async () => (await end.count()) === 0);
    await d.page.getByRole("button", { name: "Sign in" }).click();
    await signIn(d);
    await end.click();
    await until("it ended", async () => {
      const { closed } = await daemon.stats();
      return closed.evicted + closed.logged_out + closed.shutdown >= 1;
    });
    await other.close();
    await clean(d, daemon);
  },
};
