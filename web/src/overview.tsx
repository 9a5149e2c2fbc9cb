/* The overview: three big charts, then every metric in its group. */

import type { ComponentChildren } from "preact";
import { clock, join, number, quantity } from "./format";
import type { Column } from "./paint";
import { Plot } from "./plot";
import { column, domain, sumColumn } from "./series";
import { rem } from "./theme";
import { Age, ageOf, Legend, TileCard } from "./tile";
import { idsOf, pack } from "./tiles";
import { read, type View } from "./view";

interface HeroProps {
  view: View;
  title: string;
  ids: readonly string[];
  unit: string;
  columns: readonly Column[];
  range: [number, number];
  words?: readonly string[]; // one for each line, when there are several
  aside?: ComponentChildren;
}

const newestOf = (c: Column): number | null => {
  for (let i = c.length - 1; i >= 0; i--) if (c[i] !== null) return c[i] ?? null;
  return null;
};

/* What the chart shows, for those who do not see it. */
function summary(p: HeroProps): string {
  const seen = (p.columns[0] ?? []).filter((v): v is number => v !== null);
  if (!seen.length) return `${p.title}: no values yet`;
  const [lo, hi] = [Math.min(...seen), Math.max(...seen)].map((v) => join(quantity(v, p.unit)));
  return `${p.title}, last five minutes: between ${lo} and ${hi}`;
}

function Hero(p: HeroProps) {
  const { view } = p;
  const { index } = view.hover;
  const up = view.axis.ups[index];
  const at = up === undefined ? "" : clock(view.wallOf(up + view.offset));
  const age = ageOf(view, p.ids);
  const texts = p.columns.map((c) => {
    const v = index < 0 ? newestOf(c) : (c[index] ?? null);
    return v === null ? { value: "–", unit: "" } : quantity(v, p.unit);
  });
  return (
    <section class={age === null ? "card hero" : "card hero old"}>
      <h2>
        <span class="what">{p.title}</span> <Age old={age} />
        {at && <span class="at">{at}</span>}
      </h2>
      <div class="now">
        {texts.map((t, i) => (
          <p key={i}>
            <span class="big">
              {t.value}
              <span class="unit"> {t.unit}</span>
            </span>
            {p.words ? (
              <Legend second={i > 0}>{p.words[i]}</Legend>
            ) : (
              <span class="sub">{p.aside ?? "\u00a0"}</span>
            )}
          </p>
        ))}
      </div>
      <Plot
        view={view}
        columns={p.columns}
        range={p.range}
        unit={p.unit}
        label={summary(p)}
        text={`${at || "now"}: ${texts.map(join).join(", ")}`}
      />
    </section>
  );
}

function Heroes({ view }: { view: View }) {
  const { board, info } = view.m;
  if (!board) return null;
  const { cpu, memory, network } = board;
  const total = memory && read(view, memory.total.id);
  const used = memory && read(view, memory.used.id);
  const net = network && [
    sumColumn(view.axis, network.down.map((m) => m.id)),
    sumColumn(view.axis, network.up.map((m) => m.id)),
  ];
  return (
    <div class="heroes">
      {cpu && (
        <Hero
          view={view}
          title="CPU"
          ids={[cpu.id]}
          unit="%"
          columns={[column(view.axis, cpu.id)]}
          range={[0, 100]}
          aside={info && `${number(info.device.cpus)} ${info.device.cpus === 1 ? "core" : "cores"}`}
        />
      )}
      {memory && (
        <Hero
          view={view}
          title="Memory"
          ids={[memory.used.id]}
          unit="B"
          columns={[column(view.axis, memory.used.id)]}
          range={[0, total?.v || 1]}
          aside={
            total &&
            used &&
            `of ${join(quantity(total.v, "B"))} · ${number((used.v / total.v) * 100)} %`
          }
        />
      )}
      {net && network && (
        <Hero
          view={view}
          title={`Network · ${network.name}`}
          ids={network.down.map((m) => m.id)}
          unit="B/s"
          columns={net}
          range={domain("B/s", net)}
          words={["received", "sent"]}
        />
      )}
    </div>
  );
}

/* The grid follows the width in rem, so larger type gets fewer columns. */
function columnsNow(): number {
  const width = innerWidth / rem();
  return width < 46 ? 2 : width < 74 ? 3 : width < 155 ? 6 : 9;
}

export function Overview({ view }: { view: View }) {
  const { board } = view.m;
  if (!board) return <p class="empty">Waiting for the first values…</p>;
  const columns = columnsNow();
  return (
    <>
      <Heroes view={view} />
      <div class="groups" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
        {pack(board.groups, columns).map(({ group, span, spans }) => (
          <section key={group.id} style={{ gridColumn: `span ${span}` }}>
            <h2>{group.title}</h2>
            <div class="tiles" style={{ gridTemplateColumns: `repeat(${span}, minmax(0, 1fr))` }}>
              {group.tiles.map((tile, i) => {
                const ids = idsOf(tile);
                return (
                  <TileCard
                    key={ids[0] ?? tile.kind}
                    view={view}
                    tile={tile}
                    ids={ids}
                    span={Math.min(span, spans[i] ?? 1)}
                  />
                );
              })}
            </div>
          </section>
        ))}
      </div>
    </>
  );
}
