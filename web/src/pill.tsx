/* The state of the connection in plain words, always in sight. */

import { clock, millis, number } from "./format";
import { known, t } from "./i18n";
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
      return { tone: "good", text: t("live"), said: t("live") };
    case "stale": {
      const text = t("stale", { at: clock(v.wallOf(s.since)) });
      return { tone: "warn", text, said: text };
    }
    case "connecting": {
      const said = t(s.again ? "reconnecting" : "connecting");
      return { tone: "warn", text: `${said}…`, said };
    }
    case "waiting": {
      const left = Math.max(1, Math.ceil((s.until - v.now) / 1000));
      return { tone: "bad", text: t("waiting", { n: number(left) }), said: t("reconnecting") };
    }
    case "offline":
      return { tone: "bad", text: t("offline"), said: t("offline") };
  }
}

/* The dot beats once for each frame that came: what seems alive is alive. */
export function Pill({ view }: { view: View }) {
  const { tone, text, said } = wordsFor(view);
  const rtt = view.m.rttMs;
  const newest = view.m.series.rows[view.m.series.rows.length - 1]?.seq ?? 0;
  const detail = view.m.link.kind === "live" && rtt !== null;
  return (
    <div class={`pill ${tone}`}>
      <span class={newest % 2 ? "dot odd" : "dot"} aria-hidden="true" />
      <span aria-hidden="true">{text}</span>
      {detail && (
        <span class="rtt" title={t("rtt.title")}>
          {millis(rtt)}
        </span>
      )}
      <span class="unseen" role="status">
        {said}
      </span>
    </div>
  );
}

/* Below the header while the values are not current: since when, and why if the board said. */
export function Notice({ view }: { view: View }) {
  const { m } = view;
  const kind = m.link.kind;
  const last = m.series.rows[m.series.rows.length - 1];
  if (kind === "live" || !last) return null;
  const at = clock(view.wallOf(last.up + view.offset));
  const why =
    kind === "stale"
      ? t("notice.stale")
      : kind === "offline"
        ? t("notice.offline")
        : known("bye", m.bye?.cause ?? "", t("notice.lost"));
  return (
    <p class="notice">
      <strong>{t("notice.from", { at })}</strong> {why}
    </p>
  );
}
