/* Starts the page: the link, the renderer and the two views. */

import { render } from "preact";
import { App } from "./app";
import { steadyClock } from "./clock";
import type { Env, Socket } from "./link";
import { Overview } from "./overview";
import { Notice, Pill, wordsFor } from "./pill";
import { StatsView } from "./stats";
import { onThemeChange } from "./theme";
import { viewOf } from "./view";

const TICK_MS = 500;

const env: Env = {
  open(query) {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const url = `${scheme}//${location.host}/ws${query}`;
    return new WebSocket(url, "pulseboard.v1") as Socket;
  },
  now: steadyClock(
    () => performance.now(),
    () => Date.now(),
  ),
  after(ms, run) {
    const t = setTimeout(run, ms);
    return () => clearTimeout(t);
  },
  random: Math.random,
  online: () => navigator.onLine,
};

const app = new App(env, Date.now, schedule);
const root = document.getElementById("app")!;
let scheduled = false;
let hoverAt: number | null = null;

/* The browser runs no animation frames in a hidden tab, so nothing is drawn there. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(draw);
}

function setHover(at: number | null): void {
  hoverAt = at;
  schedule();
}

function go(e: MouseEvent): void {
  const link = e.currentTarget as HTMLAnchorElement;
  if (e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  e.preventDefault();
  if (link.pathname !== location.pathname) history.pushState(null, "", link.pathname);
  scrollTo(0, 0);
  schedule();
}

const isStats = (): boolean => /\/stats\/?$/.test(location.pathname);

function Tab({ to, here, children }: { to: string; here: boolean; children: string }) {
  return (
    <a href={to} onClick={go} aria-current={here ? "page" : undefined}>
      {children}
    </a>
  );
}

function draw(): void {
  scheduled = false;
  const view = viewOf(app.model, { now: env.now(), wall: Date.now(), hoverAt, setHover });
  const { hello, info } = app.model;
  const stats = isStats();
  const name = hello?.server.host ?? info?.device.host ?? location.hostname;
  const words = wordsFor(view);
  const mark = words.tone === "good" ? "" : `(${words.said}) `;
  document.title = `${mark}${stats ? "Stats" : "Overview"} · ${name} · Pulseboard`;
  render(
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header>
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M5 17h6l3-8 5 14 3-6h5" />
        </svg>
        <div class="name">
          <h1>{name}</h1>
          {info?.device.model && <span class="sub">{info.device.model}</span>}
        </div>
        <nav aria-label="Views">
          <Tab to="/" here={!stats}>
            Overview
          </Tab>
          <Tab to="/stats" here={stats}>
            Stats
          </Tab>
        </nav>
        <Pill view={view} />
      </header>
      <main id="main" tabIndex={-1}>
        <Notice view={view} />
        {stats ? <StatsView view={view} ask={() => void app.askStats()} /> : <Overview view={view} />}
      </main>
    </>,
    root,
  );
}

/* While the values are current, each new one redraws the page; else their age must grow. */
setInterval(() => {
  if (!document.hidden && app.model.link.kind !== "live") schedule();
}, TICK_MS);

const wake = () => {
  app.link.wake();
  schedule();
};
document.addEventListener("visibilitychange", () => document.hidden || wake());
addEventListener("online", wake);
addEventListener("offline", wake);
addEventListener("popstate", schedule);
addEventListener("resize", schedule);
addEventListener("pagehide", () => app.link.stop());
addEventListener("pageshow", (e) => e.persisted && app.link.start());
onThemeChange(schedule);

schedule();
app.link.start();
