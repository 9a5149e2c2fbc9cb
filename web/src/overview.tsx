/* The overview: three big charts, then every metric in its group. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { clock, join, quantity } from "./format";
import { t } from "./i18n";
import { recall, remember } from "./keep";
import type { Column } from "./paint";
import { Plot } from "./plot";
import { column, domain, sumColumn } from "./series";
import { rem } from "./theme";
import { Age, ageOf, historyOf, Legend, ofTotal, pairWords, TileCard, Trend } from "./tile";
import { find, idsOf, pack, type Board, type Group } from "./tiles";
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
  if (!seen.length) return `${p.title}: ${t("chart.none")}`;
  const [lo, hi] = [Math.min(...seen), Math.max(...seen)].map((v) => join(quantity(v, p.unit)));
  return `${p.title}, ${t("chart.between", { lo: lo!, hi: hi! })}`;
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
        <a class="what" href={historyOf(p.ids)} onClick={view.go}>
          {p.title}
        </a>{" "}
        <Age old={age} />
        {at && <span class="at">{at}</span>}
      </h2>
      <div class="now">
        {texts.map((x, i) => (
          <p key={i}>
            <span class="big">
              {x.value}
              <span class="unit"> {x.unit}</span>
              {!p.words && index < 0 && age === null && (
                <Trend column={p.columns[i]!} scale={p.range[1] - p.range[0]} />
              )}
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
        xs={view.axis.ups}
        from={view.from}
        to={view.until}
        wall={(up) => view.wallOf(up + view.offset)}
        step={view.m.series.stepMs}
        lines={p.columns.map((avg) => ({ avg }))}
        range={p.range}
        unit={p.unit}
        label={summary(p)}
        text={`${at || t("now")}: ${texts.map(join).join(", ")}`}
        hover={view.hover}
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
          title={t("group.cpu")}
          ids={[cpu.id]}
          unit="%"
          columns={[column(view.axis, cpu.id)]}
          range={[0, 100]}
          aside={info && t("cores", { n: info.device.cpus })}
        />
      )}
      {memory && (
        <Hero
          view={view}
          title={t("group.memory")}
          ids={[memory.used.id]}
          unit="B"
          columns={[column(view.axis, memory.used.id)]}
          range={[0, total?.v || 1]}
          aside={total && used && ofTotal(used.v, total.v, "B")}
        />
      )}
      {net && network && (
        <Hero
          view={view}
          title={`${t("group.network")} · ${network.name || t("interfaces", { n: network.down.length })}`}
          ids={[...network.down, ...network.up].map((m) => m.id)}
          unit="B/s"
          columns={net}
          range={domain("B/s", net)}
          words={pairWords("net")}
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

const MANY = 12; // tiles of a group that are shown before somebody asks for all
const FOLDED = "folded";

interface Shown extends Group {
  count: number;
  open: boolean;
}

/* A search looks into folded groups too, and shows all that it finds. */
function shownOf(board: Board, search: string, folded: string[], full: string[]): Shown[] {
  const found = search ? find(board.groups, search) : board.groups;
  return found.map((g) => {
    const open = !!search || !folded.includes(g.id);
    const most = search || full.includes(g.id) ? Infinity : MANY;
    return { ...g, count: g.tiles.length, open, tiles: open ? g.tiles.slice(0, most) : [] };
  });
}

const toggled = (list: string[], id: string): string[] =>
  list.includes(id) ? list.filter((x) => x !== id) : [...list, id];

interface SectionProps {
  view: View;
  group: Shown;
  span: number;
  spans: number[];
  fold(): void;
  more(): void;
}

function Section({ view, group, span, spans, fold, more }: SectionProps) {
  const hidden = group.open ? group.count - group.tiles.length : 0;
  return (
    <section style={{ gridColumn: `span ${span}` }}>
      <h2>
        <button class="fold" aria-expanded={group.open} onClick={fold}>
          {group.title}
          {!group.open && <span class="sub"> {group.count}</span>}
        </button>
      </h2>
      {group.open && (
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
      )}
      {hidden > 0 && (
        <button class="more" onClick={more}>
          {t("more", { n: hidden })}
        </button>
      )}
    </section>
  );
}

let opened = false;

/* The very first drawing has the big numbers alone: the rest is a frame behind them. */
function useWhole(hasBoard: boolean): boolean {
  const [whole, setWhole] = useState(opened);
  useEffect(() => {
    if (!hasBoard || whole) return;
    opened = true;
    requestAnimationFrame(() => setWhole(true));
  }, [hasBoard]);
  return whole;
}

export function Overview({ view }: { view: View }) {
  const { board } = view.m;
  const whole = useWhole(!!board);
  const [search, setSearch] = useState("");
  const [folded, setFolded] = useState(() => recall<string[]>(FOLDED, []));
  const [full, setFull] = useState<string[]>([]);
  if (!board) return <p class="empty">{t("wait.values")}</p>;
  const columns = columnsNow();
  const groups = shownOf(board, search.trim(), folded, full);
  const heroes = !search && <Heroes view={view} />;
  if (!whole) return <>{heroes}</>;
  const fold = (id: string) => {
    const next = toggled(folded, id);
    remember(FOLDED, next);
    setFolded(next);
  };
  return (
    <>
      {heroes}
      <div class="tools" role="search">
        <input
          type="search"
          value={search}
          placeholder={t("search")}
          aria-label={t("search")}
          onInput={(e) => setSearch(e.currentTarget.value)}
        />
      </div>
      {!groups.length && <p class="empty">{t("search.none")}</p>}
      <div class="groups" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
        {pack(groups, columns).map(({ group, span, spans }) => (
          <Section
            key={group.id}
            view={view}
            group={group as Shown}
            span={span}
            spans={spans}
            fold={() => fold(group.id)}
            more={() => setFull(toggled(full, group.id))}
          />
        ))}
      </div>
    </>
  );
}
