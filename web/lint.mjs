/* The few rules that the compiler does not know. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const LINES_MAX = 300;
const RULES = [
  [/\bany\b(?=[\s;,)>\]|])/, "any"],
  [/@ts-ignore|@ts-expect-error/, "a silenced type error"],
  [/innerHTML|\beval\(|new Function\(/, "something that a strict CSP forbids"],
  [/console\./, "console output"],
  [/https?:\/\/(?!www\.w3\.org\/)/, "an address outside of the board"],
];

const here = dirname(fileURLToPath(import.meta.url));
let bad = 0;
const complain = (where, what) => {
  console.error(`${where}: ${what}`);
  bad++;
};

for (const dir of ["src", "test"])
  for (const name of readdirSync(join(here, dir)).filter((f) => f.includes("."))) {
    const text = readFileSync(join(here, dir, name), "utf8");
    const lines = text.split("\n");
    const isModule = /\.tsx?$/.test(name);
    if (isModule && lines.length > LINES_MAX) complain(`${dir}/${name}`, `${lines.length} lines`);
    if (dir !== "src") continue;
    const code = isModule ? text.replace(/\/\*[^]*?\*\//g, (c) => c.replace(/[^\n]/g, " ")) : text;
    code.split("\n").forEach((line, i) => {
      for (const [shape, what] of RULES)
        if (shape.test(line.replace(/\/\/.*/, (c) => (c.includes("http") ? c : ""))))
          complain(`${dir}/${name}:${i + 1}`, what);
    });
  }
/* Messages: every language says the same things with the same holes in them, and nothing that
 * nobody asks for. A key is used by its name, or by its first part ("cause.") as a family. */
const SERVERS = /^(label|tail)\./; // the server says these in English itself
const holes = (text) => [...new Set(text.match(/\{\w+\}/g))].sort().join();
const folder = join(here, "src", "messages");
const english = JSON.parse(readFileSync(join(folder, "en.json"), "utf8"));
const keys = Object.keys(english);
for (const name of readdirSync(folder).filter((f) => f.endsWith(".json"))) {
  const words = JSON.parse(readFileSync(join(folder, name), "utf8"));
  for (const key of keys)
    if (!words[key]) complain(`messages/${name}`, `no "${key}"`);
    else if (holes(words[key]) !== holes(english[key])) complain(`messages/${name}`, `"${key}" has other holes`);
  for (const key of Object.keys(words))
    if (!(key in english || SERVERS.test(key))) complain(`messages/${name}`, `"${key}" is not English`);
}
const source = readdirSync(join(here, "src"))
  .filter((f) => /\.tsx?$/.test(f))
  .map((f) => readFileSync(join(here, "src", f), "utf8"))
  .join();
const families = new Set(source.match(/(?<=known\("|[`"])[a-z.]+(?=", |\.?\$\{)/g)?.map((f) => f.replace(/\.$/, "")));
for (const key of keys) {
  const family = key.split(".").slice(0, -1).join(".");
  const inFamily = [...families].some((f) => family === f || key.startsWith(`${f}.`));
  if (!source.includes(`"${key}"`) && !inFamily) complain("messages/en.json", `nobody says "${key}"`);
}
process.exit(bad ? 1 : 0);
