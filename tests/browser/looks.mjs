/* How the page looks: at every width, in both themes, for everybody. */

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Dashboard } from "./browser.mjs";
import { top } from "./daemon.mjs";
import { publishing } from "./publish.mjs";
import { clean, daemonFor } from "./reads.mjs";
import { until } from "./until.mjs";

export const SHOTS = join(top, "build", "screenshots");
export const SIZES = {
  wide: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
};

/* Longer words matter where there is little room. */
const WIDTHS = {
  "en-US": [320, 390, 768, 1024, 1440, 2560, 3840],
  "de-DE": [320, 390, 768, 1440],
  "fr-FR": [320, 390, 768, 1440],
};

const VIEWS = {
  overview: ["/", ".hero"],
  history: ["/history?range=5m", ".history"],
  stats: ["/stats", ".figure"],
  events: ["/events", ".events"],
  device: ["/device", ".device"],
};
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/* What axe finds; the page was opened with bypassCSP, since axe comes from outside. */
export async function wrongOf(d) {
  if (!(await d.page.evaluate(() => "axe" in window))) await d.page.evaluate(axe);
  const found = await d.page.evaluate(async () => {
    const rules = { "target-size": { enabled: true } };
    const { violations, passes } = await window.axe.run(document, { rules });
    const bad = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
    return { bad, passed: passes.length };
  });
  assert.ok(found.passed > 10, `${found.passed} rules had something to look at`);
  return found.bad;
}

/* Readings as a house has them, told once a second until the function that is returned is called. */
async function household(daemon) {
  const { statsd } = await publishing(daemon);
  const wave = (s, period, by) => by * Math.sin((2 * Math.PI * s) / period);
  const readings = {
    boiler: (s) => ["Boiler", "°C", 61 + wave(s, 190, 4) + wave(s, 23, 0.3)],
    solar: (s) => ["Solar power", "W", 840 + wave(s, 310, 260) + wave(s, 41, 60)],
    rain: (s) => ["Rain water", "L", 1240 + s / 3],
    garden: (s) => ["Garden", "°C", 11.4 + wave(s, 400, 1.5)],
    washer: (s) => ["Washing machine", "W", s % 90 < 50 ? 420 + wave(s, 11, 90) : 4],
    hall: (s) => ["Humidity", "%", 48 + wave(s, 250, 6)],
  };
  const began = performance.now();
  const timer = setInterval(() => {
    for (const [name, of] of Object.entries(readings)) {
      const [label, unit, value] = of((performance.now() - began) / 1000);
      void statsd(`${name}:${value.toFixed(2)}|g|#unit:${unit},label:${label}`);
    }
  }, 1000);
  return async () => clearInterval(timer);
}

/* After two frames in these colours. */
const painted = (d, scheme) =>
  d.page.evaluate(
    (s) =>
      new Promise((done) =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() => done(matchMedia(`(prefers-color-scheme: ${s})`).matches)),
        ),
      ),
    scheme,
  );

async function opened(t, daemon, view, options) {
  const [path, sign] = VIEWS[view];
  const d = await Dashboard.open(t.browser, daemon.url, path, options);
  await until(`${view} is there`, () => d.count(sign));
  return d;
}

