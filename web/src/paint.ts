/* What both kinds of chart paint with: a canvas that is sharp on every screen, and a curve
 * that leaves holes open. */

import { color } from "./theme";

export type Column = readonly (number | null)[];

export interface Pane {
  g: CanvasRenderingContext2D;
  w: number;
  h: number;
}

type Painter = (pane: Pane) => void;

const painters = new WeakMap<Element, Painter>();
const near = new WeakSet<Element>();
let waiting = new Set<HTMLCanvasElement>();

/* Most charts of a long page are out of sight: those cost nothing until they come near. */
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries)
      if (isIntersecting) {
        near.add(target);
        queue(target as HTMLCanvasElement);
      } else near.delete(target);
  },
  { rootMargin: "50%" },
);

export function paintSoon(canvas: HTMLCanvasElement, paint: Painter): void {
  if (!painters.has(canvas)) sight.observe(canvas);
  painters.set(canvas, paint);
  if (near.has(canvas)) queue(canvas);
}

function queue(canvas: HTMLCanvasElement): void {
  if (!waiting.size) soon(() => paintAll(waiting));
  waiting.add(canvas);
}

/* The very first charts cost a browser 100 ms, for its canvas and its fonts: after the numbers. */
let soon = (run: () => void): void => {
  soon = queueMicrotask;
  requestAnimationFrame(() => setTimeout(run));
};

/* The charts of one drawing are painted together: all are measured before one is sized, so that
 * the page is laid out once. */
export function paintAll(canvases: Iterable<HTMLCanvasElement>): void {
  waiting = new Set();
  const charts = [...canvases].map((canvas) => {
    const { clientWidth, clientHeight } = canvas;
    return { canvas, w: clientWidth, h: clientHeight };
  });
  for (const { canvas, w, h } of charts) {
    const pane = paneOf(canvas, w, h);
    if (pane) painters.get(canvas)?.(pane);
  }
}

/* Of this size and empty; null while it has no place on the page. */
function paneOf(canvas: HTMLCanvasElement, w: number, h: number): Pane | null {
  const dpr = devicePixelRatio || 1;
  const g = w && h ? canvas.getContext("2d") : null;
  if (!g) return null;
  const [pw, ph] = [Math.round(w * dpr), Math.round(h * dpr)];
  if (canvas.width !== pw || canvas.height !== ph) {
    canvas.width = pw;
    canvas.height = ph;
  }
  g.setTransform(dpr, 0, 0, dpr, 0, 0);
  g.clearRect(0, 0, w, h);
  return { g, w, h };
}

export interface Curve {
  ups: readonly number[];
  column: Column;
  x(up: number): number;
  y(v: number): number;
  floor: number;
  second: boolean; // drawn dashed and without an area
}

/* Between the least and the most of each place. */
export function paintBand(g: CanvasRenderingContext2D, c: Curve, min: Column, max: Column): void {
  const band = new Path2D();
  let run: [number, number, number][] = [];
  const endRun = () => {
    const [first, ...rest] = run;
    if (first) {
      band.moveTo(first[0], first[2]);
      for (const [x, , top] of rest) band.lineTo(x, top);
      for (const [x, low] of run.reverse()) band.lineTo(x, low);
    }
    run = [];
  };
  c.ups.forEach((up, i) => {
    const [lo, hi] = [min[i], max[i]];
    if (lo === null || lo === undefined || hi === null || hi === undefined) return endRun();
    run.push([c.x(up), c.y(lo), c.y(hi)]);
  });
  endRun();
  g.fillStyle = `${color(c.second ? "line2" : "accent")}38`;
  g.fill(band);
}

/* Each run of values between two holes is a line of its own; a lonely value is a dot.
 * Marks the newest value, unless a hole came after it. */
export function paintCurve(g: CanvasRenderingContext2D, c: Curve, filled = true): void {
  const stroke = new Path2D();
  const area = new Path2D();
  let start = -1; // x where the run began
  let px = 0;
  let py = 0;
  const endRun = () => {
    if (start < 0) return;
    if (px === start) stroke.lineTo(px + 0.5, py);
    area.lineTo(px, c.floor);
    area.lineTo(start, c.floor);
    start = -1;
  };
  c.ups.forEach((up, i) => {
    const v = c.column[i];
    const x = c.x(up);
    if (x < 0 || v === null || v === undefined) return endRun();
    px = x;
    py = c.y(v);
    if (start < 0) {
      start = px;
      stroke.moveTo(px, py);
      area.moveTo(px, py);
    }
    stroke.lineTo(px, py);
    area.lineTo(px, py);
  });
  const open = start >= 0;
  endRun();
  const ink = color(c.second ? "line2" : "accent");
  g.strokeStyle = ink;
  g.lineWidth = 1.5;
  g.lineJoin = "round";
  g.setLineDash(c.second ? [4, 3] : []);
  g.stroke(stroke);
  g.setLineDash([]);
  if (c.second || !filled) return;
  const fade = g.createLinearGradient(0, 0, 0, c.floor);
  fade.addColorStop(0, `${ink}3c`);
  fade.addColorStop(1, `${ink}08`);
  g.fillStyle = fade;
  g.fill(area);
  g.fillStyle = ink;
  if (open) dot(g, px, py, 2.25);
}

export function dot(g: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  g.beginPath();
  g.arc(x, y, r, 0, 7);
  g.fill();
}
