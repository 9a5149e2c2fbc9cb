/* The views besides overview and stats. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Dashboard } from "./browser.mjs";
import { clean, daemonFor } from "./reads.mjs";
import { until } from "./until.mjs";

const path = (d) => new URL(d.page.url());

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

};
