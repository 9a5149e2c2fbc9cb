/* The history view: what was, from the last minutes to the last week, chart beside chart. */

import { useEffect, useRef, useState } from "preact/hooks";
import { catalogOf, chosen, type Chart } from "./catalog";
import { clock, day, join, quantity } from "./format";
import { t, type Key } from "./i18n";
import { cut, questionOf, RANGES, stretchOf, toCsv, toJson, zoom, type Column, type Cut, type Line, type Stretch } from "./past";
import { Plot, type Hover } from "./plot";
import { save } from "./save";
import { nearest } from "./scale";
import { domain } from "./series";
import { Legend, pairWords } from "./tile";
import type { View } from "./view";
import type { Metric, Past } from "./wire";

const LEAST_MS = 2000; // between two questions
const OLD_STEPS = 4;

interface Answer {
  past: Past | null;
  refused: boolean;
}

/* Asks when the question changes, and again at each step of what is shown. */
function usePast(view: View, ids: string[], s: Stretch): Answer {
  const [answer, setAnswer] = useState<Answer>({ past: null, refused: false });
  const { range_s, step_s } = questionOf(s, view.wallOf(view.now));
  const asked = `${view.m.hello?.session} ${ids} ${range_s}`;
  const latest = useRef(asked);
  latest.current = asked;
  useEffect(() => {
    if (!view.m.hello || !ids.length) return;
    const ask = async () => {
      if (document.hidden) return;
      const past = await view.act.past(ids, range_s, step_s).catch((e) => e);
      if (latest.current !== asked) return;
      if (!(past instanceof Error)) setAnswer({ past, refused: "seq0" in past });
      else if (view.m.link.kind === "live") setAnswer((a) => ({ ...a, refused: !a.past }));
    };
    void ask();
    const timer = setInterval(ask, Math.max(LEAST_MS, step_s * 1000));
    return () => clearInterval(timer);
  }, [asked]);
  return answer;
}

export const moment = (at: number, long: boolean): string =>
  long ? `${day(at)} ${clock(at, false)}` : clock(at);

interface CardProps {
  chart: Chart;
  cut: Cut;
  s: Stretch;
  step: number;
  hover: Hover;
  zoom(from: number, to: number): void;
  reset: (() => void) | undefined;
}

function newest(c: Column): number {
  let i = c.length - 1;
  while (i >= 0 && c[i] === null) i--;
  return i;
}

/* "42 %", and its extremes " (3–88 %)" where there are any. */
function readingOf(cutOf: Cut, m: Metric, index: number): [string, string] {
  const line = cutOf.lines[m.id];
  const i = index < 0 ? newest(line?.avg ?? []) : index;
  const v = line?.avg[i];
  if (v === null || v === undefined) return ["–", ""];
  const [min, max] = [line?.min?.[i], line?.max?.[i]];
  const text = join(quantity(v, m.unit));
  if (typeof min !== "number" || typeof max !== "number") return [text, ""];
  const [lo, hi] = [quantity(min, m.unit), quantity(max, m.unit)];
  return [text, ` (${lo.unit === hi.unit ? lo.value : join(lo)}–${join(hi)})`];
}

function ChartCard(p: CardProps) {
  const { chart, cut: shown, s, hover } = p;
  const { group, metrics, title } = chart;
  const none: Line = { avg: shown.ts.map(() => null) };
  const lines = metrics.map((m) => shown.lines[m.id] ?? none);
  const first = metrics[0]!;
  const columns = lines.flatMap((l) => [l.avg, ...(l.min && l.max ? [l.min, l.max] : [])]);
  const range = domain(first.unit, columns, first.min, first.max);
  const at = shown.ts[hover.index];
  const words = metrics.length > 1 ? pairWords(first.id) : [];
  const texts = metrics.map((m) => readingOf(shown, m, hover.index));
  const part = { ts: shown.ts, lines: Object.fromEntries(metrics.map((m, i) => [m.id, lines[i]!])) };
  const file = `${first.id}-${new Date(s.from).toISOString().slice(0, 16).replace(/:/g, "")}`;
  const said = texts.map((x, i) => [words[i], ...x].join(" ").trim()).join(", ");
  return (
    <section class="card chart">
      <h2>
        <span class="what">{title}</span>
        {group && group !== title && <span class="sub">{group}</span>}
        {at && <span class="at">{moment(at, s.to - s.from > 4e7)}</span>}
      </h2>
      <p class="files">
        <button onClick={() => save(`${file}.csv`, "text/csv", toCsv(part))}>
          CSV<span class="unseen"> {title}</span>
        </button>
        <button onClick={() => save(`${file}.json`, "application/json", toJson(part))}>
          JSON<span class="unseen"> {title}</span>
        </button>
      </p>
      <p class="pair">
        {texts.map((x, i) => (
          <span key={i}>
            <span>
              <span class="amount">{x[0]}</span>
              <span class="sub">{x[1]}</span>
            </span>{" "}
            {words[i] && <Legend second={i > 0}>{words[i]}</Legend>}
          </span>
        ))}
      </p>
      <Plot
        xs={shown.ts}
        from={s.from}
        to={s.to}
        wall={(x) => x}
        step={p.step}
        lines={lines}
        range={range}
        unit={first.unit}
        label={`${title}, ${t("h.between", { from: moment(s.from, true), to: moment(s.to, true) })}`}
        text={`${at ? moment(at, true) : t("now")}: ${said}`}
        hover={hover}
        zoom={p.zoom}
        {...(p.reset && { reset: p.reset })}
      />
    </section>
  );
}

