/* Everything the page knows, and how each event changes it. Pure. */

import type { LinkState } from "./link";
import { beginEpoch, emptySeries, merge, push, type Series } from "./series";
import { arrange, type Board } from "./tiles";
import { addEvents, emptyLog, type EventLog } from "./eventlog";
import type { BoardEvent, Bye, Events, Hello, History, Info, Stats, Who, Whole } from "./wire";

export interface Model {
  link: LinkState;
  hello: Hello | null;
  info: Info | null;
  board: Board | null;
  series: Series;
  clockSkewMs: number; // the board's wall clock minus ours
  rttMs: number | null;
  bye: Bye | null; // why the server sent us away, until it has us back
  who: Who | null; // null: a server without logins
  stats: Stats | null;
  statsAt: number;
  log: EventLog;
  wantInfo: boolean;
  wantHistory: number | null; // what came after this seq; -1: all of it
  strangers: readonly string[]; // metrics that info did not describe
}

export const emptyModel: Model = {
  link: { kind: "connecting", again: false },
  hello: null,
  info: null,
  board: null,
  series: emptySeries,
  clockSkewMs: 0,
  rttMs: null,
  bye: null,
  who: null,
  stats: null,
  statsAt: 0,
  log: emptyLog,
  wantInfo: true,
  wantHistory: null,
  strangers: [],
};

export type Event =
  | { type: "link"; state: LinkState }
  | { type: "hello"; hello: Hello }
  | { type: "telemetry"; frame: Whole; wall: number }
  | { type: "history"; history: History }
  | { type: "info"; info: Info }
  | { type: "who"; who: Who | null }
  | { type: "stats"; stats: Stats }
  | { type: "events"; events: Events }
  | { type: "event"; event: BoardEvent }
  | { type: "rtt"; ms: number }
  | { type: "bye"; bye: Bye };

/* now: the page's steady clock. */
export function reduce(m: Model, e: Event, now: number): Model {
  switch (e.type) {
    case "link":
      return { ...m, link: e.state };
    case "hello":
      return onHello(m, e.hello);
    case "telemetry":
      return onTelemetry(m, e.frame, now, e.wall);
    case "history":
      return { ...m, series: merge(m.series, e.history, now) };
    case "info":
      return onInfo(m, e.info);
    case "who":
      return { ...m, who: e.who };
    case "stats":
      return { ...m, stats: e.stats, statsAt: now };
    case "events":
      return { ...m, log: addEvents(m.log, e.events.events, e.events.epoch) };
    case "event":
      return { ...m, log: addEvents(m.log, [e.event], m.hello?.epoch ?? "") };
    case "rtt":
      return { ...m, rttMs: e.ms };
    case "bye":
      return { ...m, bye: e.bye };
  }
}

function onHello(m: Model, hello: Hello): Model {
  const series = beginEpoch(m.series, hello.epoch, hello.sample_ms);
  const anew = series.fresh;
  return {
    ...m,
    hello,
    series,
    bye: null,
    wantInfo: anew || !m.info,
    wantHistory: anew ? -1 : m.wantHistory,
    strangers: anew ? [] : m.strangers,
  };
}

/* What it describes may go and come again: then it is asked about again. */
function onInfo(m: Model, info: Info): Model {
  const known = new Set(info.metrics.map((x) => x.id));
  const strangers = m.strangers.filter((id) => !known.has(id));
  return { ...m, info, board: arrange(info.metrics), wantInfo: false, strangers };
}

function onTelemetry(m: Model, frame: Whole, now: number, wall: number): Model {
  const { series, missedSince } = push(m.series, frame, now);
  const strangers = m.info ? unknownIds(m, frame) : [];
  return {
    ...m,
    series,
    clockSkewMs: frame.t - wall,
    wantHistory: m.wantHistory ?? missedSince,
    wantInfo: m.wantInfo || strangers.length > 0,
    strangers: [...m.strangers, ...strangers],
  };
}

/* Each stranger is asked about once: a server that never describes it is not asked forever. */
function unknownIds(m: Model, f: Whole): string[] {
  const known = new Set(m.info?.metrics.map((x) => x.id));
  return Object.keys(f.values).filter((id) => !known.has(id) && !m.strangers.includes(id));
}
