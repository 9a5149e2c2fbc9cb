/* Builds the dashboard: everything in one page.
 *
 *   node build.mjs --out DIR     writes index.html, index.html.gz, csp.txt and a file of words
 *                                for each language but English
 *
 * csp.txt is the value of the Content-Security-Policy header: it names the scripts and the
 * style of exactly this page. The same sources give the same bytes. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import esbuild from "esbuild";

const BUDGET = 38_000;

const here = dirname(fileURLToPath(import.meta.url));

function outDir() {
  const i = process.argv.indexOf("--out");
  const dir = i > 0 && process.argv[i + 1];
  if (!dir) throw new Error("usage: node build.mjs --out DIR");
  return resolve(dir);
}

async function bundle(entry, options) {
  const result = await esbuild.build({
    entryPoints: [join(here, "src", entry)],
    absWorkingDir: here,
    bundle: true,
    minify: true,
    write: false,
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
    ...options,
  });
  return result.outputFiles[0].text.trim();
}

const script = (entry) =>
  bundle(entry, {
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
  });

const sha256 = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

function policy(scripts, css) {
  return [
    "default-src 'none'",
    "connect-src 'self'",
    "img-src data:",
    `style-src ${sha256(css)}`,
    `script-src ${scripts.map(sha256).join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function page(template, early, js, css) {
  if (/<\/script|<!--/i.test(early + js)) throw new Error("the script would end its own element");
  if (/<\/style/i.test(css)) throw new Error("the style would end its own element");
  const html = template.replace(/>\n+</g, "><").trim();
  const filled = html.replace("/*EARLY*/", () => early).replace("/*STYLE*/", () => css);
  return `${filled.replace("/*SCRIPT*/", () => js)}\n`;
}

/* zopfli finds what zlib does not, about 4 %; any browser reads it. The header says nothing about
 * when and where. */
async function squeeze(html, dir) {
  const file = join(dir, "index.html");
  await writeFile(file, html);
  execFileSync("zopfli", ["--i50", file]);
  const gz = await readFile(`${file}.gz`);
  gz.writeUInt32LE(0, 4); // time
  gz[9] = 255; // operating system: unknown
  if (gunzipSync(gz).toString() !== html) throw new Error("gzip does not give the page back");
  return gz;
}

const dir = outDir();
const [early, js, css, template] = await Promise.all([
  script("early.ts"),
  script("main.tsx"),
  bundle("style.css", { target: "chrome111" }),
  readFile(join(here, "src", "index.html"), "utf8"),
]);
/* A language is fetched by who speaks it; the page has English. */
async function messages(dir) {
  const folder = join(here, "src", "messages");
  const names = (await readdir(folder)).filter((f) => f.endsWith(".json") && f !== "en.json");
  for (const name of names) {
    const words = JSON.parse(await readFile(join(folder, name), "utf8"));
    await writeFile(join(dir, name), JSON.stringify(words));
  }
}

const html = page(template, early, js, css);
await mkdir(dir, { recursive: true });
const gz = await squeeze(html, dir);
if (gz.length > BUDGET) throw new Error(`${gz.length} bytes gzipped, the budget is ${BUDGET}`);
await Promise.all([
  writeFile(join(dir, "index.html.gz"), gz),
  messages(dir),
  writeFile(join(dir, "csp.txt"), `${policy([early, js], css)}\n`),
]);
console.log(`dashboard: ${html.length} bytes, ${gz.length} gzipped (budget ${BUDGET})`);
