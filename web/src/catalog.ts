/* Every chart that the history view can draw: one metric, or two that belong together. Pure. */

import { labelOf } from "./labels";
import type { Board, Tile } from "./tiles";
import type { Metric } from "./wire";

export interface Chart {
  key: string; // its ids
  title: string;
  group: string;
  metrics: Metric[]; // one or two, of one unit
}

const MAX_FIRST = 6;

const chart = (group: string, title: string, metrics: Metric[]): Chart => ({
  key: metrics.map((m) => m.id).join(","),
  title,
  group,
  metrics,
});

function chartsOf(group: string, tile: Tile): Chart[] {
  switch (tile.kind) {
    case "plain":
      return [chart(group, tile.title, [tile.metric])];
    case "pair":
      return [chart(group, tile.title, [tile.down, tile.up])];
    case "usage":
      return [chart(group, tile.title, [tile.used])];
    case "load":
      return tile.loads.map((m) => chart(group, labelOf(m), [m]));
    case "cores":
      return tile.cores.flatMap(({ metric, freq }) =>
        [metric, ...(freq ? [freq] : [])].map((m) => chart(group, labelOf(m), [m])),
      );
    case "facts":
      return [];
  }
}

export function catalogOf(board: Board): Chart[] {
  const charts = board.groups.flatMap((g) => g.tiles.flatMap((tile) => chartsOf(g.title, tile)));
  const heroes = [board.cpu, board.memory?.used].filter((m) => m !== undefined);
  const { network } = board;
  if (network?.down.length === 1)
    charts.unshift(chart("", network.name, [...network.down, ...network.up]));
  return [...heroes.map((m) => chart("", labelOf(m), [m])), ...charts];
}

/* Those of which the address names an id; without any, one of each group, the first ones. */
export function chosen(all: readonly Chart[], ids: string | null): Chart[] {
  if (ids !== null) {
    const wanted = new Set(ids.split(","));
    return all.filter((c) => c.metrics.some((m) => wanted.has(m.id)));
  }
  const groups = new Set<string>();
  const first = all.filter((c) => !c.group || !(groups.has(c.group) || !groups.add(c.group)));
  return first.slice(0, MAX_FIRST);
}
