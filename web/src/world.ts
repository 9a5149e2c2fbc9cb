/* What the link needs of the world around it, and what it tells: the seams that tests take. */

import type { BoardEvent, Bye, Hello, Whole } from "./wire";

export type LinkState =
  | { kind: "connecting"; again: boolean }
  | { kind: "live" }
  | { kind: "stale"; since: number } // connected, but no new values since then
  | { kind: "waiting"; until: number }
  | { kind: "offline"; until: number }; // waiting, and the browser has no network

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Env {
  open(query: string): Socket;
  now(): number;
  after(ms: number, run: () => void): () => void; // returns its cancel
  random(): number;
  online(): boolean;
}

export interface Handlers {
  state(s: LinkState): void;
  open(): void; // may be asked; the hello is under way
  hello(h: Hello): void;
  telemetry(t: Whole): void;
  event(e: BoardEvent): void;
  refused(): void; // an attempt ended without a hello
  bye(b: Bye): void;
  rtt(ms: number): void;
}
