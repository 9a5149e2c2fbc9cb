import assert from "node:assert/strict";
import { test } from "node:test";
import { Frames } from "../src/frames";

const frame = (seq: number, values: Record<string, number | null>, base?: number) => ({
  seq,
  t: 0,
  up: seq,
  values,
  ...(base !== undefined && { base }),
});

test("what changed is put over what was, and null takes away", () => {
  const f = new Frames();
  assert.deepEqual(f.take(frame(1, { a: 1, b: 2 }))?.values, { a: 1, b: 2 });
  assert.deepEqual(f.take(frame(2, { a: 3 }, 1))?.values, { a: 3, b: 2 });
  assert.deepEqual(f.take(frame(3, { b: null }, 2))?.values, { a: 3 });
});

test("a lost frame is noticed, and nothing is built on it until there is a whole one", () => {
  const f = new Frames();
  f.take(frame(1, { a: 1 }));
  assert.equal(f.take(frame(3, { a: 3 }, 2)), null);
  assert.equal(f.take(frame(4, { a: 4 }, 3)), null);
  assert.deepEqual(f.take(frame(5, { a: 5 }))?.values, { a: 5 });
  f.forget();
  assert.equal(f.take(frame(6, {}, 5)), null);
});

test("what was handed out is not changed by what follows", () => {
  const f = new Frames();
  const first = f.take(frame(1, { a: 1 }));
  f.take(frame(2, { a: 2 }, 1));
  assert.deepEqual(first?.values, { a: 1 });
});
