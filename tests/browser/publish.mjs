/* A program that tells the board its readings, over HTTP with a token and by statsd. */

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { until } from "./until.mjs";

const PASSWORD = "correct horse battery";

function post(url, body, headers = {}) {
  return new Promise((done, fail) => {
    const rq = http.request(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers } });
    rq.on("error", fail).on("response", (res) => {
      let text = "";
      res.on("data", (d) => (text += d));
      res.on("end", () => done({ status: res.statusCode, headers: res.headers, json: () => JSON.parse(text) }));
    });
    rq.end(JSON.stringify(body));
  });
}

export async function publishing(daemon) {
  const api = (path) => `${daemon.url}/api/v1/${path}`;
  const code = readFileSync(join(daemon.data, "claim-code"), "utf8").trim();
  const claimed = await post(api("claim"), { code, password: PASSWORD });
  const cookie = claimed.headers["set-cookie"][0].split(";")[0];
  const made = await post(api("tokens"), { name: "program", role: "admin" }, { Cookie: cookie, Origin: daemon.url });
  const { token } = made.json();
  assert.ok(token, "a token");
  const port = await until("statsd", () => /event=listening statsd=127\.0\.0\.1:(\d+)/.exec(daemon.log)?.[1]);
  return {
    post: (body) => post(api("publish"), body, { Authorization: `Bearer ${token}` }),
    statsd(line) {
      const socket = dgram.createSocket("udp4");
      return new Promise((done, fail) =>
        socket.send(line, Number(port), "127.0.0.1", (e) => {
          socket.close();
          if (e) fail(e);
          else done();
        }),
      );
    },
  };
}
