/* Light or dark, as the reader's system has it or as they chose here; and the colours of the style
 * sheet for what is painted on a canvas. */

import { recall } from "./keep";

export const THEMES = ["auto", "light", "dark"] as const;

export const themeNow = (): string => recall<string>("theme", "auto");

let cache = new Map<string, string>();

export function applyTheme(theme = themeNow()): void {
  document.documentElement.dataset.theme = theme;
  cache = new Map();
}

export function color(name: string): string {
  let c = cache.get(name);
  if (c === undefined) {
    c = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    cache.set(name, c);
  }
  return c;
}

/* The size of the page's type in px. */
export const rem = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;

/* Calls back after the reader's system changed between light and dark. */
export function onThemeChange(run: () => void): void {
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
    matchMedia(query).addEventListener("change", () => {
      cache = new Map();
      run();
    });
}
