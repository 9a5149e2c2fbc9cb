/* What a view is given at each render: the model, read at one moment. */

import { staleAfter } from "./link";
import type { Model } from "./model";
import type { Hover } from "./plot";
import { nearest } from "./scale";
import { axisOf, edgeOf, lastValue, offsetOf, type Axis } from "./series";
import type { Past } from "./wire";

/* What a view may ask for. */
export interface Actions {
  askInfo(): void;
  askStats(): void;
  closeSession(id: string): Promise<string>; // why not, or nothing
  signedIn(): void; // or out
  watchEvents(on: boolean): void;
  past(ids: readonly string[], range_s: number, step_s: number): Promise<Past>;
}

export interface View {
  m: Model;
  act: Actions;
  go(e: MouseEvent): void; // for the links between views
  search: string; // the parameters of the address
  change(params: Record<string, string | null>): void; // of the address
  now: number; // steady clock
  wallOf(steadyMs: number): number;
  axis: Axis;
  offset: number; // steady clock minus up
  from: number; // left edge of the charts, in up
  until: number; // right edge
  hover: Hover;
}

export interface Moment extends Pick<View, "act" | "go" | "search" | "change"> {
  now: number;
  wall: number;
  hoverAt: number | null;
  setHover(at: number | null): void;
}

export function viewOf(m: Model, moment: Moment): View {
  const { now, wall, hoverAt, setHover, act, go, search, change } = moment;
  const offset = offsetOf(m.series);
  const axis = axisOf(m.series);
  const last = m.series.rows[m.series.rows.length - 1];
  /* While values come, the newest is at the edge; else time goes on without them. */
  const until = m.link.kind === "live" && last ? last.up : now - offset;
  const from = edgeOf(axis.ups, until);
  const index = hoverAt === null ? -1 : nearest(axis.ups, from + hoverAt * (until - from));
  return {
    m,
    act,
    go,
    search,
    change,
    now,
    wallOf: (at) => wall - (now - at),
    axis,
    offset,
    from,
    until,
    hover: { at: hoverAt, index, set: setHover },
  };
}

export interface Reading {
  v: number;
  old: number | null; // age in ms, when it is too old to be called current
}

export function read(view: View, id: string): Reading | null {
  const last = lastValue(view.m.series, id);
  if (!last) return null;
  const age = Math.max(0, view.now - view.offset - last.up);
  const isOld = view.m.link.kind !== "live" || age > staleAfter(view.m.series.stepMs);
  return { v: last.v, old: isOld ? age : null };
}
