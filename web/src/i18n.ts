/* The page's words in the reader's language. Messages are plain files, one per language, with the
 * same keys (lint.mjs checks it); numbers and dates follow the reader's own locale. */

import en from "./messages/en.json";

export type Key = keyof typeof en;
export type Args = Record<string, string | number>;

export const LANGUAGES: Record<string, [name: string, words: Record<string, string>]> = {
  en: ["English", en],
};

let words: Record<string, string> = en;
let plurals = new Intl.PluralRules("en");
export let language = "en";
export let locale: string | undefined = "en-US";

/* The first wish that we can fulfil: "de-CH" gives German words and Swiss numbers. */
export function speak(wishes: readonly string[]): void {
  const wish = wishes.find((w) => w.slice(0, 2) in LANGUAGES) ?? "en";
  language = wish.slice(0, 2);
  locale = wish;
  words = LANGUAGES[language]![1];
  plurals = new Intl.PluralRules(language);
}

/* "{n} core|{n} cores": the first for what the language counts as one. */
function inflect(text: string, n: string | number | undefined): string {
  const [one, other] = text.split("|");
  return other === undefined || (typeof n === "number" && plurals.select(n) === "one") ? one! : other;
}

/* `count` decides between one and many; `args` are put in for {name}. */
export function t(key: Key, args: Args = {}, count?: number): string {
  const text = inflect(words[key] ?? en[key], count ?? args.n);
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? ""));
}

/* For words that come from the server: what we do not know stays as it is. */
export const known = (prefix: string, word: string, otherwise = word): string =>
  words[`${prefix}.${word}`] ?? otherwise;
