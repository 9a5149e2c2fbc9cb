/* The real daemon, started as a user would, and a wire between it and the browser that can be
 * cut. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.mjs";

export const top = fileURLToPath(new URL("../..", import.meta.url));
const build = resolve(top, process.env.PULSEBOARD_BUILD ?? "build/release");

export class Daemon {
  port = 0;
  log = "";
  #child = null;
  #args;
  #data = mkdtempSync(join(tmpdir(), "pulseboard-browser-"));

  constructor(args = []) {
    this.#args = args;
  }

  /* On the same port as before, when there was one. `wrap` is put before the command. */
  async start(wrap = []) {
    const serve = ["serve", "--listen", `127.0.0.1:${this.port}`, "--data", this.#data,
      "--statsd", "127.0.0.1:0", ...this.#args];
    const [command, ...args] = [...wrap, join(build, "pulseboard"), ...serve];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let out = "";
    child.stdout.on("data", (d) => (out += d));
    child.stderr.on("data", (d) => (this.log += d));
    const gone = new Promise((done) => child.on("exit", done));
    child.gone = gone;
    const ready = await until("the daemon is ready", () => {
      if (child.exitCode !== null) throw new Error(`exit ${child.exitCode}: ${this.log}`);
      return /^ready http=127\.0\.0\.1:(\d+)(?: https=(\S+))?/m.exec(out);
    });
    this.port = Number(ready[1]);
    this.secureUrl = ready[2] && `https://${ready[2]}`;
    return this;
  }

  get data() {
    return this.#data;
  }

  get pid() {
    return this.#child.pid;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  signal(name) {
    this.#child.kill(name);
  }

  async end(name = "SIGKILL") {
    if (!this.#child) return;
    this.#child.kill("SIGCONT");
    this.#child.kill(name);
    await this.#child.gone;
    this.#child = null;
  }

  async dispose() {
    await this.end();
    rmSync(this.#data, { recursive: true, force: true });
  }

  async stats() {
    return (await fetch(`${this.url}/ws/stats`)).json();
  }

  /* Lines that say a fault of the daemon's own. */
  get errors() {
    return this.log.split("\n").filter((l) => /\blevel=error\b|Sanitizer/.test(l));
  }
}

/* Forwards TCP. cut(): connections break and none come through. stall(): nothing breaks and
 * nothing flows, as when somebody walks out of the Wi-Fi. */
export class Wire {
  #server;
  #pairs = new Set();
  #stalled = false;
  #delay = 0;
  #open = true;

  constructor(port) {
    this.to = port;
    this.#server = net.createServer((a) => this.#join(a));
  }

  async listen() {
    await new Promise((done) => this.#server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  #join(a) {
    if (!this.#open) return a.resetAndDestroy();
    const b = net.connect(this.to, "127.0.0.1");
    const pair = [a, b];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      a.destroy();
      b.destroy();
    };
    const last = () => setTimeout(end, this.#delay); // what is under way arrives first
    for (const s of pair) s.on("error", end).on("close", last);
    a.on("data", (d) => this.#pass(b, d));
    b.on("data", (d) => this.#pass(a, d));
  }

  #pass(to, data) {
    if (this.#stalled) return;
    if (this.#delay) setTimeout(() => to.destroyed || to.write(data), this.#delay);
    else to.write(data);
  }

  /* Each way takes so long; order is kept. */
  slow(ms) {
    this.#delay = ms;
  }

  stall() {
    this.#stalled = true;
  }

  cut() {
    this.#open = false;
    for (const [a] of this.#pairs) a.resetAndDestroy();
  }

  mend() {
    this.#open = true;
    this.#stalled = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
