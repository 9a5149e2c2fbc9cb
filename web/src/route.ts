/* Which view an address opens. Pure; main.tsx moves the browser's history. */

import type { Key } from "./i18n";

export const VIEWS = ["overview", "history", "stats", "events", "device"] as const;
export type ViewName = (typeof VIEWS)[number];

export const pathOf = (view: ViewName): string => (view === "overview" ? "/" : `/${view}`);

/* What we do not know opens the overview. */
export function routeOf(path: string): ViewName {
  const word = path.replace(/\/+$/, "").slice(1);
  return VIEWS.find((v) => v === word) ?? "overview";
}

export const titleOf = (view: ViewName): Key => `view.${view}`;

/* The address with some of its parameters changed; null takes one away. */
export function withParams(search: string, change: Record<string, string | null>): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change))
    if (value === null) params.delete(name);
    else params.set(name, value);
  const text = params.toString().replace(/%2C/g, ",");
  return text && `?${text}`;
}
