/* Starts the page: the link, the router and the renderer. */

import { render } from "preact";
import { Account, Door } from "./account";
import { App } from "./app";
import { steadyClock } from "./clock";
import { DeviceView } from "./device";
import { EventsView } from "./events";
import { HistoryView } from "./history";
import { language, locale, speak, t } from "./i18n";
import { recall } from "./keep";
import type { Env, Socket } from "./link";
import { Overview } from "./overview";
import { paintAll } from "./paint";
import { wordsFor } from "./pill";
import { routeOf, titleOf, withParams, type ViewName } from "./route";
import { Shell } from "./shell";
import { StatsView } from "./stats";
import { applyTheme, onThemeChange } from "./theme";
import { viewOf, type View } from "./view";

const TICK_MS = 500;
const PAUSE_MS = 20_000;
const HOLD_MS = 150;
const WORDS_MS = 2000;

/* The socket that the head of the page has opened: what it heard is told once somebody listens, and
 * the question that it asked is not asked again. */
function takeEarly(): Socket | undefined {
  const { early } = window;
  if (!early) return undefined;
  window.early = undefined;
  const { socket, heard, asked } = early;
  const s = socket as Socket;
  const send = socket.send.bind(socket);
  s.send = (text) => text === asked || send(text);
  queueMicrotask(() => {
    if (socket.readyState > WebSocket.CONNECTING) s.onopen?.();
    for (const e of heard) s.onmessage?.(e);
    if (socket.readyState > WebSocket.OPEN) s.onclose?.();
  });
  return s;
}

const env: Env = {
  open(query) {
    const early = takeEarly();
    if (early) return early;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const url = `${scheme}//${location.host}/ws${query}`;
    return new WebSocket(url, "pulseboard.v1") as Socket;
  },
  now: steadyClock(
    () => performance.now(),
    () => Date.now(),
  ),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  online: () => navigator.onLine,
};

const app = new App(env, Date.now, schedule);
const root = document.getElementById("app")!;
let ready = false; // in which language?
/* Nothing is drawn yet: the first values are under way, and a page without them is drawn twice. */
let first = true;
let scheduled = false;
let hoverAt: number | null = null;
let paper = false;

/* The browser runs no animation frames in a hidden tab, so nothing is drawn there. The first drawing
 * waits for no frame: the first numbers are in the one that comes next. */
function schedule(): void {
  if (scheduled) return;
  if (first) return draw();
  scheduled = true;
  requestAnimationFrame(draw);
}

function setHover(at: number | null): void {
  hoverAt = at;
  schedule();
}

/* Follows a link of ours without loading the page anew. */
function go(e: MouseEvent): void {
  const link = e.currentTarget as HTMLAnchorElement;
  if (e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  e.preventDefault();
  const to = link.pathname + link.search;
  if (to !== location.pathname + location.search) history.pushState(null, "", to);
  scrollTo(0, 0);
  schedule();
}

/* Another look at the same view: a step back leads to what was seen before. */
function change(params: Record<string, string | null>): void {
  history.pushState(null, "", location.pathname + withParams(location.search, params));
  schedule();
}

function Body({ here, view }: { here: ViewName; view: View }) {
  switch (here) {
    case "history":
      return <HistoryView view={view} />;
    case "stats":
      return <StatsView view={view} />;
    case "events":
      return <EventsView view={view} />;
    case "device":
      return <DeviceView view={view} />;
    case "overview":
      return <Overview view={view} />;
  }
}

function draw(): void {
  scheduled = false;
  const { board, series, who } = app.model;
  if (!ready || (first && !(board && series.rows.length) && who?.role !== "none")) return;
  first = false;
  const moment = { now: env.now(), wall: Date.now(), hoverAt, setHover };
  const view = viewOf(app.model, { ...moment, act: app, go, change, search: location.search });
  const { hello, info } = app.model;
  const here = routeOf(location.pathname);
  const name = hello?.server.host ?? info?.device.host ?? location.hostname;
  const words = wordsFor(view);
  const mark = words.tone === "good" ? "" : `(${words.said}) `;
  document.title = `${mark}${t(titleOf(here))} · ${name} · Pulseboard`;
  render(
    <Shell view={view} here={here} name={name} go={go} aside={<Account view={view} />}>
      {paper && <p class="sub paper">{new Date().toLocaleString(locale)}</p>}
      {app.model.who?.role === "none" ? (
        <Door who={app.model.who} done={view.act.signedIn} />
      ) : (
        <Body key={here} here={here} view={view} />
      )}
    </Shell>,
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
/* A hidden tab takes no telemetry after a while; what it missed comes when it returns. */
let hidden: ReturnType<typeof setTimeout>;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (document.hidden) hidden = setTimeout(() => app.link.pause(), PAUSE_MS);
  else wake();
});
addEventListener("online", wake);
addEventListener("offline", wake);
addEventListener("popstate", schedule);
addEventListener("resize", schedule);
addEventListener("pagehide", () => app.link.stop());
addEventListener("pageshow", (e) => e.persisted && app.link.start());
onThemeChange(schedule);

/* On paper everything is dark on light, says when it was, and is painted, in sight or not. */
function toPaper(on: boolean): void {
  paper = on;
  applyTheme(on ? "light" : undefined);
  draw();
  if (on) paintAll(document.querySelectorAll("canvas"));
}
addEventListener("beforeprint", () => toPaper(true));
addEventListener("afterprint", () => toPaper(false));

/* Late words are no reason for an empty page. */
async function load(file: string): Promise<Record<string, string>> {
  const reply = await fetch(file, { signal: AbortSignal.timeout(WORDS_MS) });
  if (!reply.ok) throw new Error(file);
  return reply.json();
}

async function start(): Promise<void> {
  app.link.start(); // first: nothing else on the way to a number takes as long
  applyTheme();
  await speak(recall("language", navigator.languages), load);
  document.documentElement.lang = language;
  ready = true;
  schedule();
  setTimeout(() => {
    first = false;
    schedule();
    void app.askWho();
  }, HOLD_MS);
}

void start();
