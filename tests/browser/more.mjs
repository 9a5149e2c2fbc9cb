/* Readings of programs, fingers on a chart, the owner's rules, an update's states, paper. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Dashboard } from "./browser.mjs";
import { publishing } from "./publish.mjs";
import { SHOTS, SIZES, wrongOf } from "./looks.mjs";
import { clean, daemonFor } from "./reads.mjs";
import { until } from "./until.mjs";
import { claim, path, signedOut } from "./views.mjs";

const MOST = 64;

const stretchOf = (d) => {
  const { searchParams } = path(d);
  return Number(searchParams.get("to")) - Number(searchParams.get("from"));
};

/* Fingers on a chart, as places in it: each moves from its first to its second. */
async function touch(d, plot, fingers) {
  const cdp = await d.context.newCDPSession(d.page);
  const box = await plot.boundingBox();
  const at = (part) => ({ x: box.x + box.width * part, y: box.y + box.height / 2 });
  const send = (type, places) =>
    cdp.send("Input.dispatchTouchEvent", {
      type,
      touchPoints: places.map((part, id) => ({ ...at(part), id })),
    });
  await send("touchStart", fingers.map(([from]) => from));
  for (const part of [0.25, 0.5, 0.75, 1])
    await send("touchMove", fingers.map(([from, to]) => from + (to - from) * part));
  await send("touchEnd", []);
  await cdp.detach();
}

