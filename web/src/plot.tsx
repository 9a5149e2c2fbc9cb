/* A big chart: five minutes with axes, and a crosshair that all of them share. The crosshair
 * follows the pointer, a finger or the arrow keys. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { clock, tick } from "./format";
import { dot, paintCurve, paneOf, type Column, type Pane } from "./paint";
import { minutes, ticks } from "./scale";
import { WINDOW_MS } from "./series";
import { color, rem } from "./theme";
import type { View } from "./view";

export interface PlotProps {
  view: View;
  columns: readonly Column[];
  range: [number, number];
  unit: string;
  label: string;
  text: string; // the reading at the crosshair, in words
}

/* In units of the type, which grows on very large screens. */
const RIGHT = 5.4; // for the value axis
const BOTTOM = 2;
const TOP = 0.5;
const LABEL = 4.2; // room that a time needs

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

export function Plot(p: PlotProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const pane = ref.current && paneOf(ref.current);
    if (pane) paint(pane, p);
  });
  const { hover } = p.view;
  const point = (e: PointerEvent) => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    hover.set(Math.min(1, (e.clientX - box.left) / frameOf(box.width, box.height).right));
  };
  const key = (e: KeyboardEvent) => {
    const steps = KEYS[e.key];
    if (!steps) return;
    e.preventDefault();
    const step = (steps * p.view.m.series.stepMs) / WINDOW_MS;
    hover.set(Math.min(1, Math.max(0, (hover.at ?? 1) + step)));
  };
  return (
    <canvas
      class="plot"
      ref={ref}
      tabIndex={0}
      role="slider"
      aria-label={p.label}
      aria-valuemin={-WINDOW_MS / 1000}
      aria-valuemax={0}
      aria-valuenow={Math.round((((hover.at ?? 1) - 1) * WINDOW_MS) / 1000)}
      aria-valuetext={p.text}
      onPointerDown={point}
      onPointerMove={point}
      onPointerLeave={() => hover.set(null)}
      onBlur={() => hover.set(null)}
      onKeyDown={key}
    />
  );
}

function paint(pane: Pane, p: PlotProps): void {
  const { g } = pane;
  const { view } = p;
  const [lo, hi] = p.range;
  const frame = frameOf(pane.w, pane.h);
  const { right, floor, top } = frame;
  const x = (up: number) => right * (1 - (view.until - up) / WINDOW_MS);
  const y = (v: number) => floor - ((v - lo) / (hi - lo || 1)) * (floor - top);
  paintGrid(pane, frame, p, y);
  p.columns.forEach((column, i) =>
    paintCurve(g, { ups: view.axis.ups, column, x, y, floor, second: i > 0 }),
  );
  const i = view.hover.index;
  const up = view.axis.ups[i];
  if (up === undefined) return;
  g.fillStyle = color("line2");
  g.fillRect(Math.round(x(up)), top, 1, floor - top);
  p.columns.forEach((column, k) => {
    const v = column[i];
    if (v === null || v === undefined) return;
    g.fillStyle = color("card");
    dot(g, x(up), y(v), 4.5);
    g.fillStyle = color(k ? "line2" : "accent");
    dot(g, x(up), y(v), 3);
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
  const end = p.view.wallOf(p.view.until + p.view.offset);
  g.textBaseline = "alphabetic";
  for (const t of minutes(end, WINDOW_MS, f.right / (LABEL * f.em))) {
    const at = f.right * (1 - (end - t) / WINDOW_MS);
    const text = clock(t, false);
    const half = g.measureText(text).width / 2;
    if (at > half && at < w - half) g.fillText(text, at - half, h - 0.4 * f.em);
  }
}
