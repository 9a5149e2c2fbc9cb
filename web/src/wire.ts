/* The words of the wire: what the server sends and answers on /ws. Types only. */

export interface Hello {
  session: string;
  resume: string;
  epoch: string; // new at every start of the server
  seq: number; // newest telemetry
  resumed: "none" | "replay" | "snapshot";
  heartbeat_ms: number;
  sample_ms: number;
  role: string;
  server: { name: string; version: string; host: string };
}

/* With `base`: what changed since that frame, null for what went away; else all of it. */
export interface Telemetry {
  seq: number;
  t: number; // the board's wall clock, ms since 1970; may be wrong, may jump
  up: number; // the board's monotonic clock, ms
  base?: number;
  values: Record<string, number | null>;
}

export interface Whole extends Telemetry {
  values: Record<string, number>; // what could not be read is not in here
}

export interface Bye {
  cause: string;
  retry_ms: number;
}

export interface Metric {
  id: string;
  label: string;
  unit: string;
  group: string;
  kind: "gauge" | "rate" | "counter" | "timing";
  min?: number;
  max?: number;
  warn?: number; // the sensor's own thresholds
  crit?: number;
  own?: boolean; // published to the board, not found by it
  age_ms?: number;
}

export interface Info {
  server: { name: string; version: string; started: number; epoch: string };
  device: {
    host: string;
    model?: string;
    kernel: string;
    arch: string;
    os?: string;
    cpus: number;
    addresses?: { if: string; addr: string }[];
    firmware?: { version: string; slot?: string; boot_id?: string };
    clock?: { synced: boolean; source?: string };
    storage?: { mount: string; total: number; free: number }[];
    uptime_s?: number;
  };
  sample_ms: number;
  history: { step_ms: number; n: number };
  metrics: Metric[];
}

/* Columns of equal length, oldest first; row i is seq0 + i at up0 + i * step_ms. */
export interface History {
  seq0: number;
  t0: number;
  up0: number;
  step_ms: number;
  n: number;
  values: Record<string, (number | null)[]>;
}

/* The longer history: evenly spaced, null is a hole; steps of one sample have avg alone. */
export interface Past {
  step_ms: number;
  t0: number; // the board's wall clock at the first place
  n: number;
  values: Record<
    string,
    { avg: (number | null)[]; min?: (number | null)[]; max?: (number | null)[] }
  >;
}

export interface SessionRow {
  id: string;
  address: string;
  age_s: number;
  state: string;
  role: string;
  transport: string;
  rtt_ms: number | null;
  interval_ms: number;
  missed: number;
  queued_bytes: number;
  messages: number;
  last_heard_ms: number;
}

type Numbers<K extends string> = Record<K, number>;

export interface Stats {
  sessions: Numbers<
    "live" | "active" | "closing" | "peak" | "capacity" | "reserved" | "opened"
  > & { rejected: Record<string, number> };
  closed: Record<string, number>;
  heartbeat: Numbers<"sent" | "answered" | "missed" | "lost"> & {
    reprieved?: number; // suspects that the double check saved
    interval_ms: Record<"min" | "avg" | "max", number | null>;
    rtt_ms: Record<"p50" | "p95" | "max", number | null>;
  };
  traffic: Numbers<
    | "frames_in"
    | "frames_out"
    | "bytes_in"
    | "bytes_out"
    | "conflated"
    | "resumed"
    | "replayed"
  >;
  lobby?: Record<string, number>; // connections that have not said yet what they want
  hub: Numbers<"tick_max_us" | "loop_late" | "queue_bytes">;
  memory: Numbers<"table_bytes" | "rss_bytes"> & { tls_bytes?: number };
  uptime_s: number;
  list: SessionRow[];
  list_omitted?: number; // sessions for which the list had no room
}

/* One line of the board's log. */
export interface BoardEvent {
  seq: number;
  t: number;
  level: string;
  event: string;
  text: string;
}

export interface Events {
  epoch: string;
  first: number; // the oldest that is still held
  next: number;
  events: BoardEvent[];
}

/* GET /api/v1/session: who this browser is to the board. */
export interface Who {
  role: "none" | "viewer" | "admin";
  claimed: boolean;
  claimable: boolean;
  view_login: boolean;
  min_password: number;
  password_at: string | null; // the origin and "/", when passwords may not be sent this way
}

export interface Token {
  id: number;
  name: string;
  role: string;
  made: number; // s since 1970
  ends: number | null;
}

/* GET /api/v1/update */
export interface Update {
  supported: boolean;
  state: string;
  slot?: string;
  version?: string;
  progress?: number;
  why?: string;
}
