import assert from "node:assert/strict";
import { test } from "node:test";
import { known, LANGUAGES, language, locale, speak, t } from "../src/i18n";
import de from "../src/messages/de.json";
import fr from "../src/messages/fr.json";

const FILES: Record<string, Record<string, string>> = {
  "/messages/de.json": de,
  "/messages/fr.json": fr,
};
const load = async (file: string) => FILES[file]!;
const nothing = () => Promise.reject(new Error("no network"));

test("the first wish that can be fulfilled is", async () => {
  await speak(["xx-YY", "en-GB", "de"], nothing);
  assert.deepEqual([language, locale], ["en", "en-GB"]);
  await speak(["xx", "de-CH", "en"], load);
  assert.deepEqual([language, locale, t("view.history")], ["de", "de-CH", "Verlauf"]);
  await speak(["xx"], nothing);
  assert.equal(language, "en");
});

test("words that do not come are English, numbers stay the reader's", async () => {
  await speak(["fr-CH"], nothing);
  assert.deepEqual([language, locale, t("live")], ["en", "fr-CH", "Live"]);
});

test("one and many, and what is filled in", async () => {
  await speak(["en-US"], load);
  assert.equal(t("cores", { n: 1 }), "1 core");
  assert.equal(t("cores", { n: 4 }), "4 cores");
  assert.equal(t("old", { age: "3 s" }), "3 s old");
  await speak(["fr"], load);
  assert.equal(t("cores", { n: 0 }), "0 cœur");
});

test("a word of the server that has no translation stays", async () => {
  await speak(["en"], load);
  assert.equal(known("cause", "quantum_flip"), "quantum_flip");
  assert.equal(known("cause", "peer_gone"), "Tab closed");
});

test("every language that can be chosen has its file", () => {
  const files = Object.keys(LANGUAGES).filter((c) => c !== "en");
  assert.deepEqual(files.map((c) => `/messages/${c}.json`).sort(), Object.keys(FILES).sort());
});
