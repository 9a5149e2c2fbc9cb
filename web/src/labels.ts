/* What a metric is called in the reader's language. The server names them in English; we know the
 * ids that every board has, and the last word of those that belong to a part ("eth0 received"). */

import { known } from "./i18n";
import type { Metric } from "./wire";

export function labelOf(m: Metric): string {
  if (m.own) return m.label;
  const core = /^cpu\.(\d+)(\.freq)?$/.exec(m.id);
  if (core) return `CPU ${core[1]}${core[2] ? ` ${known("tail", "frequency")}` : ""}`;
  const at = m.label.lastIndexOf(" ") + 1;
  const tail = m.label.slice(at);
  return known("label", m.id, m.label.slice(0, at) + known("tail", tail));
}

export const groupTitle = (id: string): string => known("group", id);
