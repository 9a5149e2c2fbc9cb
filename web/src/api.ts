/* Requests over HTTP: what is not asked over the WebSocket. Owner: whoever calls. */

import { known, t } from "./i18n";

export interface Reply<T> {
  ok: boolean;
  status: number; // 0: there was no answer
  data: T | null;
  why: string; // for people, when it is not ok
  retryMs: number;
}

interface Problem {
  title?: string;
  detail?: string;
}

/* In seconds, or 0. */
const retryAfter = (r: Response): number => Number(r.headers.get("Retry-After")) * 1000 || 0;

/* What a refusal says: ours for its number, there or anywhere, or the board's own sentence. */
const reason = (path: string, status: number, p: Problem): string => {
  const anywhere = known("http", `${status}`, p.detail ?? p.title ?? t("api.failed", { n: status }));
  return known("http", `${path}.${status}`, anywhere);
};

export async function api<T = unknown>(
  method: string,
  path: string,
  body?: object,
): Promise<Reply<T>> {
  const init: RequestInit = { method, cache: "no-store" };
  if (body) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  try {
    const r = await fetch(`/api/v1/${path}`, init);
    const data = await r.json().catch(() => null);
    const why = r.ok ? "" : reason(path, r.status, (data ?? {}) as Problem);
    return { ok: r.ok, status: r.status, data: r.ok ? data : null, why, retryMs: retryAfter(r) };
  } catch {
    return { ok: false, status: 0, data: null, why: t("notice.lost"), retryMs: 0 };
  }
}

/* A file with its progress, 0 to 1, which fetch() does not tell. */
export function upload(
  path: string,
  file: Blob,
  progress: (part: number) => void,
): Promise<Reply<null>> {
  return new Promise((done) => {
    const x = new XMLHttpRequest();
    const end = (why: string) =>
      done({ ok: !why, status: x.status, data: null, why, retryMs: 0 });
    x.open("POST", `/api/v1/${path}`);
    x.setRequestHeader("Content-Type", "application/octet-stream");
    x.upload.onprogress = (e) => progress(e.loaded / (e.total || 1));
    x.onerror = () => end(t("notice.lost"));
    x.onload = () => {
      let problem: Problem = {};
      try {
        problem = JSON.parse(x.responseText);
      } catch {
        /* then the number alone must do */
      }
      end(x.status < 300 ? "" : reason(path, x.status, problem));
    };
    x.send(file);
  });
}
