/* Who is connected now: a table that sorts, with all that is known of a session in it. */

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { Note } from "./form";
import { bytes, duration, millis, number } from "./format";
import { t, type Key } from "./i18n";
import { domain, edgeOf } from "./series";
import { pressed, sorted, type Column, type Order } from "./sort";
import { Spark } from "./spark";
import type { View } from "./view";
import type { SessionRow, Stats } from "./wire";

export const orDash = (v: number | null | undefined, f: (v: number) => string): string =>
  v === null || v === undefined ? "–" : f(v);

export const seconds = (ms: number): string => `${number(ms / 1000, 1, 0)} s`;

interface Field {
  by: Column;
  title: Key;
  numeric: boolean;
  text(s: SessionRow): string;
}

const field = (by: Column, title: Key, numeric: boolean, text: Field["text"]): Field => ({
  by,
  title,
  numeric,
  text,
});

const FIELDS: readonly Field[] = [
  field("id", "s.session", false, (s) => s.id),
  field("address", "s.address", false, (s) => s.address),
  field("role", "s.role", false, (s) => s.role),
  field("transport", "s.transport", false, (s) => s.transport),
  field("age_s", "s.age", true, (s) => duration(s.age_s)),
  field("rtt_ms", "s.rtt", true, (s) => orDash(s.rtt_ms, millis)),
  field("interval_ms", "s.beat", true, (s) => seconds(s.interval_ms)),
  field("missed", "s.missed", true, (s) => number(s.missed)),
  field("queued_bytes", "s.queued", true, (s) => bytes(s.queued_bytes)),
  field("messages", "s.messages", true, (s) => number(s.messages)),
  field("last_heard_ms", "s.heard", true, (s) => t("ago", { age: duration(s.last_heard_ms / 1000) })),
];

interface Log {
  at: number[];
  rtt: (number | null)[];
}

/* The round trips of each session, as far as this page saw them. */
function useLogs(list: readonly SessionRow[], at: number): Map<string, Log> {
  const logs = useRef(new Map<string, Log>()).current;
  for (const s of list) {
    const log = logs.get(s.id) ?? { at: [], rtt: [] };
    if (log.at[log.at.length - 1] !== at) {
      log.at.push(at);
      log.rtt.push(s.rtt_ms);
    }
    if (log.at.length > 150) [log.at, log.rtt] = [log.at.slice(-150), log.rtt.slice(-150)];
    logs.set(s.id, log);
  }
  const here = new Set(list.map((s) => s.id));
  for (const id of logs.keys()) if (!here.has(id)) logs.delete(id);
  return logs;
}

function Detail({ s, log, at, end }: { s: SessionRow; log: Log; at: number; end: ComponentChildren }) {
  return (
    <tr class="detail" role="row">
      <td role="cell" colSpan={FIELDS.length}>
        <dl class="strip">
          <div>
            <dt>{t("s.state")}</dt>
            <dd>{s.state}</dd>
          </div>
          <div>
            <dt>{t("s.rate")}</dt>
            <dd>{number(s.messages / Math.max(1, s.age_s), 1)}</dd>
          </div>
          <div class="wide">
            <dt>{t("s.rtts")}</dt>
            <dd>
              <Spark
                ups={log.at}
                columns={[log.rtt]}
                range={domain("ms", [log.rtt])}
                from={edgeOf(log.at, at)}
                until={at}
              />
            </dd>
          </div>
          {end}
        </dl>
      </td>
    </tr>
  );
}

interface RowProps {
  s: SessionRow;
  own: boolean;
  open: boolean;
  toggle(): void;
}

const Row = ({ s, own, open, toggle }: RowProps) => (
  <tr role="row">
    {FIELDS.map((f) => (
      <td key={f.by} role="cell" data-label={t(f.title)} class={f.numeric ? "num" : ""}>
        {f.by === "id" ? (
          <>
            <button class="fold" aria-expanded={open} onClick={toggle}>
              <code>{s.id}</code>
            </button>
            {own && <span class="tag">{t("s.own")}</span>}
          </>
        ) : (
          f.text(s)
        )}
      </td>
    ))}
  </tr>
);

const Head = ({ order, press }: { order: Order; press(f: Field): void }) => (
  <thead role="rowgroup">
    <tr role="row">
      {FIELDS.map((f) => {
        const sort = order.by !== f.by ? "none" : order.down ? "descending" : "ascending";
        return (
          <th
            key={f.by}
            scope="col"
            role="columnheader"
            class={f.numeric ? "num" : ""}
            aria-sort={sort}
          >
            <button onClick={() => press(f)}>{t(f.title)}</button>
          </th>
        );
      })}
    </tr>
  </thead>
);

/* On a phone the rows become cards, and the order is chosen from a list; the roles keep it a table
 * for a screen reader. */
export function Sessions({ view, s }: { view: View; s: Stats }) {
  const [order, setOrder] = useState<Order>({ by: "age_s", down: true });
  const [open, setOpen] = useState("");
  const [why, setWhy] = useState("");
  const logs = useLogs(s.list, view.m.statsAt);
  const own = view.m.hello?.session;
  const isAdmin = view.m.who?.role === "admin";
  const close = async (id: string) => setWhy(await view.act.closeSession(id));
  const press = (f: Field) => setOrder(pressed(order, f.by, f.numeric));
  return (
    <section class="card">
      <div class="head">
        <h2>{t("s.title")}</h2>
        <label class="narrow">
          {t("sort")}{" "}
          <select
            value={order.by}
            onChange={(e) => press(FIELDS.find((f) => f.by === e.currentTarget.value)!)}
          >
            {FIELDS.map((f) => (
              <option key={f.by} value={f.by}>
                {t(f.title)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {s.list.length ? (
        <table class="sessions" role="table">
          <Head order={order} press={press} />
          <tbody role="rowgroup">
            {sorted(s.list, order).flatMap((row) => [
              <Row
                key={row.id}
                s={row}
                own={row.id === own}
                open={open === row.id}
                toggle={() => setOpen(open === row.id ? "" : row.id)}
              />,
              open === row.id && (
                <Detail
                  key={`${row.id}+`}
                  s={row}
                  log={logs.get(row.id)!}
                  at={view.m.statsAt}
                  end={
                    isAdmin &&
                    row.id !== own && (
                      <button class="button" onClick={() => void close(row.id)}>
                        {t("s.close")}
                      </button>
                    )
                  }
                />
              ),
            ])}
          </tbody>
        </table>
      ) : (
        <p class="empty">{t("s.nobody")}</p>
      )}
      <Note>{why}</Note>
      {s.list_omitted ? <p class="sum">{t("s.omitted", { n: s.list_omitted })}</p> : null}
    </section>
  );
}
