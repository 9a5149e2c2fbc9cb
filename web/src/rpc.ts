/* Requests that wait for their answers: JSON-RPC 2.0 over a socket that may end at any time. */

const REPLY_MS = 10_000;

export class RpcError extends Error {
  constructor(
    readonly word: string,
    message: string,
  ) {
    super(message);
  }
}

interface Pending {
  resolve(result: unknown): void;
  reject(e: Error): void;
  until: number;
}

export class Rpc {
  private pending = new Map<number, Pending>();
  private nextId = 1;

  request(send: (text: string) => void, now: number, method: string, params: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      this.pending.set(id, { resolve, reject, until: now + REPLY_MS });
      send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  answer(id: number, result: unknown, error: unknown): void {
    const p = this.pending.get(id);
    this.pending.delete(id);
    if (!p) return;
    if (!error) return p.resolve(result);
    const e = error as { message?: string; data?: { code?: string } };
    p.reject(new RpcError(e.data?.code ?? "error", e.message ?? ""));
  }

  /* When the next of them has waited long enough. */
  due(): number {
    return Math.min(Infinity, ...[...this.pending.values()].map((p) => p.until));
  }

  expire(now: number): void {
    for (const [id, p] of this.pending) {
      if (now < p.until) continue;
      this.pending.delete(id);
      p.reject(new RpcError("timeout", "no reply"));
    }
  }

  /* The connection is gone, and their answers with it. */
  abandon(): void {
    for (const p of this.pending.values()) p.reject(new RpcError("closed", "connection lost"));
    this.pending.clear();
  }
}
