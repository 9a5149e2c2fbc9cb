/* What only the owner changes: the password, who may look, tokens for programs, all sign-ins at once. */

import { useEffect, useState } from "preact/hooks";
import { signOut } from "./account";
import { api } from "./api";
import { day } from "./format";
import { Field, Form, Note, Owner } from "./form";
import { t } from "./i18n";
import type { View } from "./view";
import type { Token, Who } from "./wire";

function Password({ who }: { who: Who }) {
  return (
    <Form
      submit="p.change"
      said="p.changed"
      send={({ old, fresh }) => api("POST", "password", { old, new: fresh })}
    >
      <Owner />
      <Field label="p.old" name="old" secret autocomplete="current-password" />
      <Field
        label="a.new"
        name="fresh"
        secret
        autocomplete="new-password"
        min={who.min_password}
      />
    </Form>
  );
}

interface Rules {
  view_login: boolean;
  viewer_password: boolean; // is there one?
}

function Viewers({ who }: { who: Who }) {
  const [rules, setRules] = useState<Rules | null>(null);
  const [why, setWhy] = useState("");
  const ask = async (to?: object) => {
    const reply = await api<Rules>(to ? "POST" : "GET", "access", to);
    if (reply.data) setRules(reply.data);
    return reply;
  };
  const change = async (to: object) => setWhy((await ask(to)).why);
  useEffect(() => void ask(), []);
  if (!rules) return null;
  return (
    <section class="card viewers">
      <h2>{t("v.title")}</h2>
      <label class="check">
        <input
          type="checkbox"
          checked={rules.view_login}
          onChange={(e) => void change({ view_login: e.currentTarget.checked })}
        />{" "}
        {t("a.view")}
      </label>
      {rules.viewer_password && (
        <p class="row">
          {t("v.is")}
          <button class="button" onClick={() => void change({ viewer_password: null })}>
            {t("v.remove")}
          </button>
        </p>
      )}
      <Note>{why}</Note>
      <Form submit="v.set" send={({ viewer }) => ask({ viewer_password: viewer })}>
        <Owner name="viewer" />
        <Field
          label="v.new"
          name="viewer"
          secret
          autocomplete="new-password"
          min={who.min_password}
        />
      </Form>
    </section>
  );
}

function Tokens() {
  const [list, setList] = useState<Token[]>([]);
  const [made, setMade] = useState("");
  const [why, setWhy] = useState("");
  const load = async () => {
    const reply = await api<{ tokens: Token[] }>("GET", "tokens");
    if (reply.data) setList(reply.data.tokens);
  };
  const revoke = async (id: number) => {
    setWhy((await api("DELETE", `tokens/${id}`)).why);
    await load();
  };
  useEffect(() => void load(), []);
  return (
    <section class="card">
      <h2>{t("k.title")}</h2>
      <p class="sub">{t("k.text")}</p>
      <ul class="tokens">
        {list.map((k) => (
          <li key={k.id}>
            <span>
              <b>{k.name}</b>{" "}
              <span class="sub">
                {k.role} · {day(k.made * 1000)}
                {k.ends && ` – ${day(k.ends * 1000)}`}
              </span>
            </span>
            <button class="button" onClick={() => void revoke(k.id)}>
              {t("k.revoke")}
              <span class="unseen"> {k.name}</span>
            </button>
          </li>
        ))}
      </ul>
      <Note>{why}</Note>
      {made && (
        <p role="status">
          {t("k.made")} <code class="secret">{made}</code>
        </p>
      )}
      <Form
        submit="k.add"
        done={() => void load()}
        send={async ({ name, role }) => {
          const reply = await api<{ token: string }>("POST", "tokens", { name, role });
          setMade(reply.data?.token ?? "");
          return reply;
        }}
      >
        <Field label="k.name" name="name" />
        <label>
          {t("s.role")}
          <select name="role">
            <option value="viewer">viewer</option>
            <option value="admin">admin</option>
          </select>
        </label>
      </Form>
    </section>
  );
}

export function Access({ view, who }: { view: View; who: Who }) {
  if (who.role !== "admin") {
    const why = who.claimed ? "p.login" : who.claimable ? "p.claim" : "p.nodata";
    return (
      <section class="card">
        <h2>{t("p.title")}</h2>
        <p>{t(why)}</p>
      </section>
    );
  }
  return (
    <>
      <section class="card" id="password">
        <h2>{t("p.title")}</h2>
        <Password who={who} />
        <p class="row">
          <button class="button" onClick={() => void signOut(view)}>
            {t("a.logout")}
          </button>
          <button class="button" onClick={() => void signOut(view, true)}>
            {t("p.everywhere")}
          </button>
        </p>
      </section>
      <Viewers who={who} />
      <Tokens />
    </>
  );
}
