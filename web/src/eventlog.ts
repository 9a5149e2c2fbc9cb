/* The board's log as this page has seen it, across restarts of the service. Pure. */

import type { BoardEvent } from "./wire";

const MOST = 1000;

/* Worst first: a filter shows its level and all before it. */
export const LEVELS = ["error", "warning", "notice", "info"] as const;
const ALIAS: Record<string, string> = { warn: "warning" };

export interface Entry extends BoardEvent {
  epoch: string; // numbers begin anew with each life of the service
}

export interface EventLog {
  entries: readonly Entry[]; // oldest first
  lost: boolean; // some came and went before we could ask
}

export const emptyLog: EventLog = { entries: [], lost: false };

export const levelOfEvent = (e: BoardEvent): string => ALIAS[e.level] ?? e.level;

/* Adds what is new; the same event may come by both ways, and late. */
export function addEvents(was: EventLog, events: readonly BoardEvent[], epoch: string): EventLog {
  const others = was.entries.filter((e) => e.epoch !== epoch);
  const ours = new Map<number, Entry>();
  for (const e of was.entries) if (e.epoch === epoch) ours.set(e.seq, e);
  for (const e of events) ours.set(e.seq, { ...e, epoch });
  const sorted = [...ours.values()].sort((a, b) => a.seq - b.seq);
  const lost = sorted.some((e, i) => i > 0 && e.seq !== sorted[i - 1]!.seq + 1);
  return { entries: [...others, ...sorted].slice(-MOST), lost };
}

export interface Filter {
  level: string;
  text: string;
}

export function filtered(log: EventLog, { level, text }: Filter): Entry[] {
  const worst = LEVELS.findIndex((l) => l === level);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return log.entries.filter((e) => {
    const rank = LEVELS.findIndex((l) => l === levelOfEvent(e));
    const line = `${e.event} ${e.text}`.toLowerCase();
    return (rank < 0 || rank <= worst) && words.every((w) => line.includes(w));
  });
}

/* One line each, as the board's own log has them. */
export const asText = (entries: readonly Entry[]): string =>
  entries
    .map((e) => `${new Date(e.t).toISOString()} level=${e.level} event=${e.event} ${e.text}\n`)
    .join("");
