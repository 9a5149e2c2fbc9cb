/* A big chart with axes and a crosshair that all charts of a view share. The crosshair follows the
 * pointer, a finger or the arrow keys; where there is something to zoom into, a drag chooses it. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { clock, day, tick } from "./format";
import { dot, paintBand, paintCurve, paintSoon, type Pane } from "./paint";
import type { Line } from "./past";
import { DAY, ticks, times } from "./scale";
import { color, rem } from "./theme";

/* The crosshair: a place in the window, 0 oldest and 1 newest, and the value that is there. */
export interface Hover {
  at: number | null;
  index: number; // -1: none
  set(at: number | null): void;
}

export interface PlotProps {
  xs: readonly number[]; // ascending; what clock they are of does not matter here
  from: number;
  to: number;
  wall(x: number): number; // for the words below
  step: number; // between two values
  lines: readonly Line[];
  range: [number, number];
  unit: string;
  label: string;
  text: string; // the reading at the crosshair, in words
  hover: Hover;
  zoom?: (from: number, to: number) => void;
  reset?: () => void;
}

/* In units of the type, which grows on very large screens. */
const RIGHT = 5.4; // for the value axis
const BOTTOM = 2;
const TOP = 0.5;
const LABEL = 4.2; // room that a time needs
const DRAG = 8; // px that make a drag
const PINCH = 1.2; // times that make a pinch

interface Frame {
  em: number;
  right: number; // edges of the field in px
  floor: number;
  top: number;
}

function frameOf(w: number, h: number): Frame {
  const em = 0.6875 * rem();
  return { em, right: w - RIGHT * em, floor: h - BOTTOM * em, top: TOP * em };
}

const KEYS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageDown: -30, PageUp: 30 };
const clamp = (v: number): number => Math.min(1, Math.max(0, v));

/* Two fingers: what was between them stays between them; coming together they show all again. */
function pinch(p: PlotProps, [a, b]: [number, number][]): void {
  const grown = Math.abs(a![1] - b![1]) / Math.max(0.01, Math.abs(a![0] - b![0]));
  if (grown < 1 / PINCH) p.reset?.();
  if (grown < PINCH) return;
  const width = (p.to - p.from) / grown;
  const from = p.from + ((a![0] + b![0]) / 2) * (p.to - p.from) - width * ((a![1] + b![1]) / 2);
  p.zoom?.(Math.max(p.from, from), Math.min(p.to, from + width));
}

/* What a pointer does to a chart: shows, and with a drag chooses. */
function usePointer(p: PlotProps) {
  const [drag, setDrag] = useState<number | null>(null); // where it began
  const fingers = useRef(new Map<number, [number, number]>()).current; // where each began, and is
  const place = (e: PointerEvent): number => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    return clamp((e.clientX - box.left) / frameOf(box.width, box.height).right);
  };
  const far = (e: PointerEvent, at: number): boolean =>
    Math.abs(place(e) - at) * (e.currentTarget as HTMLElement).clientWidth > DRAG;
  const xOf = (at: number): number => p.from + at * (p.to - p.from);
  return {
    drag,
    down(e: PointerEvent) {
      p.hover.set(place(e));
      if (!p.zoom) return;
      (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
      fingers.set(e.pointerId, [place(e), place(e)]);
      setDrag(fingers.size > 1 ? null : place(e));
    },
    move(e: PointerEvent) {
      const finger = fingers.get(e.pointerId);
      if (finger) finger[1] = place(e);
      p.hover.set(place(e));
    },
    up(e: PointerEvent) {
      if (fingers.size > 1) pinch(p, [...fingers.values()]);
      else if (drag !== null && far(e, drag)) p.zoom?.(xOf(drag), xOf(place(e)));
      fingers.clear();
      setDrag(null);
    },
    end() {
      fingers.clear();
      setDrag(null);
      p.hover.set(null);
    },
  };
}