/* In the page: every visible text and the contrast it has against what is painted below it. */
function poorContrast() {
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colors) => {
    pixel.clearRect(0, 0, 1, 1);
    for (const c of colors) {
      pixel.fillStyle = c;
      pixel.fillRect(0, 0, 1, 1);
    }
    return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => {
      const c = v / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const below = (el) => {
    const stack = [];
    for (let e = el; e; e = e.parentElement) stack.unshift(getComputedStyle(e).backgroundColor);
    return stack;
  };
  const poor = [];
  for (const el of document.querySelectorAll("body *")) {
    const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !el.checkVisibility() || el.closest(".unseen, .skip")) continue;
    const paper = below(el);
    const [a, b] = [light(over([...paper, getComputedStyle(el).color])), light(over(paper))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${el.className} "${el.textContent}"`);
  }
  return poor;
}

export const looks = {
  async "nothing sticks out, from 320 px to 4K"(t) {
    const daemon = await daemonFor(t);
    for (const view of Object.keys(VIEWS))
      for (const [locale, widths] of Object.entries(WIDTHS)) {
        const d = await opened(t, daemon, view, { locale });
        for (const width of widths) {
          await d.page.setViewportSize({ width, height: 900 });
          await d.fits(`${view} at ${width} in ${locale}`);
        }
        await d.close();
      }
  },

  async "axe finds nothing, in every view, wide and phone, light and dark"(t) {
    const daemon = await daemonFor(t);
    for (const view of Object.keys(VIEWS)) {
      const d = await opened(t, daemon, view, { reducedMotion: "reduce", bypassCSP: true });
      for (const [size, { viewport }] of Object.entries(SIZES))
        for (const colorScheme of ["light", "dark"]) {
          await d.page.setViewportSize(viewport);
          await d.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
          assert.deepEqual(await wrongOf(d), [], `${view} ${size} ${colorScheme}`);
        }
      await d.close();
    }
  },

  async "on paper there is what counts, and no tools"(t) {
    const daemon = await daemonFor(t);
    const d = await opened(t, daemon, "stats");
    await d.page.emulateMedia({ media: "print" });
    assert.ok(await d.page.locator(".causes").isVisible());
    assert.ok(!(await d.page.locator("nav").isVisible()));
    await d.close();
  },

  async "with forced colours everything still has edges"(t) {
    const daemon = await daemonFor(t);
    const d = await opened(t, daemon, "overview", { forcedColors: "active" });
    const edge = await d.page.locator(".card").first().evaluate((e) => getComputedStyle(e).borderTopStyle);
    assert.equal(edge, "solid");
    assert.deepEqual(await d.page.evaluate(poorContrast), []);
    await d.close();
  },


  async "every text can be read, in both themes, live and lost"(t) {
    const daemon = await daemonFor(t);
    const open = [];
    for (const view of Object.keys(VIEWS))
      for (const colorScheme of ["light", "dark"]) {
        const d = await opened(t, daemon, view, { colorScheme, reducedMotion: "reduce" });
        assert.deepEqual(await d.page.evaluate(poorContrast), [], `${view} ${colorScheme}`);
        open.push([`${view} ${colorScheme} lost`, d]);
      }
    await daemon.end();
    for (const [name, d] of open) {
      await until(`${name}`, () => d.count(".notice"));
      assert.deepEqual(await d.page.evaluate(poorContrast), [], name);
      await d.close();
    }
  },

  async "a screen reader finds its way, and is told of changes"(t) {
    const daemon = await daemonFor(t);
    for (const view of Object.keys(VIEWS)) {
      const d = await opened(t, daemon, view);
      const { page } = d;
      assert.equal(await page.getAttribute("html", "lang"), "en");
      for (const role of ["banner", "main", "navigation", "status"])
        assert.equal(await page.getByRole(role).count(), 1, `${view}: one ${role}`);
      assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
      const levels = await page.evaluate(() =>
        [...document.querySelectorAll("h1, h2, h3")].map((h) => Number(h.tagName[1])),
      );
      assert.ok(levels.every((l, i) => l <= (levels[i - 1] ?? 0) + 1), `headings ${levels}`);
      const nameless = await page.evaluate(() =>
        [...document.querySelectorAll("canvas, [role=meter], [role=slider]")]
          .filter((e) => !e.ariaHidden && !e.ariaLabel)
          .map((e) => e.outerHTML),
      );
      assert.deepEqual(nameless, []);
      await clean(d, daemon);
    }
    const d = await opened(t, daemon, "overview");
    await d.page.keyboard.press("Tab");
    assert.equal(await d.page.evaluate(() => document.activeElement.className), "skip");
    const status = d.page.getByRole("status");
    await until("it says live", async () => (await status.textContent()) === "Live");
    await daemon.end();
    await until("and that it is not", async () => /Reconnecting/.test(await status.textContent()));
    await d.close();
  },

  async "who asks for less motion gets none"(t) {
    const daemon = await daemonFor(t);
    const d = await opened(t, daemon, "overview", { reducedMotion: "reduce" });
    const moving = await d.page.evaluate(() => document.getAnimations().length);
    assert.equal(moving, 0);
    await clean(d, daemon);
  },

  async "pictures: wide and phone, light and dark"(t) {
    /* For the picture in the README: a host with a nice name, and five minutes to draw. */
    const wrap = ["unshare", "--uts", "sh", "-c", 'hostname kitchen && exec "$@"', "sh"];
    const daemon = await daemonFor(t.update ? { ...t, wrap } : t);
    mkdirSync(SHOTS, { recursive: true });
    const watcher = await opened(t, daemon, "overview");
    if (t.update) t.after(await household(daemon));
    const enough = t.update ? 280 : 5;
    await until(
      `${enough} samples`,
      async () => (await daemon.stats()).uptime_s >= enough,
      (enough + 30) * 1000,
    );
    await watcher.close();
    for (const view of Object.keys(VIEWS))
      for (const [size, options] of Object.entries(SIZES)) {
        const d = await opened(t, daemon, view, options);
        await d.says(/^Live/);
        await until(`${view} ${size} is drawn, with what came before`, async () => view !== "overview" || (await d.chart(6)).length >= 2);
        const { width } = options.viewport;
        /* All of a phone's page, with the bar where it belongs. */
        if (size === "phone")
          await d.page.setViewportSize({ width, height: await d.page.evaluate(() => document.documentElement.scrollHeight) });
        for (const colorScheme of ["light", "dark"]) {
          await d.page.emulateMedia({ colorScheme });
          await until("painted anew", () => painted(d, colorScheme));
          await d.page.screenshot({ path: join(SHOTS, `${view}-${size}-${colorScheme}.png`) });
        }
        await d.close();
      }
    if (t.update) copyFileSync(join(SHOTS, "overview-wide-light.png"), join(top, "web", "screenshot.png"));
  },
};
