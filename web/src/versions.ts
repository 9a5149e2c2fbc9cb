/* After an update: which version runs now, and whether that is the one that was sent. Pure. */

import type { Key } from "./i18n";
import type { Update } from "./wire";

/* What was so when the update began; kept by the browser over the restart. */
export interface Before {
  bootId: string;
  version: string;
}

const BUSY = ["receiving", "verifying", "writing", "reboot"];

export const isBusy = (u: Update | null): boolean => !!u && BUSY.includes(u.state);

export type Verdict = { key: Key; tone: "good" | "warn" | "bad" } | null;

/* A restart shows in the boot id; who won shows in the state. */
export function verdict(u: Update, before: Before | null, bootId: string): Verdict {
  const restarted = before !== null && bootId !== "" && bootId !== before.bootId;
  switch (u.state) {
    case "trial":
      return { key: "u.trial", tone: "warn" };
    case "rolled_back":
      return { key: "u.back", tone: "bad" };
    case "failed":
      return { key: "u.failed", tone: "bad" };
    case "confirmed":
      return restarted ? { key: "u.won", tone: "good" } : null;
    default:
      return restarted && u.version === before.version ? { key: "u.same", tone: "warn" } : null;
  }
}