function onKey(p: PlotProps, e: KeyboardEvent): void {
  const at = p.hover.at ?? 1;
  const width = p.to - p.from;
  const middle = p.from + at * width;
  const steps = KEYS[e.key];
  if (steps) p.hover.set(clamp(at + (steps * p.step) / width));
  else if (e.key === "+" && p.zoom) p.zoom(middle - width / 4, middle + width / 4);
  else if ((e.key === "-" || e.key === "Escape") && p.reset) p.reset();
  else return;
  e.preventDefault();
}

export function Plot(p: PlotProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const pointer = usePointer(p);
  useLayoutEffect(() => {
    if (ref.current) paintSoon(ref.current, (pane) => paint(pane, p, pointer.drag));
  });
  return (
    <canvas
      class="plot"
      ref={ref}
      tabIndex={0}
      role="slider"
      aria-label={p.label}
      aria-valuemin={-Math.round((p.to - p.from) / 1000)}
      aria-valuemax={0}
      aria-valuenow={Math.round((((p.hover.at ?? 1) - 1) * (p.to - p.from)) / 1000)}
      aria-valuetext={p.text}
      onPointerDown={pointer.down}
      onPointerMove={pointer.move}
      onPointerUp={pointer.up}
      onPointerCancel={pointer.end}
      onPointerLeave={pointer.end}
      onDblClick={p.reset}
      onBlur={() => p.hover.set(null)}
      onKeyDown={(e) => onKey(p, e)}
    />
  );
}

function paint(pane: Pane, p: PlotProps, drag: number | null): void {
  const { g } = pane;
  const [lo, hi] = p.range;
  const frame = frameOf(pane.w, pane.h);
  const { right, floor, top } = frame;
  const x = (at: number) => right * (1 - (p.to - at) / (p.to - p.from));
  const y = (v: number) => floor - ((v - lo) / (hi - lo || 1)) * (floor - top);
  paintGrid(pane, frame, p, y);
  p.lines.forEach(({ avg, min, max }, i) => {
    const curve = { ups: p.xs, column: avg, x, y, floor, second: i > 0 };
    if (min && max) paintBand(g, curve, min, max);
    paintCurve(g, curve, !min);
  });
  if (drag !== null && p.hover.at !== null) {
    g.fillStyle = `${color("accent")}2a`;
    g.fillRect(right * drag, top, right * (p.hover.at - drag), floor - top);
  }
  const i = p.hover.index;
  const here = p.xs[i];
  if (here === undefined) return;
  g.fillStyle = color("line2");
  g.fillRect(Math.round(x(here)), top, 1, floor - top);
  p.lines.forEach(({ avg }, k) => {
    const v = avg[i];
    if (v === null || v === undefined) return;
    g.fillStyle = color("card");
    dot(g, x(here), y(v), 4.5);
    g.fillStyle = color(k ? "line2" : "accent");
    dot(g, x(here), y(v), 3);
  });
}

function paintGrid({ g, w, h }: Pane, f: Frame, p: PlotProps, y: (v: number) => number): void {
  g.font = `${f.em}px Inter, system-ui, sans-serif`;
  g.textBaseline = "middle";
  for (const v of ticks(p.range[0], p.range[1], f.floor / (3 * f.em))) {
    g.fillStyle = color("grid");
    g.fillRect(0, Math.round(y(v)), f.right, 1);
    g.fillStyle = color("muted");
    g.fillText(tick(v, p.unit), f.right + f.em, y(v));
  }
  const [from, to] = [p.wall(p.from), p.wall(p.to)];
  const zone = (at: number) => -60_000 * new Date(at).getTimezoneOffset();
  const { step, at } = times(from, to, f.right / (LABEL * f.em), zone);
  g.textBaseline = "alphabetic";
  for (const t of at) {
    const x = (f.right * (t - from)) / (to - from);
    const text = step >= DAY ? day(t) : clock(t, step < 60_000);
    const half = g.measureText(text).width / 2;
    if (x > half && x < w - half) g.fillText(text, x - half, h - 0.4 * f.em);
  }
}
