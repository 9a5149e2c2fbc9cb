/* Numbers and times as people read them. Pure, in the reader's locale. */

import { locale, t } from "./i18n";

export interface Text {
  value: string;
  unit: string;
}

const formats = new Map<string, Intl.NumberFormat>();

/* At least `min`, at most `max` digits after the point. */
export function number(v: number, max = 0, min = max): string {
  const key = `${locale}/${min}/${max}`;
  let f = formats.get(key);
  if (!f) {
    f = new Intl.NumberFormat(locale, { minimumFractionDigits: min, maximumFractionDigits: max });
    formats.set(key, f);
  }
  return f.format(v);
}

/* 12.3 million in the fewest letters, where a unit takes no prefix. */
function compact(v: number): string {
  const key = `${locale}/compact`;
  let f = formats.get(key);
  if (!f) {
    f = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
    formats.set(key, f);
  }
  return f.format(v);
}

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/* A byte has another letter in French; a plain number is not named. */
const letters = (unit: string): string => unit.replace(/^1/, "").replace(/^B\b/, () => t("byte"));

function shrink(v: number): [number, number] {
  let p = 0;
  for (; Math.abs(v) >= 999.5 && p < PREFIXES.length - 1; p++) v /= 1000;
  return [v, p];
}

/* Three significant digits and a decimal prefix: 12.3 kB. */
export function scaled(value: number, unit: string): Text {
  const [v, p] = shrink(value);
  const size = Math.abs(v);
  const digits = p === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return { value: number(v, digits), unit: PREFIXES[p] + letters(unit) };
}

/* 3 d 4 h, 12 min 5 s: the two largest units. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${number(d)} ${t("day")} ${h} h`;
  if (h) return `${h} h ${m} min`;
  if (m) return `${m} min ${s % 60} s`;
  return `${s} s`;
}

const SCALED = ["B", "B/s", "Hz", "s"];
const MANY = 1e6;

export function quantity(v: number, unit: string): Text {
  if (Math.abs(v) >= MANY && !SCALED.includes(unit))
    return { value: compact(v), unit: letters(unit) };
  switch (unit) {
    case "%":
      return { value: number(v, v >= 99.95 ? 0 : 1), unit };
    case "°C":
      return { value: number(v, 1), unit };
    case "1/s":
      return { value: number(v, v >= 100 ? 0 : 1, 0), unit: letters(unit) };
    case "V":
      return { value: number(v, 2), unit };
    case "B":
    case "B/s":
    case "Hz":
      return scaled(v, unit);
    case "s":
      return { value: duration(v), unit: "" };
    case "1": {
      const digits = v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
      return { value: number(v, digits, Number.isInteger(v) ? 0 : digits), unit: "" };
    }
    default: {
      const size = Math.abs(v);
      return { value: number(v, size >= 100 ? 0 : size >= 1 ? 1 : 3, 0), unit };
    }
  }
}

/* On an axis: no more digits than the value needs. */
export function tick(value: number, unit: string): string {
  const [v, p] = shrink(value);
  return join({ value: number(v, 2, 0), unit: PREFIXES[p] + letters(unit) });
}

/* Value and unit with the space between them that does not break. */
export const join = (t: Text): string => (t.unit ? `${t.value}\u00a0${t.unit}` : t.value);
export const bytes = (v: number): string => join(scaled(v, "B"));
export const micros = (v: number): string =>
  v < 1000 ? `${number(v)}\u00a0µs` : millis(v / 1000);
export const millis = (v: number): string =>
  v < 0.05 ? "<1\u00a0ms" : v < 9.95 ? `${number(v, 1)}\u00a0ms` : v < 9995 ? `${number(v)}\u00a0ms` : duration(v / 1000);

const two = (n: number): string => String(n).padStart(2, "0");

/* 14:02:11, on the reader's clock. */
export function clock(wallMs: number, seconds = true): string {
  const d = new Date(wallMs);
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ""}`;
}

/* Wed 25 Nov, in the reader's order. */
export const day = (wallMs: number): string =>
  new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" }).format(wallMs);
