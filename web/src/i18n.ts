/* The page's words in the reader's language, and numbers and dates as their locale has them.
 * English is in the page; another language is one small file more, of the board it came from.
 * All have the same keys (lint.mjs checks it). */

import en from "./messages/en.json";

export type Key = keyof typeof en;
export type Args = Record<string, string | number>;
type Words = Record<string, string>;

export const LANGUAGES: Record<string, string> = { en: "English", de: "Deutsch", fr: "Français" };

let words: Words = en;
export let language = "en";
export let locale: string | undefined = "en-US";

/* The first wish that we can fulfil: "de-CH" gives German words and Swiss numbers. Words that
 * do not come are English ones. */
export async function speak(
  wishes: readonly string[],
  load: (file: string) => Promise<Words>,
): Promise<void> {
  const wish = wishes.find((w) => w.slice(0, 2) in LANGUAGES) ?? "en";
  const code = wish.slice(0, 2);
  const loaded = code === "en" ? en : await load(`/messages/${code}.json`).catch(() => null);
  language = loaded ? code : "en";
  locale = wish;
  words = loaded ?? en;
}

/* "{n} core|{n} cores": the first for what the language counts as one. Our own rule, since making an
 * Intl.PluralRules is a good part of the time to the first number. */
function inflect(text: string, n: string | number | undefined): string {
  const [one, other] = text.split("|");
  const isOne = typeof n === "number" && (language === "fr" ? n >= 0 && n < 2 : n === 1);
  return other === undefined || isOne ? one! : other;
}

/* `count` decides between one and many; `args` are put in for {name}. */
export function t(key: Key, args: Args = {}, count?: number): string {
  const text = inflect(words[key] ?? en[key], count ?? args.n);
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? ""));
}

/* For words that come from the server: what we do not know stays as it is. */
export const known = (prefix: string, word: string, otherwise = word): string =>
  words[`${prefix}.${word}`] ?? otherwise;
