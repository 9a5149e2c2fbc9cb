/* Chromium, and a page that keeps account of everything that must not happen. */

import { chromium } from "playwright-core";
import { until } from "./until.mjs";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/* Each launch has a fresh profile of its own. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ARGS,
  });

/* What the browser itself reports when nobody listens: the page cannot prevent it. An answer that
 * refuses is none of it: a test that provokes one says so in `refusals`. */
const NETWORK = /WebSocket connection to '[^']*' failed|net::ERR_/;
const REFUSAL = /Failed to load resource: the server responded with a status of (\d+)/;

export class Dashboard {
  complaints = [];
  requests = [];
  refusals = []; // numbers of HTTP answers that the test provokes

  static async open(browser, base, path = "/", options = {}) {
    const d = new Dashboard();
    d.base = base;
    d.context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      locale: "en-US",
      ...options,
    });
    d.page = await d.context.newPage();
    d.#watch();
    await d.page.goto(base + path);
    return d;
  }

  #watch() {
    this.hosts = [new URL(this.base).host]; // whom it may ask
    const own = (url) => {
      this.requests.push(url);
      if (url.startsWith("data:")) return;
      if (!this.hosts.includes(new URL(url).host)) this.complaints.push(`request to ${url}`);
    };
    this.page.on("request", (r) => own(r.url()));
    this.page.on("websocket", (w) => own(w.url()));
    this.page.on("pageerror", (e) => this.complaints.push(`exception: ${e.message}`));
    this.page.on("console", (m) => {
      const refused = this.refusals.includes(Number(REFUSAL.exec(m.text())?.[1]));
      if (!refused && !NETWORK.test(m.text()))
        this.complaints.push(`console: ${m.text()} ${m.location().url}`);
    });
    return this.context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (e) =>
        console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`),
      );
    });
  }

  /* Closes the page and hands out what there was to complain about. */
  async close() {
    await this.context.close();
    return this.complaints;
  }

  pill = () => this.page.locator(".pill").innerText();
  text = (selector) => this.page.locator(selector).first().innerText();
  count = (selector) => this.page.locator(selector).count();

  says = (what, ms) => until(`the pill says ${what}`, async () => what.test(await this.pill()), ms);

  async live(ms) {
    await this.says(/^Live/, ms);
    await until("a number is on the page", async () => /\d/.test(await this.text(".big")), ms);
  }

  /* Reads the CPU chart as somebody with a keyboard and a screen reader does: the newest
   * `n` places, newest first, as {time: "14:02:11", value: number | null}. */
  async chart(n) {
    const plot = this.page.getByRole("slider").first();
    await plot.focus();
    await plot.press("ArrowRight"); // from the newest
    const places = [];
    /* On a busy machine time moves under the crosshair: one place may come twice. */
    for (let i = 0; places.length < n && i < 3 * n; i++) {
      const said = await this.reading(plot);
      const m = /^(\d\d:\d\d:\d\d): (?:([\d.]+)|–)/.exec(said);
      if (!m) throw new Error(`the chart says "${said}"`);
      const place = { time: m[1], value: m[2] === undefined ? null : Number(m[2]) };
      if (places.at(-1)?.time !== place.time) places.push(place);
      await plot.press("ArrowLeft");
    }
    await plot.blur();
    return places;
  }

  /* After the frame that is under way. */
  async reading(plot) {
    await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    return plot.getAttribute("aria-valuetext");
  }

  /* Nothing sticks out, once the page has taken note of a new width: it draws anew in the next frame. */
  fits = (where) =>
    until(`nothing sticks out: ${where}`, () =>
      this.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), 3000);
}
