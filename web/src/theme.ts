/* Colours for what is painted on a canvas, read from the style sheet. */

let cache = new Map<string, string>();

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
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    cache = new Map();
    run();
  });
}
