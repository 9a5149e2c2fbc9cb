/* The WebSocket to the board: connects, notices silence, comes back by itself.
 * Owner: app.ts. Everything that touches the world comes in through Env, so that the tests
 * run it on a fake clock. One timer at a time, armed to the nearest deadline. */

import { byeDelay, retryDelay } from "./backoff";
import { Frames } from "./frames";
import { Rpc, RpcError } from "./rpc";
import type { BoardEvent, Bye, Hello, Telemetry } from "./wire";
import type { Env, Handlers, LinkState, Socket } from "./world";

export type { Env, Handlers, LinkState, Socket };

export const CONNECT_MS = 10_000; // from the attempt to the server's hello
export const ANSWER_MS = 7_000; // stale, asked, and nothing at all heard: the link is dead
export const PROBE_MS = 10_000; // how often the round trip is measured
const PROBE_STALE_MS = 4_000;
const WAKE_MS = 3_000; // after a wake-up the peer has this long to answer
const LATE_MS = 2_000; // a timer that comes this late says that we slept

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: unknown;
}

export const staleAfter = (sampleMs: number): number => Math.max(3 * sampleMs, 3000);

export class Link {
  private socket: Socket | null = null;
  private state: LinkState = { kind: "connecting", again: false };
  private attempt = 0;
  private byeMs = -1;
  private notBefore = 0;
  private connectBy = 0;
  private silentAt = 0;
  private staleAt = 0;
  private probeAt = 0;
  private heardAt = 0; // newest telemetry
  private sampleMs = 1000;
  private due = 0;
  private graced = false;
  private cancel: () => void = () => {};
  private rpc = new Rpc();
  private resume = "";
  private epoch = "";
  private seq = -1;
  private frames = new Frames();
  private askedWhole = false;
  private paused = false;
  private isOpen = false;

  constructor(
    private readonly env: Env,
    private readonly on: Handlers,
  ) {}

  start(): void {
    if (!this.socket) this.connect();
  }

  stop(): void {
    this.cancel();
    this.release();
  }

  /* Nobody looks: telemetry may rest, and silence means nothing until wake(). */
  pause(): void {
    this.paused = true;
    this.topics("unsubscribe");
    if (this.hasHello()) this.arm();
  }

  private topics(method: string): void {
    if (this.hasHello()) void this.request(method, { topics: ["telemetry"] }).catch(() => {});
  }

  /* Not sooner than the server said. */
  holdOff(ms: number): void {
    const { state } = this;
    if (state.kind !== "waiting" && state.kind !== "offline") return;
    this.notBefore = this.env.now() + ms;
    this.wait(Math.max(state.until, this.notBefore));
  }

  /* The page became visible, or the network came or went: do not wait for a timer. */
  wake(): void {
    const now = this.env.now();
    const { kind } = this.state;
    if (this.paused) {
      this.paused = false;
      this.heardAt = now;
      this.staleAt = now + staleAfter(this.sampleMs);
      this.silentAt = now + WAKE_MS;
      this.topics("subscribe");
    }
    if (kind === "waiting" || kind === "offline") {
      if (this.env.online() && now >= this.notBefore) this.connect();
      else this.wait(this.state.until);
    } else if (kind !== "connecting") {
      this.silentAt = Math.min(this.silentAt, now + WAKE_MS);
      this.probeAt = now;
      this.check();
    }
  }

  request(method: string, params: object = {}): Promise<unknown> {
    const { socket } = this;
    if (!socket || !this.isOpen)
      return Promise.reject(new RpcError("closed", "not connected"));
    return this.rpc.request((text) => socket.send(text), this.env.now(), method, params);
  }

  private hasHello(): boolean {
    return this.state.kind === "live" || this.state.kind === "stale";
  }

  private enter(s: LinkState): void {
    this.state = s;
    this.on.state(s);
  }

  private connect(): void {
    this.release();
    this.enter({ kind: "connecting", again: this.epoch !== "" || this.attempt > 0 });
    this.connectBy = this.env.now() + CONNECT_MS;
    this.byeMs = -1;
    const query = this.resume && `?resume=${this.resume}&seq=${this.seq}&epoch=${this.epoch}`;
    const s = this.env.open(query);
    s.onopen = () => {
      this.isOpen = true;
      this.on.open();
    };
    s.onmessage = (e) => this.receive(e.data);
    s.onclose = () => this.lost();
    this.socket = s;
    this.arm();
  }

  /* Lets go of the socket without waiting for it: a dead peer never answers a close. */
  private release(): void {
    const s = this.socket;
    this.socket = null;
    this.isOpen = false;
    if (s) {
      s.onopen = s.onmessage = s.onclose = null;
      s.close();
    }
    this.rpc.abandon();
  }

