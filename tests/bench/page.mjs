/* The measurements of tests/bench/page. */

import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { Dashboard, launch } from "../browser/browser.mjs";
import { Daemon } from "../browser/daemon.mjs";
import { until } from "../browser/until.mjs";

const at = process.argv.indexOf("--seconds");
const SECONDS = at > 0 ? Number(process.argv[at + 1]) : 20;
const LOADS = 9;
const VIEWERS = 32;
const SETTLE_S = 3;

const sleep = (s) => new Promise((done) => setTimeout(done, s * 1000));
const median = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1];
const rows = [];
const tell = (what, measured, budget = "") => rows.push([what, measured, budget]);

/* The whole answer as it is on the wire, head and body. */
const wireBytes = (url) =>
  new Promise((done, fail) => {
    const headers = { "Accept-Encoding": "gzip", Connection: "close" };
    http
      .get(url, { headers }, (res) => {
        let n = 0;
        res.on("data", (d) => (n += d.length)).on("end", () => done(n));
      })
      .on("error", fail);
  });

/* From navigation to the first digit that is drawn in a chart's heading. */
function watchForNumber() {
  window.firstNumber = new Promise((done) => {
    const look = () => {
      const big = document.querySelector(".big");
      if (big && /\d/.test(big.textContent)) done(performance.now());
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/* Milliseconds, and what was asked for meanwhile. */
async function load(browser, daemon, url) {
  const d = await Dashboard.open(browser, daemon.url, "/stats");
  await d.context.addInitScript(watchForNumber);
  d.requests.length = 0;
  await d.page.goto(url, { waitUntil: "commit" });
  const took = await d.page.evaluate(() => window.firstNumber);
  const requests = d.requests.filter((u) => u.startsWith("http"));
  await d.close();
  return { took, requests };
}

/* The least that a browser can do: one number, and nothing else. */
async function bare() {
  const server = http.createServer((_, res) => {
    res.setHeader("Content-Type", "text/html");
    res.end('<!doctype html><title>bare</title><p class="big">1');
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

/* In turns, so that both meet the same machine. */
async function loads(browser, daemon) {
  const times = [], least = [];
  let requests = [];
  const server = await bare();
  for (let i = 0; i < LOADS; i++) {
    least.push((await load(browser, daemon, `http://127.0.0.1:${server.address().port}/`)).took);
    const ours = await load(browser, daemon, `${daemon.url}/`);
    times.push(ours.took);
    requests = ours.requests;
  }
  server.close();
  tell("page, gzipped", `${(await wireBytes(daemon.url)).toLocaleString("en")} B`, "38,000 B");
  const pages = requests.filter((u) => new URL(u).pathname === "/").length;
  tell("requests for the page; besides: who is this?", `${pages}; ${requests.length - pages}`, "1");
  tell("navigation to first number, median / worst",
    `${median(times).toFixed(0)} / ${Math.max(...times).toFixed(0)} ms`, "300 ms");
  tell("the same of a page with one number and nothing else",
    `${median(least).toFixed(0)} / ${Math.max(...least).toFixed(0)} ms`);
}

/* Frames as the page gets them: whole ones and those that say what changed. */
async function telemetry(browser, daemon) {
  const d = await Dashboard.open(browser, daemon.url, "/stats");
  const sizes = { full: [], delta: [] };
  d.page.on("websocket", (w) =>
    w.on("framereceived", ({ payload }) => {
      const m = JSON.parse(payload);
      if (m.method !== "telemetry") return;
      sizes[m.params.base === undefined ? "full" : "delta"].push(Buffer.byteLength(payload) + 4);
    }),
  );
  await d.page.goto(`${daemon.url}/`);
  await d.live();
  await sleep(SECONDS);
  for (const [kind, list] of Object.entries(sizes))
    tell(`bytes per second and viewer, ${kind} frames at 1 Hz`,
      list.length ? `${median(list).toLocaleString("en")} B` : "no such frames");
  await d.close();
}

/* Every process below this one but the board: the browser with all that it consists of. */
function browserPids(daemon) {
  const below = (pid) => {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const children = tasks.flatMap((t) =>
      readFileSync(`/proc/${pid}/task/${t}/children`, "utf8").trim().split(" ").filter(Boolean));
    return children.flatMap((c) => (Number(c) === daemon.pid ? [] : [Number(c), ...below(c)]));
  };
  return below(process.pid);
}

const browserNs = (daemon) => browserPids(daemon).reduce((sum, pid) => sum + cpuNs(pid), 0);

/* The main thread of the page, and the whole browser, drawing an overview at 1 Hz. */
async function browserCpu(browser, daemon) {
  const d = await Dashboard.open(browser, daemon.url);
  await d.live();
  await sleep(SETTLE_S); // loading is told above
  const cdp = await d.context.newCDPSession(d.page);
  /* The CPU time of its thread, not how long its tasks took: the machine may be busy. */
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    return metrics.find((m) => m.name === "TaskDuration").value;
  };
  const before = [await spent(), browserNs(daemon) / 1e9];
  const began = performance.now();
  await sleep(SECONDS);
  const after = [await spent(), browserNs(daemon) / 1e9];
  const seconds = (performance.now() - began) / 1000;
  const [page, all] = after.map((v, i) => `${(((v - before[i]) / seconds) * 100).toFixed(2)} % of a core`);
  tell("browser, overview at 1 Hz: the page", page, "2 %");
  tell("browser, all its processes", all);
  await d.close();
}

function cpuNs(pid) {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`))
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
  return sum;
}

function viewer(daemon) {
  const s = net.connect(daemon.port, "127.0.0.1");
  s.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nUpgrade: websocket\r\n` +
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  s.on("data", () => {}).on("error", () => {});
  return s;
}

async function serverCpu(daemon) {
  const sockets = [];
  for (const n of [0, 1, VIEWERS]) {
    while (sockets.length < n) sockets.push(viewer(daemon));
    await until("they are in", async () => (await daemon.stats()).sessions.live === n);
    const before = cpuNs(daemon.pid);
    await sleep(SECONDS);
    const part = (cpuNs(daemon.pid) - before) / (SECONDS * 1e9);
    tell(`server, ${n} viewers`, `${(part * 100).toFixed(3)} % of a core`, n ? "" : "0.3 %");
  }
  for (const s of sockets) s.destroy();
}

const daemon = await new Daemon().start();
const browser = await launch();
try {
  await loads(browser, daemon);
  await telemetry(browser, daemon);
  await browserCpu(browser, daemon);
  await browser.close();
  await serverCpu(daemon);
} finally {
  await browser.close();
  await daemon.dispose();
}
/* As a table that a README takes as it is. */
const table = [["", "measured", "budget"], ["---", "---", "---"], ...rows];
const widths = [0, 1, 2].map((i) => Math.max(...table.map((row) => row[i].length)));
for (const row of table) console.log(`| ${row.map((x, i) => x.padEnd(widths[i])).join(" | ")} |`);
