/* One tile: what it is, how much, how it went, and whether that is a reason to act. */

import type { ComponentChildren } from "preact";
import { duration, join, number, quantity } from "./format";
import { known, t, type Key } from "./i18n";
import { levelOf, trendOf, type Level } from "./level";
import { labelOf } from "./labels";
import { column, domain } from "./series";
import { Spark } from "./spark";
import type { Tile } from "./tiles";
import { read, type View } from "./view";
import type { Metric } from "./wire";

export const Age = ({ old }: { old: number | null | undefined }) =>
  old === null || old === undefined ? null : (
    <span class="age">{t("old", { age: duration(old / 1000) })}</span>
  );

/* What is either so or not: no number says that well. */
const isFlag = (id: string): boolean => /^power\.(undervoltage|throttled|.*-online$)/.test(id);

export function Amount({ view, id, unit }: { view: View; id: string; unit: string }) {
  const r = read(view, id);
  if (!r) return <span class="amount none">–</span>;
  const text = isFlag(id) ? { value: t(r.v ? "yes" : "no"), unit: "" } : quantity(r.v, unit);
  return (
    <span class={r.old === null ? "amount" : "amount old"}>
      {text.value}
      {text.unit && <span class="unit"> {text.unit}</span>}
    </span>
  );
}

/* How old the whole tile is: as old as its oldest value. */
export function ageOf(view: View, ids: readonly string[]): number | null {
  let oldest: number | null = null;
  for (const id of ids) {
    const old = read(view, id)?.old ?? null;
    if (old !== null) oldest = Math.max(oldest ?? 0, old);
  }
  return oldest;
}

/* Of the current values, the one that is worst; old ones alarm nobody. */
function worstOf(view: View, metrics: readonly Metric[]): Level | null {
  let worst: Level | null = null;
  for (const m of metrics) {
    const r = read(view, m.id);
    const level = r && r.old === null ? levelOf(m, r.v) : null;
    if (level && worst !== "critical") worst = level;
  }
  return worst;
}

export const Mark = ({ level, flag }: { level: Level | null; flag: boolean }) =>
  level && (
    <span class={level === "critical" ? "tag bad" : "tag warn"}>
      {t(flag ? "level.flag" : `level.${level}`)}
    </span>
  );

const WAYS: Record<number, [string, Key]> = { 1: ["↗", "rising"], [-1]: ["↘", "falling"] };

export function Trend({ column, scale }: { column: readonly (number | null)[]; scale: number }) {
  const way = WAYS[trendOf(column, scale)];
  return way ? (
    <span class="trend" title={t(way[1])} role="img" aria-label={t(way[1])}>
      {way[0]}
    </span>
  ) : null;
}

export const historyOf = (ids: readonly string[]): string => `/history?ids=${ids.join(",")}`;

export const Legend = ({ second, children }: { second?: boolean; children: ComponentChildren }) => (
  <span class={second ? "legend second" : "legend"}>{children}</span>
);

const WORDS: Record<string, [Key, Key]> = {
  net: ["received", "sent"],
  disk: ["read", "written"],
};

export const pairWords = (id: string): string[] =>
  (WORDS[id.split(".")[0] ?? ""] ?? (["in", "out"] as const)).map((k) => t(k));

