/* Waiting for a condition, never for a time. */

const POLL_MS = 50;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/* The first truthy result of probe(); fails with `what` and the last thing seen when the
 * deadline passes. A probe that throws has not succeeded yet. */
export async function until(what, probe, ms = 15_000) {
  const end = performance.now() + ms;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (e) {
      last = e.message?.split("\n")[0];
    }
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what} (last: ${last})`);
    await sleep(POLL_MS);
  }
}

/* The probe stays true all the time: for what must not happen. */
export async function steadily(what, probe, ms) {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (!(await probe())) throw new Error(`did not stay so: ${what}`);
    await sleep(POLL_MS);
  }
}
