/* The stats page: who is connected, and why the earlier ones are not. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { causesOf, refusedTitle } from "./causes";
import { bytes, duration, micros, millis, number } from "./format";
import { Age, Bar } from "./tile";
import type { View } from "./view";
import type { SessionRow, Stats } from "./wire";

export const STATS_MS = 2000;
const OLD_MS = 3 * STATS_MS;

const orDash = (v: number | null | undefined, f: (v: number) => string): string =>
  v === null || v === undefined ? "–" : f(v);

function Figure(p: { title: string; value: string; children?: ComponentChildren }) {
  return (
    <div class="card figure">
      <h2>{p.title}</h2>
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
      <Figure title="Viewers" value={number(sessions.live)}>
        of {number(sessions.capacity)} seats · peak {number(sessions.peak)}
      </Figure>
      <Figure title="Round trip" value={orDash(p50, millis)}>
        95 %: {orDash(p95, millis)} · worst {orDash(max, millis)}
      </Figure>
      <Figure title="Heartbeats answered" value={number(beat.answered)}>
        of {number(beat.sent)} · {number(beat.missed)} missed
      </Figure>
      <Figure title="Sent" value={bytes(traffic.bytes_out)}>
        in {number(traffic.frames_out)} frames
      </Figure>
      <Figure title="Memory" value={bytes(memory.rss_bytes)}>
        all seats: {bytes(memory.table_bytes)}
      </Figure>
      <Figure title="Running for" value={duration(s.uptime_s)}>
        {number(sessions.opened)} viewers so far
      </Figure>
    </div>
  );
}

type Cell = [label: string, text: ComponentChildren, numeric: boolean];

function cellsOf(s: SessionRow, own: boolean): Cell[] {
  return [
    ["Session", <><code>{s.id}</code>{own && <span class="tag">this page</span>}</>, false],
    ["Address", s.address, false],
    ["State", s.state, false],
    ["Transport", s.transport, false],
    ["Age", duration(s.age_s), true],
    ["Round trip", orDash(s.rtt_ms, millis), true],
    ["Heartbeat", `${number(s.interval_ms / 1000)} s`, true],
    ["Missed", number(s.missed), true],
    ["Queued", bytes(s.queued_bytes), true],
    ["Messages", number(s.messages), true],
    ["Last heard", `${duration(s.last_heard_ms / 1000)} ago`, true],
  ];
}

/* On a phone the rows become cards; the roles keep it a table for a screen reader. */
function Sessions({ s, own }: { s: Stats; own: string | undefined }) {
  const { list, list_omitted: more } = s;
  const head = list[0] && cellsOf(list[0], false);
  return (
    <section class="card">
      <h2>Connected now</h2>
      {head ? (
        <table class="sessions" role="table">
          <thead role="rowgroup">
            <tr role="row">
              {head.map(([label, , numeric]) => (
                <th key={label} scope="col" role="columnheader" class={numeric ? "num" : ""}>
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {list.map((row) => (
              <tr key={row.id} role="row">
                {cellsOf(row, row.id === own).map(([label, text, numeric]) => (
                  <td key={label} role="cell" data-label={label} class={numeric ? "num" : ""}>
                    {text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p class="empty">Nobody is connected.</p>
      )}
      {more ? <p class="sum">and {number(more)} more</p> : null}
    </section>
  );
}

function Causes({ s }: { s: Stats }) {
  const causes = causesOf(s.closed);
  const ended = causes.reduce((sum, c) => sum + (s.closed[c.word] ?? 0), 0);
  const { opened, live } = s.sessions;
  const most = Math.max(1, ...Object.values(s.closed));
  return (
    <section class="card causes">
      <h2>Why earlier ones ended</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Cause</th>
            <th scope="col">Expected</th>
            <th scope="col" class="num">
              Sessions
            </th>
          </tr>
        </thead>
        <tbody>
          {causes.map((c) => {
            const n = s.closed[c.word] ?? 0;
            return (
              <tr key={c.word} class={n ? "" : "zero"}>
                <th scope="row">
                  {c.title} <code>{c.word}</code>
                  <span class="sub">{c.text}</span>
                </th>
                <td>
                  <span class={c.expected || !n ? "tag" : "tag warn"}>
                    {c.expected ? "expected" : "unexpected"}
                  </span>
                </td>
                <td class="num">
                  {number(n)}
                  {n > 0 && <Bar part={n / most} label={c.title} />}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="sum">
        {number(opened)} opened = {number(live)} connected + {number(ended)} ended
        {opened === live + ended ? (
          <span class="tag good">✓ all accounted for</span>
        ) : (
          <span class="tag warn">⚠ they do not add up</span>
        )}
      </p>
    </section>
  );
}

function List({ title, rows }: { title: string; rows: readonly [string, string][] }) {
  return (
    <section class="card">
      <h2>{title}</h2>
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
  const { heartbeat: beat, traffic: t, hub } = s;
  const { min, avg, max } = beat.interval_ms;
  const secs = (v: number) => `${number(v / 1000)} s`;
  const refused = Object.entries(s.sessions.rejected);
  return (
    <div class="lists">
      <List
        title="Refused connections"
        rows={refused.map(([word, n]) => [refusedTitle(word), number(n)])}
      />
      <List
        title="Heartbeat"
        rows={[
          ["Interval, shortest", orDash(min, secs)],
          ["Interval, average", orDash(avg, secs)],
          ["Interval, longest", orDash(max, secs)],
          ["Sent", number(beat.sent)],
          ["Answered", number(beat.answered)],
          ["Missed", number(beat.missed)],
          ["Saved by the double check", number(beat.reprieved ?? 0)],
          ["Lost viewers", number(beat.lost)],
        ]}
      />
      <List
        title="Traffic"
        rows={[
          ["Received", `${bytes(t.bytes_in)} in ${number(t.frames_in)} frames`],
          ["Sent", `${bytes(t.bytes_out)} in ${number(t.frames_out)} frames`],
          ["Skipped to newest", number(t.conflated)],
          ["Resumed", number(t.resumed)],
          ["Frames replayed", number(t.replayed)],
        ]}
      />
      <List
        title="Hub"
        rows={[
          ["Slowest tick", micros(hub.tick_max_us)],
          ["Late ticks", number(hub.loop_late)],
          ["Queued", bytes(hub.queue_bytes)],
          ["Seats reserved", number(s.sessions.reserved)],
          ["Closing", number(s.sessions.closing)],
        ]}
      />
    </div>
  );
}

export function StatsView({ view, ask }: { view: View; ask(): void }) {
  useEffect(() => {
    const tick = () => document.hidden || ask();
    tick();
    const timer = setInterval(tick, STATS_MS);
    return () => clearInterval(timer);
  }, [view.m.hello?.session]);
  const { stats, statsAt, hello } = view.m;
  if (!stats) return <p class="empty">Waiting for the figures…</p>;
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
      <Sessions s={stats} own={hello?.session} />
      <div class="columns">
        <Causes s={stats} />
        <Lists s={stats} />
      </div>
    </div>
  );
}
