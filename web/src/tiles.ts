/* From the server's list of metrics to what the overview shows. Pure.
 * Knows the shape of the names (net.<if>.rx), never a certain board. */

import { groupTitle, labelOf } from "./labels";
import type { Metric } from "./wire";

export type Tile =
  | { kind: "plain"; title: string; metric: Metric }
  | { kind: "pair"; title: string; down: Metric; up: Metric }
  | { kind: "usage"; title: string; used: Metric; total: Metric }
  | { kind: "load"; title: string; loads: Metric[] }
  | { kind: "cores"; title: string; cores: { metric: Metric; freq: Metric | undefined }[] }
  | { kind: "facts"; title: string; uptime: Metric | undefined };

export interface Group {
  id: string;
  title: string;
  tiles: Tile[];
}

export interface Board {
  cpu: Metric | undefined;
  memory: { used: Metric; total: Metric } | undefined;
  network: { name: string; down: Metric[]; up: Metric[] } | undefined;
  groups: Group[];
}

/* The groups that we know, in the order in which they stand; own readings first. */
const ORDER = [
  "own",
  "cpu",
  "memory",
  "temperature",
  "network",
  "disk",
  "power",
  "sensors",
  "system",
];

/* The words that two labels share at their start, else the middle of the id. */
function commonTitle(a: Metric, b: Metric): string {
  const [wa, wb] = [a.label.split(" "), b.label.split(" ")];
  let n = 0;
  while (n < wa.length && wa[n] === wb[n]) n++;
  const words = wa.slice(0, n).join(" ").replace(/[\s,:(–-]+$/, "");
  return words || a.id.split(".").slice(1, -1).join(".") || a.label;
}

/* "Memory, cached" stands under Memory already. */
function plainTitle(m: Metric): string {
  const said = `${groupTitle(m.group)}, `;
  const label = labelOf(m);
  if (!label.startsWith(said)) return label;
  return label.charAt(said.length).toUpperCase() + label.slice(said.length + 1);
}

const PAIRS: readonly [RegExp, "pair" | "usage", string, string][] = [
  [/^(net\..+\.)[rt]x$/, "pair", "rx", "tx"],
  [/^(disk\..+\.)(read|write)$/, "pair", "read", "write"],
  [/^(fs\..+\.|swap\.)(used|total)$/, "usage", "used", "total"],
];

/* Two metrics that belong in one tile, from either of them. */
function joined(m: Metric, byId: Map<string, Metric>): Tile | undefined {
  for (const [shape, kind, one, two] of PAIRS) {
    const stem = shape.exec(m.id)?.[1];
    if (!stem) continue;
    const [a, b] = [byId.get(stem + one), byId.get(stem + two)];
    if (!a || !b) continue;
    const title = commonTitle(a, b);
    return kind === "pair" ? { kind, title, down: a, up: b } : { kind, title, used: a, total: b };
  }
  return undefined;
}

const isLoopback = (m: Metric): boolean => m.id.startsWith("net.lo.");

function network(metrics: readonly Metric[]): Board["network"] {
  const pick = (end: string) =>
    metrics.filter((m) => m.id.startsWith("net.") && m.id.endsWith(end) && !isLoopback(m));
  const [down, up] = [pick(".rx"), pick(".tx")];
  if (!down.length || down.length !== up.length) return undefined;
  const names = down.map((m) => m.id.slice(4, -3));
  const name = names.length > 3 ? "" : names.join(" + "); // many have no name
  return { name, down, up };
}

export function arrange(metrics: readonly Metric[]): Board {
  const byId = new Map(metrics.map((m) => [m.id, m]));
  const used = byId.get("mem.used");
  const total = byId.get("mem.total");
  const board: Board = {
    cpu: byId.get("cpu.total"),
    memory: used && total && { used, total },
    network: network(metrics),
    groups: [],
  };
  const placed = new Set<string>(["cpu.total", "mem.total", "sys.uptime"]);
  if (board.memory) placed.add("mem.used");
  if (board.network?.down.length === 1)
    for (const m of [...board.network.down, ...board.network.up]) placed.add(m.id);

  const cores = metrics.filter((m) => /^cpu\.\d+$/.test(m.id));
  const loads = metrics.filter((m) => m.id.startsWith("load."));
  for (const m of metrics) {
    if (placed.has(m.id)) continue;
    let tile: Tile;
    if (cores.includes(m)) {
      const withFreq = cores.map((c) => ({ metric: c, freq: byId.get(`${c.id}.freq`) }));
      tile = { kind: "cores", title: "Cores", cores: withFreq };
    } else if (loads.includes(m)) tile = { kind: "load", title: "Load", loads };
    else tile = joined(m, byId) ?? { kind: "plain", title: plainTitle(m), metric: m };
    for (const id of idsOf(tile)) placed.add(id);
    groupOf(board.groups, m.group).tiles.push(tile);
  }
  const facts: Tile = { kind: "facts", title: "This board", uptime: byId.get("sys.uptime") };
  groupOf(board.groups, "system").tiles.push(facts);
  const rank = (g: Group) => ORDER.indexOf(g.id) + 1 || 99;
  board.groups.sort((a, b) => rank(a) - rank(b));
  return board;
}

function groupOf(groups: Group[], id: string): Group {
  let g = groups.find((x) => x.id === id);
  if (!g) groups.push((g = { id, title: groupTitle(id), tiles: [] }));
  return g;
}

export function idsOf(t: Tile): string[] {
  switch (t.kind) {
    case "plain":
      return [t.metric.id];
    case "pair":
      return [t.down.id, t.up.id];
    case "usage":
      return [t.used.id, t.total.id];
    case "load":
      return t.loads.map((m) => m.id);
    case "cores":
      return t.cores.flatMap((c) => (c.freq ? [c.metric.id, c.freq.id] : [c.metric.id]));
    case "facts":
      return t.uptime ? [t.uptime.id] : [];
  }
}

export interface Placed {
  group: Group;
  span: number; // columns of the page
  spans: number[]; // of each tile
}

const widthOf = (t: Tile, columns: number): number =>
  Math.min(columns, t.kind === "cores" || t.kind === "facts" ? 2 : 1);

/* Sets the groups in rows of `columns`, in order, and widens tiles until no row ends early:
 * every edge on the page is then on the grid. */
export function pack(groups: readonly Group[], columns: number): Placed[] {
  const out: Placed[] = [];
  let row: Placed[] = [];
  let room = columns;
  const close = () => {
    for (let i = 0; row.length && room > 0; i = (i + 1) % row.length, room--) widen(row[i]!);
    row = [];
    room = columns;
  };
  for (const group of groups) {
    const spans = group.tiles.map((t) => widthOf(t, columns));
    const sum = spans.reduce((a, b) => a + b, 0) || 1;
    if (sum > room) close();
    const placed = { group, span: Math.min(sum, columns), spans };
    out.push(placed);
    if (sum > columns) fillRows(spans, columns);
    else {
      row.push(placed);
      room -= sum;
    }
  }
  close();
  return out;
}

/* What a search leaves: tiles of which the title, the group or an id has all of its words. */
export function find(groups: readonly Group[], search: string): Group[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (g: Group, tile: Tile) => {
    const text = `${g.title} ${tile.title} ${idsOf(tile).join(" ")}`.toLowerCase();
    return words.every((w) => text.includes(w));
  };
  return groups
    .map((g) => ({ ...g, tiles: g.tiles.filter((tile) => has(g, tile)) }))
    .filter((g) => g.tiles.length);
}

/* The facts read best in one line; else the narrowest tile has most use for the room. */
function widen(p: Placed): void {
  p.span++;
  if (!p.spans.length) return;
  const facts = p.group.tiles.findIndex((t) => t.kind === "facts");
  const least = Math.min(...p.spans);
  p.spans[facts >= 0 ? facts : p.spans.indexOf(least)]!++;
}

/* A group that needs rows of its own: the last tile of each row takes what is left. */
function fillRows(spans: number[], columns: number): void {
  let room = columns;
  spans.forEach((s, i) => {
    if (s > room) {
      spans[i - 1]! += room;
      room = columns;
    }
    room = room - s || columns;
  });
  if (room < columns) spans[spans.length - 1]! += room;
}
