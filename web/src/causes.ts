/* Why sessions end, and why connections are refused, in plain words. */

import { known } from "./i18n";

export interface Cause {
  word: string;
  title: string;
  text: string;
  expected: boolean;
}

/* In the order in which they are shown: the ordinary first. */
export const CAUSES: Readonly<Record<string, boolean>> = {
  peer_closed: true,
  peer_gone: true,
  peer_reset: true,
  heartbeat_lost: true,
  slow_reader: true,
  logged_out: true,
  expired: true,
  evicted: true,
  shutdown: true,
  protocol_error: false,
  internal_error: false,
};

/* All causes that the server counts, those that this page does not know last. */
export function causesOf(closed: Record<string, number>): Cause[] {
  const words = Object.keys(CAUSES).filter((w) => w in closed);
  const strange = Object.keys(closed).filter((w) => !(w in CAUSES));
  return [...words, ...strange].map((word) => ({
    word,
    title: known("cause", word),
    text: known("cause.text", word, ""),
    expected: CAUSES[word] ?? false,
  }));
}

export const refusedTitle = (word: string): string => known("refused", word);
