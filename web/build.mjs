/* Builds the dashboard: everything in one page.
 *
 *   node build.mjs --out DIR     writes index.html, index.html.gz and csp.txt
 *
 * csp.txt is the value of the Content-Security-Policy header: it names the script and the
 * style of exactly this page. The same sources give the same bytes. */

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gunzipSync, gzipSync } from "node:zlib";
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

const script = () =>
  bundle("main.tsx", {
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
  });

const sha256 = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

function policy(js, css) {
  return [
    "default-src 'none'",
    "connect-src 'self'",
    "img-src data:",
    `style-src ${sha256(css)}`,
    `script-src ${sha256(js)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function page(template, js, css) {
  if (/<\/script|<!--/i.test(js)) throw new Error("the script would end its own element");
  if (/<\/style/i.test(css)) throw new Error("the style would end its own element");
  const html = template.replace(/>\n+</g, "><").trim();
  return `${html.replace("/*STYLE*/", () => css).replace("/*SCRIPT*/", () => js)}\n`;
}

/* zlib's best of several settings; the header says nothing about when and where. */
function squeeze(html) {
  let best;
  for (const memLevel of [7, 8, 9])
    for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FILTERED]) {
      const gz = gzipSync(html, { level: 9, memLevel, strategy });
      gz.writeUInt32LE(0, 4); // time
      gz[9] = 255; // operating system: unknown
      if (!best || gz.length < best.length) best = gz;
    }
  if (gunzipSync(best).toString() !== html) throw new Error("gzip does not give the page back");
  return best;
}

const dir = outDir();
const [js, css, template] = await Promise.all([
  script(),
  bundle("style.css", { target: "chrome111" }),
  readFile(join(here, "src", "index.html"), "utf8"),
]);
const html = page(template, js, css);
const gz = squeeze(html);
if (gz.length > BUDGET) throw new Error(`${gz.length} bytes gzipped, the budget is ${BUDGET}`);
await mkdir(dir, { recursive: true });
await Promise.all([
  writeFile(join(dir, "index.html"), html),
  writeFile(join(dir, "index.html.gz"), gz),
  writeFile(join(dir, "csp.txt"), `${policy(js, css)}\n`),
]);
console.log(`dashboard: ${html.length} bytes, ${gz.length} gzipped (budget ${BUDGET})`);
