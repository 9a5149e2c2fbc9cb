/* One tile: what it is, how much, how it went. */

import type { ComponentChildren } from "preact";
import { duration, join, number, quantity } from "./format";
import { column, domain } from "./series";
import { Spark } from "./spark";
import type { Tile } from "./tiles";
import { read, type View } from "./view";
import type { Metric } from "./wire";

export const Age = ({ old }: { old: number | null | undefined }) =>
  old === null || old === undefined ? null : <span class="age">{duration(old / 1000)} old</span>;

export function Amount({ view, id, unit }: { view: View; id: string; unit: string }) {
  const r = read(view, id);
  if (!r) return <span class="amount none">–</span>;
  const t = quantity(r.v, unit);
  return (
    <span class={r.old === null ? "amount" : "amount old"}>
      {t.value}
      {t.unit && <span class="unit"> {t.unit}</span>}
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

function Curve({ view, metrics }: { view: View; metrics: readonly Metric[] }) {
  const columns = metrics.map((m) => column(view.axis, m.id));
  const first = metrics[0];
  if (!first) return null;
  const range = domain(first.unit, columns, first.min, first.max);
  return <Spark ups={view.axis.ups} columns={columns} range={range} until={view.until} />;
}

interface FrameProps {
  view: View;
  title: string;
  ids: readonly string[];
  span: number;
  children: ComponentChildren;
}

function Frame({ view, title, ids, span, children }: FrameProps) {
  return (
    <article class="card tile" style={{ gridColumn: `span ${span}` }}>
      <h3>
        {title} <Age old={ageOf(view, ids)} />
      </h3>
      {children}
    </article>
  );
}

export const Legend = ({ second, children }: { second?: boolean; children: ComponentChildren }) => (
  <span class={second ? "legend second" : "legend"}>{children}</span>
);

const WORDS: Record<string, [string, string]> = {
  net: ["received", "sent"],
  disk: ["read", "written"],
};

export const pairWords = (id: string): [string, string] =>
  WORDS[id.split(".")[0] ?? ""] ?? ["in", "out"];

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

function Usage({ view, tile }: { view: View; tile: Tile & { kind: "usage" } }) {
  const used = read(view, tile.used.id);
  const total = read(view, tile.total.id);
  if (total?.v === 0) return <p class="sub">none</p>;
  const part = used && total ? used.v / total.v : 0;
  return (
    <>
      <p class="pair">
        <span>
          <Amount view={view} id={tile.used.id} unit={tile.used.unit} />
          <span class="sub">
            {total && `of ${join(quantity(total.v, tile.total.unit))} · ${number(part * 100)}\u00a0%`}
          </span>
        </span>
      </p>
      <Bar part={part} label={`${tile.title}: used`} old={used?.old !== null} />
    </>
  );
}

function Cores({ view, tile }: { view: View; tile: Tile & { kind: "cores" } }) {
  return (
    <ul class="cores">
      {tile.cores.map(({ metric, freq }) => {
        const r = read(view, metric.id);
        const f = freq && read(view, freq.id);
        const name = metric.id.slice(4);
        return (
          <li key={name}>
            <span class="sub">{name}</span>
            <Bar part={(r?.v ?? 0) / 100} label={metric.label} old={r?.old !== null} />
            <Amount view={view} id={metric.id} unit="%" />
            {f && <span class="sub">{join(quantity(f.v, "Hz"))}</span>}
          </li>
        );
      })}
    </ul>
  );
}

function Facts({ view, tile }: { view: View; tile: Tile & { kind: "facts" } }) {
  const { info, clockSkewMs } = view.m;
  if (!info) return null;
  const { device, server } = info;
  const up = tile.uptime && read(view, tile.uptime.id);
  const skew = Math.abs(clockSkewMs) / 1000;
  const facts: [string, string | undefined][] = [
    ["Up for", up ? duration(up.v) : undefined],
    ["Model", device.model],
    ["System", device.os],
    ["Kernel", `${device.kernel} ${device.arch}`],
    ["Service", `${server.name} ${server.version}`],
    ["Clock", skew > 5 ? `${duration(skew)} ${clockSkewMs > 0 ? "ahead" : "behind"}` : undefined],
  ];
  return (
    <dl class="strip">
      {facts.map(
        ([k, v]) =>
          v && (
            <div key={k}>
              <dt>{k}</dt>
              <dd>{v}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Body({ view, tile }: { view: View; tile: Tile }) {
  switch (tile.kind) {
    case "plain":
      return (
        <>
          <p>
            <Amount view={view} id={tile.metric.id} unit={tile.metric.unit} />
          </p>
          <Curve view={view} metrics={[tile.metric]} />
        </>
      );
    case "pair": {
      const [down, up] = pairWords(tile.down.id);
      return (
        <>
          <p class="pair">
            <span>
              <Amount view={view} id={tile.down.id} unit={tile.down.unit} />
              <Legend>{down}</Legend>
            </span>
            <span>
              <Amount view={view} id={tile.up.id} unit={tile.up.unit} />
              <Legend second>{up}</Legend>
            </span>
          </p>
          <Curve view={view} metrics={[tile.down, tile.up]} />
        </>
      );
    }
    case "load":
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
          <Curve view={view} metrics={tile.loads.slice(0, 1)} />
        </>
      );
    case "usage":
      return <Usage view={view} tile={tile} />;
    case "cores":
      return <Cores view={view} tile={tile} />;
    case "facts":
      return <Facts view={view} tile={tile} />;
  }
}

export function TileCard(p: { view: View; tile: Tile; ids: readonly string[]; span: number }) {
  return (
    <Frame view={p.view} title={p.tile.title} ids={p.ids} span={p.span}>
      <Body view={p.view} tile={p.tile} />
    </Frame>
  );
}
