/* What the page does when something goes wrong: it says so, and comes back by itself. */

import assert from "node:assert/strict";
import { Dashboard } from "./browser.mjs";
import { Wire } from "./daemon.mjs";
import { clean, daemonFor } from "./reads.mjs";
import { steadily, until } from "./until.mjs";

const GONE = /^(Reconnecting|Stale|Offline)/;

const clockOf = (ms) => new Date(ms).toTimeString().slice(0, 8);

async function wired(t, daemon) {
  const wire = await new Wire(daemon.port).listen();
  t.after(async () => wire.close());
  return wire;
}

async function markedOld(d) {
  await until("values are marked old", () => d.count(".age"));
  assert.ok(await d.count(".hero.old"), "the big charts are marked");
  assert.ok(await d.count(".notice"), "the page says from when the values are");
  const values = await d.count(".tile .amount");
  assert.equal(await d.count(".tile .amount.old"), values, "every value is marked");
}

async function nothingOld(d) {
  await until("no value is marked old", async () => (await d.count(".age")) === 0);
  assert.equal(await d.count(".notice"), 0);
}

/* How many values of the chart's newest n places are there at all. */
const known = async (d, n) => (await d.chart(n)).filter((p) => p.value !== null).length;

export const faults = {
  async "killed and restarted: it says so, comes back, and invents nothing"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    await d.live();
    await until("five samples", async () => (await known(d, 8)) >= 5, 30_000);
    await daemon.end("SIGKILL");
    const killed = Date.now();
    await d.says(GONE, 5000);
    await markedOld(d);
    assert.match(await d.page.title(), /^\(Reconnecting\) /);
    await until("their age grows", async () => /^◷? ?[4-9] s old|old/.test(await d.text(".age")) &&
      Number(/(\d+) s/.exec(await d.text(".age"))?.[1]) >= 4);
    await daemon.start();
    const back = Date.now();
    await d.live(45_000);
    await nothingOld(d);
    await until("new samples", async () => (await known(d, 3)) >= 3);
    const places = await d.chart(90);
    /* A rate needs two samples: the first of each life of the daemon has none. */
    const shape = places.map((p) => (p.value === null ? "-" : "x")).join("");
    assert.match(shape, /^x{3,}-+x{4,}-*$/, `one hole: ${JSON.stringify(places)}`);
    const during = places.filter(
      (p) => p.value !== null && p.time > clockOf(killed + 1000) && p.time < clockOf(back - 1000),
    );
    assert.deepEqual(during, [], "nothing is drawn for the time in which there was nothing");
    await clean(d, daemon);
  },

  async "a dropped connection is resumed without a hole"(t) {
    const daemon = await daemonFor(t);
    const wire = await wired(t, daemon);
    const d = await Dashboard.open(t.browser, wire.url);
    await d.live();
    await until("three samples", async () => (await known(d, 4)) >= 3, 20_000);
    wire.cut();
    await d.says(GONE, 5000);
    await markedOld(d);
    await until("some seconds are missed", async () =>
      Number(/(\d+) s/.exec(await d.text(".age"))?.[1]) >= 4);
    wire.mend();
    await d.live(30_000);
    await nothingOld(d);
    const places = await d.chart(10);
    const shape = places.map((p) => (p.value === null ? "-" : "x")).join("");
    assert.match(shape, /^x{7,}-?$/, JSON.stringify(places));
    const { traffic } = await daemon.stats();
    assert.equal(traffic.resumed, 1);
    assert.ok(traffic.replayed >= 3, `${traffic.replayed} replayed`);
    await clean(d, daemon);
  },

  async "a link that falls silent is noticed, given up and replaced"(t) {
    const daemon = await daemonFor(t);
    const wire = await wired(t, daemon);
    const d = await Dashboard.open(t.browser, wire.url);
    await d.live();
    wire.stall();
    await d.says(/^Stale since \d\d:\d\d:\d\d/, 6000);
    await markedOld(d);
    await d.says(/^Reconnecting/, 12_000);
    wire.cut();
    wire.mend();
    await d.live(30_000);
    await nothingOld(d);
    await clean(d, daemon);
  },

  async "stopped for some seconds: stale, and live again without a new connection"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    await d.live();
    daemon.signal("SIGSTOP");
    await d.says(/^Stale since \d\d:\d\d:\d\d/, 6000);
    await markedOld(d);
    daemon.signal("SIGCONT");
    await d.says(/^Live/, 5000);
    await nothingOld(d);
    assert.equal(d.requests.filter((u) => u.startsWith("ws:")).length, 1);
    await clean(d, daemon);
  },

  async "two seconds of round trip: slow, and live"(t) {
    const daemon = await daemonFor(t);
    const wire = await wired(t, daemon);
    wire.slow(1000);
    const d = await Dashboard.open(t.browser, wire.url);
    await d.live(20_000);
    await until("the round trip is told", async () => /[2-9],?\d{3}\sms/.test(await d.pill()), 20_000);
    await steadily("live", async () => /^Live/.test(await d.pill()) && !(await d.count(".age")), 5000);
    assert.equal(d.requests.filter((u) => u.startsWith("ws:")).length, 1);
    await clean(d, daemon);
  },

  async "a hidden tab takes no telemetry, and knows what it missed when it returns"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    const sent = [];
    d.page.on("websocket", (w) => w.on("framesent", (f) => sent.push(f.payload)));
    await d.page.reload();
    await d.live();
    const hide = (hidden) =>
      d.page.evaluate((h) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => h });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await hide(true);
    await until("it takes no more", () => sent.some((m) => m.includes('"unsubscribe"')), 40_000);
    const then = (await daemon.stats()).uptime_s;
    await until("some seconds pass", async () => (await daemon.stats()).uptime_s >= then + 5);
    await hide(false);
    await d.live(5000);
    await nothingOld(d);
    await until("no hole", async () => (await known(d, 12)) >= 11);
    assert.equal(d.requests.filter((u) => u.startsWith("ws:")).length, 2);
    await clean(d, daemon);
  },

  async "an orderly restart is told apart from an accident"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    await d.live();
    await daemon.end("SIGTERM");
    await until("the reason", async () => /stopping or restarting/.test(await d.text(".notice")));
    await daemon.start();
    await d.live(45_000);
    await clean(d, daemon);
  },

  async "without a network it says offline, and hurries when it returns"(t) {
    const daemon = await daemonFor(t);
    const wire = await wired(t, daemon);
    const d = await Dashboard.open(t.browser, wire.url);
    await d.live();
    await d.context.setOffline(true);
    wire.cut();
    await d.says(/^Offline/, 8000);
    wire.mend();
    await d.context.setOffline(false);
    await d.live(5000);
    await clean(d, daemon);
  },

  async "clocks that jump move nothing"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    await d.live();
    await until("four samples", async () => (await known(d, 6)) >= 4, 20_000);
    await d.page.evaluate(() => {
      const real = Date.now;
      Date.now = () => real() - 3_600_000;
    });
    await steadily("live and current", async () =>
      /^Live/.test(await d.pill()) && !(await d.count(".age")), 4000);
    const places = await d.chart(6);
    assert.ok(places.every((p) => p.value !== null), JSON.stringify(places));
    await clean(d, daemon);
  },

  async "a full house: the next one waits, and comes in when there is room"(t) {
    const daemon = await daemonFor({ ...t, args: ["--max-sessions", "2"] });
    const tabs = [];
    for (let i = 0; i < 2; i++) tabs.push(await Dashboard.open(t.browser, daemon.url));
    for (const tab of tabs) await tab.live();
    const late = await Dashboard.open(t.browser, daemon.url);
    await late.says(GONE, 5000);
    const refused = async () => (await daemon.stats()).sessions.rejected.full;
    await until("it was refused", async () => (await refused()) >= 1);
    await clean(tabs[0], daemon);
    await late.live(45_000);
    await clean(late, daemon);
    await clean(tabs[1], daemon);
  },
};
