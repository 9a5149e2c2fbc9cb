/* What a metric is called in the reader's language. The server names them in English, so English has
 * no words here; other languages know the ids that boards have in common, and the last word or two
 * of those that belong to a part ("eth0 received", "mmcblk0 life used"). */

import { known } from "./i18n";
import type { Metric } from "./wire";

export function labelOf(m: Metric): string {
  if (m.own) return m.label;
  return known("label", m.id, "") || withTail(m.label, 2) || withTail(m.label, 1) || m.label;
}

/* The label with its last words in the reader's language; "" where they are not known. */
function withTail(label: string, words: number): string {
  const all = label.split(" ");
  const tail = known("tail", all.slice(-words).join(" "), "");
  return tail && all.length > words ? [...all.slice(0, -words), tail].join(" ") : "";
}

export const groupTitle = (id: string): string => known("group", id);
