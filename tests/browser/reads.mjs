/* What the page shows when all is well. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Dashboard } from "./browser.mjs";
import { Daemon } from "./daemon.mjs";
import { until } from "./until.mjs";

const BUDGET = 38_000;

export async function daemonFor(t) {
  const daemon = new Daemon(t.args);
  t.after(() => daemon.dispose());
  return daemon.start(t.wrap);
}

export async function clean(dashboard, daemon) {
  assert.deepEqual(await dashboard.close(), []);
  assert.deepEqual(daemon.errors, []);
}

const get = (url, headers = {}) =>
  new Promise((done, fail) => {
    http
      .get(url, { headers }, (res) => {
        const parts = [];
        res.on("data", (d) => parts.push(d));
        res.on("end", () => done({ res, body: Buffer.concat(parts) }));
      })
      .on("error", fail);
  });

/* A viewer that is killed: the handshake, and then nothing but a broken connection. */
async function killedViewer(daemon) {
  const s = net.connect(daemon.port, "127.0.0.1");
  s.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nUpgrade: websocket\r\n` +
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await new Promise((done, fail) => s.once("data", done).once("error", fail));
  s.resetAndDestroy();
}

const sum = (o) => Object.values(o).reduce((a, b) => a + b, 0);

export const reads = {
  async "the page is one gzipped file with a policy that fits it"(t) {
    const daemon = await daemonFor(t);
    const { res, body } = await get(`${daemon.url}/`, { "Accept-Encoding": "gzip" });
    assert.equal(res.statusCode, 200);
    assert.equal(res.headers["content-encoding"], "gzip");
    assert.ok(body.length <= BUDGET, `${body.length} bytes`);
    const policy = res.headers["content-security-policy"];
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'sha256-/);
    assert.doesNotMatch(policy, /unsafe/);
    const html = gunzipSync(body).toString();
    assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//);
    assert.doesNotMatch(html.replace(/<style>[^]*?<\/script>/, ""), / style=| on\w+=/);
    const plain = await get(`${daemon.url}/`);
    assert.equal(plain.body.toString(), html);
  },

  async "it opens, asks nobody else, and the numbers move"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    await d.live(5000);
    const first = await d.text(".heroes");
    await until("the numbers move", async () => (await d.text(".heroes")) !== first);
    assert.match(await d.page.title(), /^Overview · .+ · Pulseboard$/);
    const kinds = d.requests.filter((u) => !u.startsWith("data:")).map((u) => new URL(u).pathname);
    assert.deepEqual(kinds.sort(), ["/", "/api/v1/session", "/ws"]);
    for (const heading of ["CPU", "Memory", "System"])
      assert.ok(await d.page.getByRole("heading", { name: heading }).count(), heading);
    await clean(d, daemon);
  },

  async "a page opened later begins with what the board remembers"(t) {
    const daemon = await daemonFor(t);
    const early = await Dashboard.open(t.browser, daemon.url);
    await early.live();
    const recorded = async (d) => (await d.chart(12)).filter((p) => p.value !== null).length;
    await until("eight samples exist", async () => (await recorded(early)) >= 8, 30_000);
    const late = await Dashboard.open(t.browser, daemon.url);
    await late.live();
    await until("history came", async () => (await recorded(late)) >= 8, 3000);
    await clean(early, daemon);
    await clean(late, daemon);
  },

  async "stats by deep link: who is here, and why the others left"(t) {
    const daemon = await daemonFor(t);
    for (let i = 0; i < 3; i++) {
      const tab = await Dashboard.open(t.browser, daemon.url);
      await tab.live();
      await tab.close();
    }
    for (let i = 0; i < 3; i++) await killedViewer(daemon);
    await until("six have ended", async () => sum((await daemon.stats()).closed) === 6);
    const d = await Dashboard.open(t.browser, daemon.url, "/stats");
    await until("the session table has this page", () => d.count(".sessions .tag"));
    assert.match(await d.page.title(), /^Stats · /);
    const { sessions, closed } = await daemon.stats();
    assert.equal(sessions.opened, sessions.live + sum(closed));
    assert.equal(closed.internal_error + closed.protocol_error, 0);
    const counts = await d.page.locator(".causes tbody td.num").allInnerTexts();
    assert.equal(counts.map(Number).reduce((a, b) => a + b, 0), 6);
    assert.equal(await d.count(".causes tbody tr"), Object.keys(closed).length);
    assert.equal(await d.count(".causes .tag.warn"), 0);
    assert.match(await d.text(".sum"), /7 opened = 1 connected \+ 6 ended\s*✓ all accounted for/);
    await clean(d, daemon);
  },

  async "stats keep coming, over the WebSocket alone"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url, "/stats");
    await until("figures", () => d.count(".figure"));
    const sent = () => d.text(".figure:nth-child(4)");
    const before = await sent();
    await until("they move", async () => (await sent()) !== before);
    const other = await Dashboard.open(t.browser, daemon.url);
    await until("a second session shows", async () => (await d.count(".sessions tbody tr")) === 2);
    await other.close();
    await until("and leaves", async () => (await d.count(".sessions tbody tr")) === 1);
    assert.ok(!d.requests.some((u) => u.endsWith("/ws/stats")));
    await clean(d, daemon);
  },

  async "links and the back button move between the views"(t) {
    const daemon = await daemonFor(t);
    const d = await Dashboard.open(t.browser, daemon.url);
    await d.live();
    await d.page.getByRole("link", { name: "Stats" }).click();
    await until("stats", () => d.count(".figure"));
    assert.equal(new URL(d.page.url()).pathname, "/stats");
    assert.equal(await d.page.locator('nav [aria-current="page"]').innerText(), "Stats");
    await d.page.goBack();
    await until("overview again", () => d.count(".hero"));
    assert.equal(new URL(d.page.url()).pathname, "/");
    assert.equal(d.requests.filter((u) => u.startsWith("ws:")).length, 1);
    await clean(d, daemon);
  },

  async "over TLS it uses TLS for everything"(t) {
    const dir = mkdtempSync(join(tmpdir(), "pulseboard-tls-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const pem = join(dir, "board.pem");
    execFileSync("openssl", [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" "),
      ..."-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1".split(" "),
      ...["-keyout", pem, "-out", `${pem}.crt`],
    ], { stdio: "ignore" });
    appendFileSync(pem, readFileSync(`${pem}.crt`));
    const tls = ["--tls-listen", "127.0.0.1:0", "--tls-pem", pem];
    const daemon = await daemonFor({ ...t, args: tls });
    const d = await Dashboard.open(t.browser, daemon.secureUrl, "/", { ignoreHTTPSErrors: true });
    await d.live();
    const schemes = d.requests.map((u) => new URL(u).protocol).filter((s) => s !== "data:");
    assert.deepEqual(schemes.sort(), ["https:", "https:", "wss:"]);
    await clean(d, daemon);
  },

  async "without JavaScript it shows the figures as plain text"(t) {
    const daemon = await daemonFor(t);
    for (const path of ["/", "/stats"]) {
      const d = await Dashboard.open(t.browser, daemon.url, path, { javaScriptEnabled: false });
      await until("the text", async () => new URL(d.page.url()).pathname === "/stats.txt");
      assert.match(await d.text("body"), /Why earlier ones ended\s+peer_closed +0/);
      await d.close();
    }
  },
};
