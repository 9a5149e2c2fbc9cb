import assert from "node:assert/strict";
import { test } from "node:test";
import { speak } from "../src/i18n";
import { labelOf } from "../src/labels";
import de from "../src/messages/de.json";
import type { Metric } from "../src/wire";

const metric = (id: string, label: string, own = false): Metric => ({
  id,
  label,
  unit: "1",
  group: "x",
  kind: "gauge",
  own,
});
const german = () => speak(["de"], async () => de);

test("English is what the server says", async () => {
  await speak(["en"], async () => de);
  assert.equal(labelOf(metric("psi.cpu", "CPU pressure")), "CPU pressure");
  assert.equal(labelOf(metric("net.eth0.rx", "eth0 received")), "eth0 received");
});

test("what all boards have in common is translated by its id", async () => {
  await german();
  assert.equal(labelOf(metric("psi.io.full", "I/O pressure, all wait")), "E/A-Engpass, alle warten");
});

test("what belongs to a part keeps the part's name", async () => {
  await german();
  assert.equal(labelOf(metric("net.eth0.rx", "eth0 received")), "eth0 empfangen");
  assert.equal(labelOf(metric("cpu.0.freq", "CPU 0 frequency")), "CPU 0 Takt");
  assert.equal(labelOf(metric("disk.mmcblk0.life", "mmcblk0 life used")), "mmcblk0 Lebensdauer verbraucht");
});

test("a name alone and a reading of somebody's own stay as they are", async () => {
  await german();
  assert.equal(labelOf(metric("temp.used", "used")), "used");
  assert.equal(labelOf(metric("own.x", "Water used", true)), "Water used");
});