function Picker({ view, all, shown }: { view: View; all: Chart[]; shown: Chart[] }) {
  const [search, setSearch] = useState("");
  const words = search.toLowerCase().trim();
  const toggle = (c: Chart) => {
    const rest = shown.filter((x) => x !== c);
    const next = rest.length < shown.length ? rest : [...shown, c];
    view.change({ ids: next.map((x) => x.key).join(",") });
  };
  return (
    <details class="picker">
      <summary class="button">{t("h.pick", { n: shown.length })}</summary>
      <div class="card">
        <input
          type="search"
          value={search}
          placeholder={t("search")}
          aria-label={t("search")}
          onInput={(e) => setSearch(e.currentTarget.value)}
        />
        <ul>
          {all
            .filter((c) => `${c.group} ${c.title} ${c.key}`.toLowerCase().includes(words))
            .map((c) => (
              <li key={c.key}>
                <label>
                  <input type="checkbox" checked={shown.includes(c)} onChange={() => toggle(c)} />{" "}
                  {c.title} <span class="sub">{c.group}</span>
                </label>
              </li>
            ))}
        </ul>
      </div>
    </details>
  );
}

export function HistoryView({ view }: { view: View }) {
  const { board } = view.m;
  const [at, setAt] = useState<number | null>(null);
  const s = stretchOf(view.search, view.wallOf(view.now));
  const all = board ? catalogOf(board) : [];
  const shown = chosen(all, new URLSearchParams(view.search).get("ids"));
  const ids = shown.flatMap((c) => c.metrics.map((m) => m.id));
  const { past, refused } = usePast(view, ids, s);
  if (!board) return <p class="empty">{t("wait.values")}</p>;
  const step = past?.step_ms ?? questionOf(s, s.to).step_s * 1000;
  const whole = past && !refused ? cut(past, s.from, s.to, view.m.clockSkewMs) : { ts: [], lines: {} };
  const index = at === null ? -1 : nearest(whole.ts, s.from + at * (s.to - s.from));
  const near = Math.abs((whole.ts[index] ?? 0) - s.from - (at ?? 0) * (s.to - s.from));
  const hover = { at, index: near > OLD_STEPS * step ? -1 : index, set: setAt };
  const reset = s.zoomed ? () => view.change({ from: null, to: null }) : undefined;
  const zoomTo = (a: number, b: number) => {
    const [from, to] = zoom(s, a, b, step);
    view.change({ from: `${from}`, to: `${to}` });
  };
  return (
    <div class="history">
      <div class="tools">
        <div class="choice" role="group" aria-label={t("h.range")}>
          {Object.keys(RANGES).map((r) => (
            <button
              key={r}
              aria-pressed={s.range === r && !s.zoomed}
              onClick={() => view.change({ range: r, from: null, to: null })}
            >
              {t(`h.${r}` as Key)}
            </button>
          ))}
        </div>
        <Picker view={view} all={all} shown={shown} />
        {reset ? (
          <button class="button" onClick={reset}>
            {t("h.reset", { from: moment(s.from, true), to: moment(s.to, true) })}
          </button>
        ) : (
          <span class="hint">{t("h.hint")}</span>
        )}
      </div>
      {refused && <p class="empty">{t("h.refused")}</p>}
      {!shown.length && <p class="empty">{t("h.none")}</p>}
      <div class="charts">
        {!refused &&
          shown.map((c) => (
            <ChartCard
              key={c.key}
              chart={c}
              cut={whole}
              s={s}
              step={step}
              hover={hover}
              zoom={zoomTo}
              reset={reset}
            />
          ))}
      </div>
    </div>
  );
}
