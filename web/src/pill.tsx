/* The state of the connection in plain words, always in sight. */

import { clock, millis, number } from "./format";
import type { View } from "./view";

export interface Words {
  tone: "good" | "warn" | "bad";
  text: string; // what is seen
  said: string; // what is announced: the same without the countdown
}

export function wordsFor(v: View): Words {
  const s = v.m.link;
  switch (s.kind) {
    case "live":
      return { tone: "good", text: "Live", said: "Live" };
    case "stale": {
      const text = `Stale since ${clock(v.wallOf(s.since))}`;
      return { tone: "warn", text, said: text };
    }
    case "connecting": {
      const text = s.again ? "Reconnecting…" : "Connecting…";
      return { tone: "warn", text, said: s.again ? "Reconnecting" : "Connecting" };
    }
    case "waiting": {
      const left = Math.max(1, Math.ceil((s.until - v.now) / 1000));
      return { tone: "bad", text: `Reconnecting in ${number(left)} s`, said: "Reconnecting" };
    }
    case "offline":
      return { tone: "bad", text: "Offline", said: "Offline" };
  }
}

export function Pill({ view }: { view: View }) {
  const { tone, text, said } = wordsFor(view);
  const rtt = view.m.rttMs;
  const detail = view.m.link.kind === "live" && rtt !== null;
  return (
    <div class={`pill ${tone}`}>
      <span class="dot" aria-hidden="true" />
      <span aria-hidden="true">{text}</span>
      {detail && (
        <span class="rtt" title="Round trip between this page and the board">
          {millis(rtt)}
        </span>
      )}
      <span class="unseen" role="status">
        {said}
      </span>
    </div>
  );
}

const BYE: Record<string, string> = {
  shutdown: "The board is stopping or restarting its service.",
  evicted: "The board was full and gave this seat to an administrator.",
  slow_reader: "This page read too slowly for the board.",
  heartbeat_lost: "The board had not heard from this page for too long.",
  logged_out: "You were signed out.",
  expired: "Your sign-in has expired.",
};

/* Below the header while the values are not current: since when, and why if the board said. */
export function Notice({ view }: { view: View }) {
  const { m } = view;
  const kind = m.link.kind;
  const last = m.series.rows[m.series.rows.length - 1];
  if (kind === "live" || !last) return null;
  const at = clock(view.wallOf(last.up + view.offset));
  const why =
    kind === "stale"
      ? "The board is not sending new values."
      : kind === "offline"
        ? "This device has no network."
        : ((m.bye && BYE[m.bye.cause]) ?? "The connection to the board was lost.");
  return (
    <p class="notice">
      <strong>Showing values from {at}.</strong> {why}
    </p>
  );
}
