import assert from "node:assert/strict";
import { test } from "node:test";
import { known, LANGUAGES, language, locale, speak, t } from "../src/i18n";

test("the first wish that can be fulfilled is", () => {
  speak(["xx-YY", "en-GB", "en"]);
  assert.deepEqual([language, locale], ["en", "en-GB"]);
  speak(["xx"]);
  assert.equal(language, "en");
});

test("one and many, and what is filled in", () => {
  speak(["en-US"]);
  assert.equal(t("cores", { n: 1 }), "1 core");
  assert.equal(t("cores", { n: 4 }), "4 cores");
  assert.equal(t("old", { age: "3 s" }), "3 s old");
});

test("a word of the server that has no translation stays", () => {
  assert.equal(known("cause", "quantum_flip"), "quantum_flip");
  assert.equal(known("cause", "peer_gone"), "Tab closed");
});

test("every language fills the same holes", () => {
  for (const code of Object.keys(LANGUAGES)) {
    speak([code]);
    assert.match(t("waiting", { n: 7 }), /7/);
  }
  speak(["en"]);
});
