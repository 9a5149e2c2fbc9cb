/* A fake world for the link: a clock that moves when told to, and sockets that note what was
 * sent on them. */

import { Link, type Env, type LinkState, type Socket } from "../src/link";
import type { Bye, Hello, Telemetry } from "../src/wire";

export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: { id: number; method: string; params: unknown }[] = [];
  closed = false;

  constructor(readonly query: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify({ jsonrpc: "2.0", ...message }) });
  }

  hello(over: Partial<Hello> = {}): void {
    this.onopen?.();
    this.say({ method: "hello", params: { ...HELLO, ...over } });
  }

  telemetry(seq: number, up = seq * 1000): void {
    const params: Telemetry = { seq, t: 1e12 + up, up, values: { "cpu.total": seq } };
    this.say({ method: "telemetry", params });
  }

  answer(result: unknown): void {
    this.say({ id: this.sent[this.sent.length - 1]?.id, result });
  }

  drop(): void {
    this.onclose?.();
  }
}

const HELLO: Hello = {
  session: "a1",
  resume: "token",
  epoch: "e1",
  seq: 10,
  resumed: "none",
  heartbeat_ms: 15_000,
  sample_ms: 1000,
  role: "viewer",
  server: { name: "pulseboard", version: "1", host: "board" },
};

export class World implements Env {
  time = 1000;
  sockets: FakeSocket[] = [];
  isOnline = true;
  jitter = 0.5;
  states: LinkState[] = [];
  frames: number[] = [];
  byes: Bye[] = [];
  events: number[] = [];
  refusals = 0;
  opened = 0;
  rtts: number[] = [];
  readonly link = new Link(this, {
    state: (s) => this.states.push(s),
    open: () => this.opened++,
    hello: () => {},
    telemetry: (t) => this.frames.push(t.seq),
    event: (e) => this.events.push(e.seq),
    refused: () => this.refusals++,
    bye: (b) => this.byes.push(b),
    rtt: (ms) => this.rtts.push(ms),
  });
  private timer: { at: number; run: () => void } | null = null;

  open(query: string): FakeSocket {
    const s = new FakeSocket(query);
    this.sockets.push(s);
    return s;
  }

  now = () => this.time;
  random = () => this.jitter;
  online = () => this.isOnline;

  after(ms: number, run: () => void): () => void {
    const mine = { at: this.time + ms, run };
    this.timer = mine;
    return () => {
      if (this.timer === mine) this.timer = null;
    };
  }

  /* Lets time pass, and runs what falls due at its moment. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (let guard = 0; this.timer && this.timer.at <= end; guard++) {
      if (guard > 10_000) throw new Error("the link never rests");
      const { at, run } = this.timer;
      this.timer = null;
      this.time = Math.max(this.time, at);
      run();
    }
    this.time = end;
  }

  /* Lets the wait for the next attempt pass, and no more. */
  retry(): void {
    if (this.state.kind !== "waiting") throw new Error(`not waiting but ${this.state.kind}`);
    this.pass(this.state.until - this.time);
  }

  /* The machine sleeps: time passes, timers run late. */
  sleep(ms: number): void {
    this.time += ms;
    this.pass(0);
  }

  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1]!;
  }

  get state(): LinkState {
    return this.states[this.states.length - 1]!;
  }
}

export function liveWorld(): World {
  const w = new World();
  w.link.start();
  w.socket.hello();
  w.socket.telemetry(11);
  return w;
}
