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
  for (const name of readdirSync(join(here, dir))) {
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
process.exit(bad ? 1 : 0);
