/* One clock for the page: never goes back, and counts the time that the machine slept.
 * performance.now() alone stands still during sleep on most systems; Date.now() alone jumps. */

const SLEPT_MS = 1000;

export function steadyClock(mono: () => number, wall: () => number): () => number {
  let at = 0;
  let lastMono = mono();
  let lastWall = wall();
  return () => {
    const m = mono();
    const w = wall();
    const passed = m - lastMono;
    const said = w - lastWall;
    at += said > passed + SLEPT_MS ? said : passed;
    lastMono = m;
    lastWall = w;
    return at;
  };
}