export const more = {
  async "64 readings of programs, over HTTP and by statsd: shown, kept, and the next is refused"(t) {
    const daemon = await daemonFor(t);
    const board = await publishing(daemon);
    const reading = (i) => ({ name: `r${i}`, value: i + 0.5, unit: "L", label: `Reading ${i}` });
    const first = await board.post({ metrics: Array.from({ length: 32 }, (_, i) => reading(i)) });
    assert.equal(first.status, 200);
    for (let i = 32; i < MOST; i++) await board.statsd(`r${i}:${i}.5|g|#unit:L,label:Reading ${i}`);
    const d = await Dashboard.open(t.browser, daemon.url);
    const own = d.page.locator("section", { has: d.page.getByRole("button", { name: "Own readings" }) });
    await until("the others can be asked for", () => own.getByRole("button", { name: `Show ${MOST - 12} more` }).count());
    await own.getByRole("button", { name: `Show ${MOST - 12} more` }).click();
    await until("all are there", async () => (await own.locator(".tile").count()) === MOST);
    const tile = (i) => own.locator(".tile", { has: d.page.getByRole("link", { name: `Reading ${i}`, exact: true }) });
    for (const i of [0, 31, 32, 63]) assert.equal(await tile(i).locator(".amount").innerText(), `${i}.5 L`);
    await board.statsd("r63:+1|g");
    await until("it follows", async () => (await tile(63).locator(".amount").innerText()) === "64.5 L");
    mkdirSync(SHOTS, { recursive: true });
    for (const [size, { viewport }] of Object.entries(SIZES)) {
      await d.page.setViewportSize(viewport);
      await d.fits(size);
      await d.page.screenshot({ path: join(SHOTS, `own-${size}.png`) });
    }
    const refused = await board.post({ metrics: [reading(MOST)] });
    assert.match(JSON.stringify(await refused.json()), /"why":"[^"]+/);
    await d.page.getByRole("link", { name: "Events", exact: true }).click();
    await until("the log says so", async () => /readings_refused/.test(await d.text(".log")));
    await d.page.getByRole("link", { name: "Device", exact: true }).click();
    await until("with their ages", async () => (await d.page.locator(".own .facts > div").count()) === MOST);
    assert.match(await d.text(".own .facts"), /Reading 0 gauge\s+0\.5 L · \d+ s ago/);
    await d.page.goto(`${daemon.url}/history?range=5m&ids=own.r63`);
    await until("its history", async () => /^6[34]\.5/.test(await d.text(".chart .amount")));
    await clean(d, daemon);
  },

  async "readings with long names and great numbers fit, and axe finds nothing"(t) {
    const daemon = await daemonFor(t);
    const board = await publishing(daemon);
    const names = Array.from({ length: MOST }, (_, i) => `a.rather.long.name.of.a.reading.${i}`);
    await board.post({ metrics: names.map((name, i) => ({ name, value: 10 ** (i % 12), unit: i % 2 ? "°C" : "" })) });
    const d = await Dashboard.open(t.browser, daemon.url, "/", { bypassCSP: true, reducedMotion: "reduce" });
    for (const view of ["/", "/device"]) {
      await d.page.goto(daemon.url + view);
      await until("they are there", async () => /rather\.long/.test(await d.text("main")));
      for (const [size, { viewport }] of Object.entries(SIZES)) {
        await d.page.setViewportSize(viewport);
        assert.deepEqual(await wrongOf(d), [], `${view} ${size}`);
        await d.fits(`${view} ${size}`);
      }
    }
    await clean(d, daemon);
  },

  async "history on a phone: a finger chooses a stretch, two open it wider or show all again"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/history?range=5m&ids=cpu.total", SIZES.phone);
    const plot = d.page.getByRole("slider").first();
    await until("values", async () => /\d/.test(await d.text(".chart .amount")), 30_000);
    await touch(d, plot, [[0.2, 0.7]]);
    await until("a stretch", () => path(d).searchParams.has("from"));
    const dragged = stretchOf(d);
    assert.ok(dragged > 120_000 && dragged < 240_000, `${dragged} ms`);
    await touch(d, plot, [[0.35, 0.2], [0.45, 0.6]]);
    await until("closer", () => stretchOf(d) < dragged / 2);
    await touch(d, plot, [[0.1, 0.3], [0.7, 0.4]]);
    await until("all again", () => !path(d).searchParams.has("from"));
    await clean(d, daemon);
  },

  async "the owner says who may look, and with which password"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/device");
    await claim(d, daemon);
    const card = d.page.locator(".viewers");
    await card.getByLabel("Password for viewers").fill("only looking here");
    await card.getByRole("button", { name: "Set it" }).click();
    await until("it is set", () => card.getByRole("button", { name: "Remove it" }).count());
    await card.getByLabel("Looking needs a password").check();
    await until("the board knows", async () => (await fetch(`${daemon.url}/api/v1/info`)).status === 401);
    await signedOut(d);
    await until("a door", () => d.count(".door"));
    await d.page.getByLabel("Password", { exact: true }).fill("only looking here");
    await d.page.keyboard.press("Enter");
    await until("a viewer sees", () => d.count(".device"));
    assert.equal(await d.page.locator(".viewers").count(), 0);
    d.refusals = [401];
    await clean(d, daemon);
  },

  async "an update: each state that the board can tell has its words"(t) {
    const daemon = await daemonFor(t);
    const api = await (await fetch(`${daemon.url}/api/v1/openapi.json`)).json();
    const states = api.components.schemas.Update.properties.state.enum;
    assert.ok(states.length >= 9);
    const d = await Dashboard.open(t.browser, daemon.url, "/events", { bypassCSP: true, reducedMotion: "reduce" });
    let state = "";
    await d.page.route("**/api/v1/update", (route) =>
      route.fulfill({ json: { supported: true, state, slot: "b", version: "2.0.0", progress: 0.4, why: "" } }),
    );
    const words = new Set();
    for (state of states) {
      await d.page.goto(`${daemon.url}/device`);
      const card = d.page.locator(".card", { has: d.page.getByRole("heading", { name: "Update" }) });
      words.add(await until(state, async () => (await card.count()) && card.innerText()));
      assert.deepEqual(await wrongOf(d), [], state);
    }
    assert.equal(words.size, states.length, "no two look the same");
    assert.ok(![...words].some((w) => /_|undefined/.test(w)), [...words].join("\n"));
    await clean(d, daemon);
  },

  async "printed from a dark screen it is dark on light, with every chart and the time"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/", { colorScheme: "dark" });
    await d.live();
    await until("some tiles", async () => (await d.count(".spark")) > 3);
    await d.page.emulateMedia({ media: "print", colorScheme: "dark" });
    await d.page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const seen = await d.page.evaluate(() => ({
      paper: getComputedStyle(document.body).backgroundColor,
      blank: [...document.querySelectorAll("canvas")].filter((c) => c.clientWidth && c.width === 300 && c.height === 150).length,
      when: document.querySelector("main").innerText,
    }));
    assert.match(seen.paper, /rgb\(2[45]\d, 2[45]\d, 2[45]\d\)/);
    assert.equal(seen.blank, 0, "every chart is painted");
    assert.match(seen.when, /\d\d?\/\d\d?\/\d{4}/);
    await d.page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.equal(await d.page.getAttribute("html", "data-theme"), "auto");
    mkdirSync(SHOTS, { recursive: true });
    await d.page.pdf({ path: join(SHOTS, "overview.pdf"), format: "A4" });
    await clean(d, daemon);
  },
};
