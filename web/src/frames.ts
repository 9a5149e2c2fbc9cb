/* Telemetry frames made whole. A frame with `base` says only what changed since that one; the
 * sequence makes a loss visible, and what is built on a lost one is no frame. Pure but for itself. */

import type { Telemetry, Whole } from "./wire";

export class Frames {
  private seq = -1;
  private values: Record<string, number> = {};

  /* Another life of the server counts anew. */
  forget(): void {
    this.seq = -1;
  }

  /* Null: its base is not what we hold, so ask for a snapshot. */
  take(f: Telemetry): Whole | null {
    if (f.base !== undefined && f.base !== this.seq) return null;
    const values = f.base === undefined ? {} : { ...this.values };
    for (const id in f.values) {
      const v = f.values[id];
      if (v === null || v === undefined) delete values[id];
      else values[id] = v;
    }
    this.seq = f.seq;
    this.values = values;
    return { seq: f.seq, t: f.t, up: f.up, values };
  }
}