export function Bar({ part, label, old }: { part: number; label: string; old?: boolean }) {
  const percent = Math.min(100, Math.max(0, part * 100));
  return (
    <div
      class={old ? "bar old" : "bar"}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}

/* A curve or two below their newest values. */
function Curves({ view, metrics, words }: { view: View; metrics: Metric[]; words?: string[] }) {
  const columns = metrics.map((m) => column(view.axis, m.id));
  const first = metrics[0]!;
  const range = domain(first.unit, columns, first.min, first.max);
  return (
    <>
      <p class="pair">
        {metrics.map((m, i) => (
          <span key={m.id}>
            <span>
              <Amount view={view} id={m.id} unit={m.unit} />
              {!words && <Trend column={columns[i]!} scale={range[1] - range[0]} />}
            </span>
            {words && <Legend second={i > 0}>{words[i]}</Legend>}
          </span>
        ))}
      </p>
      <Spark ups={view.axis.ups} columns={columns} range={range} from={view.from} until={view.until} />
    </>
  );
}

function Loads({ view, tile }: { view: View; tile: Tile & { kind: "load" } }) {
  const shown = column(view.axis, tile.loads[0]!.id);
  return (
    <>
      <p class="pair">
        {tile.loads.map((m) => (
          <span key={m.id}>
            <Amount view={view} id={m.id} unit="1" />
            <span class="sub">{m.id.slice(5)} min</span>
          </span>
        ))}
      </p>
      <Spark
        ups={view.axis.ups}
        columns={[shown]}
        range={domain("1", [shown])}
        from={view.from}
        until={view.until}
      />
    </>
  );
}

export const ofTotal = (used: number, total: number, unit: string): string =>
  t("of", { total: join(quantity(total, unit)), part: number((used / total) * 100) });

function Usage({ view, tile }: { view: View; tile: Tile & { kind: "usage" } }) {
  const used = read(view, tile.used.id);
  const total = read(view, tile.total.id);
  if (total?.v === 0) return <p class="sub">{t("none")}</p>;
  const part = used && total ? used.v / total.v : 0;
  return (
    <>
      <p class="pair">
        <span>
          <Amount view={view} id={tile.used.id} unit={tile.used.unit} />
          <span class="sub">{total && used && ofTotal(used.v, total.v, tile.total.unit)}</span>
        </span>
      </p>
      <Bar part={part} label={`${tile.title}: ${t("used")}`} old={used?.old !== null} />
    </>
  );
}

function Cores({ view, tile }: { view: View; tile: Tile & { kind: "cores" } }) {
  const clocked = tile.cores.some((c) => c.freq); // one may speak for all
  return (
    <ul class="cores">
      {tile.cores.map(({ metric, freq }) => {
        const r = read(view, metric.id);
        const f = freq && read(view, freq.id);
        const name = metric.id.slice(4);
        return (
          <li key={name}>
            <span class="sub">{name}</span>
            <Bar part={(r?.v ?? 0) / 100} label={labelOf(metric)} old={r?.old !== null} />
            <Amount view={view} id={metric.id} unit="%" />
            {clocked && <span class="sub">{f ? join(quantity(f.v, "Hz")) : ""}</span>}
          </li>
        );
      })}
    </ul>
  );
}

export function clockText(skewMs: number): string {
  const age = duration(Math.abs(skewMs) / 1000);
  return t(skewMs > 0 ? "clock.ahead" : "clock.behind", { age });
}

function Facts({ view, tile }: { view: View; tile: Tile & { kind: "facts" } }) {
  const { info, clockSkewMs } = view.m;
  if (!info) return null;
  const { device, server } = info;
  const up = tile.uptime && read(view, tile.uptime.id);
  const facts: [Key, string | undefined][] = [
    ["fact.up", up ? duration(up.v) : undefined],
    ["fact.model", device.model],
    ["fact.os", device.os],
    ["fact.kernel", `${device.kernel} ${device.arch}`],
    ["fact.service", `${server.name} ${server.version.split("+")[0]}`],
    ["fact.clock", Math.abs(clockSkewMs) > 5000 ? clockText(clockSkewMs) : undefined],
  ];
  return (
    <dl class="strip">
      {facts.map(
        ([k, v]) =>
          v && (
            <div key={k}>
              <dt>{t(k)}</dt>
              <dd>{v}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

const FULL: Partial<Metric> = { warn: 85, crit: 95 }; // percent of a file system

/* What of a tile can be a reason to act. */
function levelOfTile(view: View, tile: Tile): Level | null {
  switch (tile.kind) {
    case "plain":
      return worstOf(view, [tile.metric]);
    case "usage": {
      const [used, total] = [read(view, tile.used.id), read(view, tile.total.id)];
      if (!used || !total?.v || used.old !== null || !tile.used.id.startsWith("fs.")) return null;
      return levelOf(FULL, (used.v / total.v) * 100);
    }
    case "pair":
      return worstOf(view, [tile.down, tile.up]);
    default:
      return null;
  }
}

function Body({ view, tile }: { view: View; tile: Tile }) {
  switch (tile.kind) {
    case "plain":
      return <Curves view={view} metrics={[tile.metric]} />;
    case "pair":
      return (
        <Curves view={view} metrics={[tile.down, tile.up]} words={pairWords(tile.down.id)} />
      );
    case "load":
      return <Loads view={view} tile={tile} />;
    case "usage":
      return <Usage view={view} tile={tile} />;
    case "cores":
      return <Cores view={view} tile={tile} />;
    case "facts":
      return <Facts view={view} tile={tile} />;
  }
}

interface CardProps {
  view: View;
  tile: Tile;
  ids: readonly string[];
  span: number;
}

/* The title leads to the history of what the tile shows. */
export function TileCard({ view, tile, ids, span }: CardProps) {
  const title = known("tile", tile.kind, tile.title);
  const link = tile.kind !== "facts" && ids.length > 0;
  return (
    <article class="card tile" style={{ gridColumn: `span ${span}` }}>
      <h3>
        {link ? (
          <a class="what" href={historyOf(ids)} title={title} onClick={view.go}>
            {title}
          </a>
        ) : (
          title
        )}{" "}
        <Mark level={levelOfTile(view, tile)} flag={isFlag(ids[0] ?? "")} />
        <Age old={ageOf(view, ids)} />
      </h3>
      <Body view={view} tile={tile} />
    </article>
  );
}
