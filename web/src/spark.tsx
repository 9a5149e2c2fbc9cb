/* The small chart of a tile. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { paintCurve, paintSoon, type Column, type Pane } from "./paint";

export interface SparkProps {
  ups: readonly number[];
  columns: readonly Column[];
  range: [number, number];
  from: number; // left edge, in up
  until: number; // right edge
}

const PAD = 3; // room for the dot

export function Spark(props: SparkProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (ref.current) paintSoon(ref.current, (pane) => paint(pane, props));
  });
  return <canvas class="spark" ref={ref} aria-hidden="true" />;
}

function paint({ g, w, h }: Pane, p: SparkProps): void {
  const [lo, hi] = p.range;
  const x = (up: number) => (w - PAD) * ((up - p.from) / (p.until - p.from));
  const y = (v: number) => h - 1.5 - ((v - lo) / (hi - lo || 1)) * (h - PAD - 2);
  p.columns.forEach((column, i) =>
    paintCurve(g, { ups: p.ups, column, x, y, floor: h, second: i > 0 }),
  );
}
