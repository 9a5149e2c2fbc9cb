/* Ties the link to the model: events in, requests out. One render per change, at most one per
 * animation frame, and none while the page is hidden. */

import { api } from "./api";
import { Link, type Env } from "./link";
import { emptyModel, reduce, type Event, type Model } from "./model";
import { RpcError } from "./rpc";
import type { Actions } from "./view";
import type { Events, Hello, History, Info, Past, Stats, Who } from "./wire";

export class App implements Actions {
  model: Model = emptyModel;
  readonly link: Link;
  private asking = false;

  constructor(
    private readonly env: Env,
    private readonly wall: () => number,
    private readonly changed: () => void,
  ) {
    this.link = new Link(env, {
      state: (state) => this.send({ type: "link", state }),
      open: () => !this.model.info && void this.fetch(),
      hello: (hello) => this.onHello(hello),
      telemetry: (frame) => this.send({ type: "telemetry", frame, wall: this.wall() }),
      event: (event) => this.send({ type: "event", event }),
      refused: () => void this.askWho(),
      bye: (bye) => this.send({ type: "bye", bye }),
      rtt: (ms) => this.send({ type: "rtt", ms }),
    });
  }

  /* A login may have ended, or begun, elsewhere. */
  private onHello(hello: Hello): void {
    this.send({ type: "hello", hello });
    if (this.model.who && this.model.who.role !== hello.role) void this.askWho();
  }

  askInfo = async (): Promise<void> => {
    const info = await this.link.request("info").catch(() => null);
    if (info) this.send({ type: "info", info: info as Info });
  };

  askStats = async (): Promise<void> => {
    const stats = await this.link.request("stats").catch(() => null);
    if (stats) this.send({ type: "stats", stats: stats as Stats });
  };

  closeSession = async (id: string): Promise<string> => {
    const { status, why } = await api("DELETE", `sessions/${id}`);
    await this.askStats();
    return status === 404 ? "" : why; // it had ended already
  };

  /* Who we are to the board; also asked when it refused us, for it may say when to come back. */
  askWho = async (): Promise<void> => {
    const reply = await api<Who>("GET", "session");
    if (reply.retryMs) this.link.holdOff(reply.retryMs);
    if (reply.status === 200 || reply.status === 404) this.send({ type: "who", who: reply.data });
  };

  /* Other rights: the connection begins anew with them. */
  signedIn = (): void => {
    this.link.stop();
    this.link.start();
    void this.askWho();
  };

  /* Events come live, and what came before is asked for once for each connection. */
  watchEvents = async (on: boolean): Promise<void> => {
    const topics = { topics: ["events"] };
    await this.link.request(on ? "subscribe" : "unsubscribe", topics).catch(() => null);
    if (!on) return;
    const { data } = await api<Events>("GET", "events?limit=256");
    if (data) this.send({ type: "events", events: data });
  };

  /* In halves, where the answer would be too long for one. */
  past = async (ids: readonly string[], range_s: number, step_s: number): Promise<Past> => {
    try {
      return (await this.link.request("history", { ids, range_s, step_s })) as Past;
    } catch (e) {
      if (!(e instanceof RpcError) || e.word !== "reply_too_large" || ids.length < 2) throw e;
      const half = ids.length >> 1;
      const one = await this.past(ids.slice(0, half), range_s, step_s);
      const two = await this.past(ids.slice(half), range_s, step_s);
      return { ...two, values: { ...one.values, ...two.values } };
    }
  };

  private send(e: Event): void {
    this.model = reduce(this.model, e, this.env.now());
    this.changed();
    if (this.isOpen() && this.isWanting()) void this.fetch();
  }

  private isOpen(): boolean {
    const { kind } = this.model.link;
    return kind === "live" || kind === "stale";
  }

  private isWanting(): boolean {
    return this.model.wantInfo || this.model.wantHistory !== null;
  }

  /* One request at a time: a small board answers in small pieces. */
  private async fetch(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.isWanting()) {
        if (this.model.wantInfo) {
          const info = (await this.link.request("info")) as Info;
          this.send({ type: "info", info });
        } else {
          await this.history(this.model.wantHistory ?? -1);
          this.model = { ...this.model, wantHistory: null };
        }
      }
    } catch (e) {
      /* A lost connection leaves the wish for the next one; a refusal is final. */
      const closed = e instanceof RpcError && e.word === "closed";
      if (!closed) this.model = { ...this.model, wantHistory: null };
    }
    this.asking = false;
  }

  private async history(since: number, ids?: string[]): Promise<void> {
    const epoch = this.model.series.epoch;
    const params = { ...(since >= 0 && { since }), ...(ids && { ids }) };
    try {
      const history = (await this.link.request("history", params)) as History;
      if (epoch === this.model.series.epoch) this.send({ type: "history", history });
    } catch (e) {
      const all = ids ?? this.model.info?.metrics.map((x) => x.id) ?? [];
      if (!(e instanceof RpcError) || e.word !== "reply_too_large" || all.length < 2) throw e;
      const half = all.length >> 1;
      await this.history(since, all.slice(0, half));
      await this.history(since, all.slice(half));
    }
  }
}
