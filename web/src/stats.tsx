/* The stats page: who is connected, and why the earlier ones are not. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { causesOf, refusedTitle } from "./causes";
import { bytes, duration, micros, millis, number } from "./format";
import { known, t, type Key } from "./i18n";
import { orDash, seconds, Sessions } from "./sessions";
import { Age, Bar } from "./tile";
import type { View } from "./view";
import type { Stats } from "./wire";

export const STATS_MS = 2000;
const OLD_MS = 3 * STATS_MS;

function Figure(p: { title: Key; value: string; children?: ComponentChildren }) {
  return (
    <div class="card figure">
      <h2>{t(p.title)}</h2>
      <p class="amount">{p.value}</p>
      <p class="sub">{p.children}</p>
    </div>
  );
}

function Figures({ s }: { s: Stats }) {
  const { sessions, heartbeat: beat, traffic, memory } = s;
  const { p50, p95, max } = beat.rtt_ms;
  return (
    <div class="figures">
      <Figure title="st.viewers" value={number(sessions.live)}>
        {t("st.seats", { n: number(sessions.capacity), peak: number(sessions.peak) })}
      </Figure>
      <Figure title="s.rtt" value={orDash(p50, millis)}>
        {t("st.rtt", { p95: orDash(p95, millis), max: orDash(max, millis) })}
      </Figure>
      <Figure title="st.answered" value={number(beat.answered)}>
        {t("st.beats", { sent: number(beat.sent), missed: number(beat.missed) })}
      </Figure>
      <Figure title="st.sent" value={bytes(traffic.bytes_out)}>
        {t("st.frames", { n: number(traffic.frames_out) })}
      </Figure>
      <Figure title="group.memory" value={bytes(memory.rss_bytes)}>
        {t("st.table", { n: bytes(memory.table_bytes) })}
      </Figure>
      <Figure title="st.uptime" value={duration(s.uptime_s)}>
        {t("st.opened", { n: number(sessions.opened) })}
      </Figure>
    </div>
  );
}

function Causes({ s }: { s: Stats }) {
  const causes = causesOf(s.closed);
  const ended = causes.reduce((sum, c) => sum + (s.closed[c.word] ?? 0), 0);
  const { opened, live } = s.sessions;
  const most = Math.max(1, ...Object.values(s.closed));
  return (
    <section class="card causes">
      <h2>{t("c.title")}</h2>
      <table>
        <thead class="unseen">
          <tr>
            <th scope="col">{t("c.cause")}</th>
            <th scope="col">{t("c.share")}</th>
            <th scope="col">{t("c.sessions")}</th>
          </tr>
        </thead>
        <tbody>
          {causes.map((c) => {
            const n = s.closed[c.word] ?? 0;
            return (
              <tr key={c.word} class={n ? "" : "zero"}>
                <th scope="row">
                  {c.title} <code>{c.word}</code>
                  {n > 0 && !c.expected && <span class="tag warn">{t("c.unexpected")}</span>}
                  {n > 0 && <span class="sub">{c.text}</span>}
                </th>
                <td class="share">{n > 0 && <Bar part={n / most} label={c.title} />}</td>
                <td class="num">{number(n)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="sum">
        {t("c.sum", { opened: number(opened), live: number(live), ended: number(ended) })}
        {opened === live + ended ? (
          <span class="tag good">✓ {t("c.right")}</span>
        ) : (
          <span class="tag warn">⚠ {t("c.wrong")}</span>
        )}
      </p>
    </section>
  );
}

export function List({ title, rows }: { title: Key; rows: readonly (readonly [string, string])[] }) {
  return (
    <section class="card">
      <h2>{t(title)}</h2>
      <dl class="facts">
        {rows.map(([k, v]) => (
          <div key={k}>
            <dt>{k}</dt>
            <dd>{v}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Lists({ s }: { s: Stats }) {
  const { heartbeat: beat, traffic: f, hub, memory } = s;
  const { min, avg, max } = beat.interval_ms;
  const refused = Object.entries(s.sessions.rejected);
  const both = (b: number, n: number) => `${bytes(b)} · ${t("st.frames", { n: number(n) })}`;
  return (
    <div class="lists">
      <List
        title="l.beat"
        rows={[
          [
            t("l.interval"),
            `${orDash(min, seconds)} · ${orDash(avg, seconds)} · ${orDash(max, seconds)}`,
          ],
          [t("l.sent"), number(beat.sent)],
          [t("l.answered"), number(beat.answered)],
          [t("s.missed"), number(beat.missed)],
          [t("l.reprieved"), number(beat.reprieved ?? 0)],
          [t("l.lost"), number(beat.lost)],
        ]}
      />
      <List
        title="l.traffic"
        rows={[
          [t("l.received"), both(f.bytes_in, f.frames_in)],
          [t("l.sent"), both(f.bytes_out, f.frames_out)],
          [t("l.conflated"), number(f.conflated)],
          [t("l.resumed"), number(f.resumed)],
          [t("l.replayed"), number(f.replayed)],
        ]}
      />
      <List
        title="l.hub"
        rows={[
          [t("l.tick"), micros(hub.tick_max_us)],
          [t("l.late"), number(hub.loop_late)],
          [t("s.queued"), bytes(hub.queue_bytes)],
          [t("l.tls"), bytes(memory.tls_bytes ?? 0)],
          [t("l.reserved"), number(s.sessions.reserved)],
          [t("l.closing"), number(s.sessions.closing)],
        ]}
      />
      <List
        title="l.refused"
        rows={refused.map(([word, n]) => [refusedTitle(word), number(n)] as const)}
      />
      <List
        title="l.lobby"
        rows={Object.entries(s.lobby ?? {}).map(([word, n]) => [known("lobby", word), number(n)] as const)}
      />
    </div>
  );
}

export function StatsView({ view }: { view: View }) {
  useEffect(() => {
    const tick = () => document.hidden || view.act.askStats();
    tick();
    const timer = setInterval(tick, STATS_MS);
    return () => clearInterval(timer);
  }, [view.m.hello?.session]);
  const { stats, statsAt } = view.m;
  if (!stats) return <p class="empty">{t("wait.stats")}</p>;
  const age = view.now - statsAt;
  const isOld = view.m.link.kind !== "live" ? age > 0 : age > OLD_MS;
  return (
    <div class={isOld ? "stats old" : "stats"}>
      {isOld && (
        <p>
          <Age old={age} />
        </p>
      )}
      <Figures s={stats} />
      <Sessions view={view} s={stats} />
      <div class="columns">
        <Causes s={stats} />
        <Lists s={stats} />
      </div>
    </div>
  );
}