  private lost(): void {
    const now = this.env.now();
    const refused = !this.hasHello();
    this.release();
    const told = this.byeMs >= 0;
    const delay = told
      ? byeDelay(this.byeMs, this.env.random())
      : retryDelay(this.attempt, this.env.random());
    this.notBefore = told ? now + Math.min(this.byeMs, delay) : now;
    this.attempt++;
    this.wait(now + delay);
    if (refused) this.on.refused();
  }

  private wait(until: number): void {
    this.enter({ kind: this.env.online() ? "waiting" : "offline", until });
    this.arm();
  }

  private receive(data: unknown): void {
    let m: Message | null = null;
    try {
      m = JSON.parse(String(data));
    } catch {
      /* not ours to repair; silence will tell */
    }
    if (!m) return;
    if (m.method === "telemetry") this.gotTelemetry(m.params as Telemetry);
    else if (m.method === "hello") this.gotHello(m.params as Hello);
    else if (m.method === "bye") this.gotBye(m.params as Bye);
    else if (m.method === "event") this.on.event(m.params as BoardEvent);
    else if (m.id !== undefined) this.rpc.answer(m.id, m.result, m.error);
    this.silentAt = this.env.now() + staleAfter(this.sampleMs) + ANSWER_MS;
    this.graced = false;
    this.arm();
  }

  private gotHello(h: Hello): void {
    const now = this.env.now();
    this.resume = h.resume;
    if (h.epoch !== this.epoch) {
      this.seq = h.seq;
      this.frames.forget();
    }
    this.askedWhole = false;
    this.epoch = h.epoch;
    this.sampleMs = h.sample_ms;
    this.heardAt = now;
    this.staleAt = now + staleAfter(h.sample_ms);
    this.probeAt = now;
    this.enter({ kind: "live" });
    this.on.hello(h);
    if (this.paused) this.topics("unsubscribe");
  }

  private gotTelemetry(t: Telemetry): void {
    if (!this.hasHello()) return;
    const whole = this.frames.take(t);
    if (!whole) return this.askWhole();
    this.seq = t.seq;
    this.attempt = 0;
    this.heardAt = this.env.now();
    this.staleAt = this.heardAt + staleAfter(this.sampleMs);
    if (this.state.kind === "stale") this.enter({ kind: "live" });
    this.on.telemetry(whole);
  }

  private askWhole(): void {
    if (this.askedWhole) return;
    this.askedWhole = true;
    this.request("snapshot").then(
      (t) => {
        this.askedWhole = false;
        this.gotTelemetry(t as Telemetry);
      },
      () => (this.askedWhole = false),
    );
  }

  private gotBye(b: Bye): void {
    this.byeMs = Number(b.retry_ms) || 0;
    this.on.bye(b);
  }

  private probe(now: number): void {
    this.probeAt = now + (this.state.kind === "stale" ? PROBE_STALE_MS : PROBE_MS);
    this.request("ping").then(
      () => this.on.rtt(this.env.now() - now),
      () => {},
    );
  }

  private check(): void {
    const now = this.env.now();
    const late = now - this.due > LATE_MS;
    const { state } = this;
    if (state.kind === "waiting" || state.kind === "offline") {
      if (now >= state.until) return this.connect();
    } else if (state.kind === "connecting") {
      if (now >= this.connectBy) return this.lost();
    } else if (this.paused) {
      this.rpc.expire(now);
    } else {
      /* We slept ourselves: what the peer sent meanwhile is still queued behind this timer. */
      if (now >= this.silentAt && late && !this.graced) {
        this.graced = true;
        this.silentAt = now + WAKE_MS;
        this.probeAt = now;
      }
      if (now >= this.silentAt) return this.lost();
      if (now >= this.staleAt && state.kind === "live") {
        this.enter({ kind: "stale", since: this.heardAt });
        this.probeAt = now; // is it the link, or only the sampler?
      }
      if (now >= this.probeAt) this.probe(now);
      this.rpc.expire(now);
    }
    this.arm();
  }

  private arm(): void {
    const { state } = this;
    if (state.kind === "waiting" || state.kind === "offline") this.due = state.until;
    else if (state.kind === "connecting") this.due = this.connectBy;
    else {
      this.due = this.paused ? Infinity : Math.min(this.silentAt, this.probeAt);
      if (state.kind === "live" && !this.paused) this.due = Math.min(this.due, this.staleAt);
      this.due = Math.min(this.due, this.rpc.due());
    }
    this.cancel();
    if (this.due === Infinity) return;
    this.cancel = this.env.after(Math.max(0, this.due - this.env.now()), () => this.check());
  }
}
