/* Who looks at the board: the claim of a new one, signing in and out. */

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "./api";
import { Field, Form, Owner } from "./form";
import { t } from "./i18n";
import type { View } from "./view";
import type { Who } from "./wire";

function Claim({ who, done }: { who: Who; done(): void }) {
  return (
    <Form
      submit="a.claim"
      done={done}
      send={({ code, password, view_login }) =>
        api("POST", "claim", { code, password, view_login: view_login === "on" })
      }
    >
      <p>{t("a.claim.text")}</p>
      <Owner />
      <Field label="a.code" name="code" autocomplete="one-time-code" />
      <Field
        label="a.new"
        name="password"
        secret
        autocomplete="new-password"
        min={who.min_password}
      />
      <p class="sub">{t("a.min", { n: who.min_password })}</p>
      <label class="check">
        <input type="checkbox" name="view_login" /> {t("a.view")}
      </label>
    </Form>
  );
}

/* The same view, where a password may be sent. */
const Elsewhere = ({ at }: { at: string }) => (
  <div class="form">
    <p>{t("a.secure")}</p>
    <a class="button first" href={at + location.pathname.slice(1)}>
      {t("a.secure.go")}
    </a>
    <a href="/trust">{t("d.trust")}</a>
  </div>
);

function Way({ who, done }: { who: Who; done(): void }) {
  if (who.password_at) return <Elsewhere at={who.password_at} />;
  return who.claimed ? <Login done={done} /> : <Claim who={who} done={done} />;
}

function Login({ done }: { done(): void }) {
  return (
    <Form submit="a.login" done={done} send={({ password }) => api("POST", "login", { password })}>
      <Owner />
      <Field label="a.password" name="password" secret autocomplete="current-password" />
    </Form>
  );
}

/* The browser's own dialog: it keeps the focus inside and closes with Escape. */
function Dialog({ who, done, close }: { who: Who; done(): void; close(): void }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog ref={ref} class="card" aria-labelledby="dialog" onClose={close}>
      <h2 id="dialog">{t(who.claimed ? "a.login" : "a.claim")}</h2>
      <Way who={who} done={done} />
      <button class="close" aria-label={t("close")} onClick={close}>
        ✕
      </button>
    </dialog>
  );
}

export async function signOut(view: View, everywhere = false): Promise<void> {
  await api("POST", "logout", { everywhere });
  view.act.signedIn();
}

/* In the header: the way in, or who is in. */
export function Account({ view }: { view: View }) {
  const [open, setOpen] = useState(false);
  const { who } = view.m;
  if (!who) return null;
  const done = () => {
    setOpen(false);
    view.act.signedIn();
  };
  if (who.role === "admin")
    return (
      <button class="button wide" onClick={() => void signOut(view)}>
        {t("a.logout")}
      </button>
    );
  if (!who.claimed && !who.claimable) return null;
  return (
    <>
      <button
        class="button"
        aria-label={t(who.claimed ? "a.login" : "a.claim")}
        onClick={() => setOpen(true)}
      >
        {t(who.claimed ? "a.login" : "a.claim.short")}
      </button>
      {open && <Dialog who={who} done={done} close={() => setOpen(false)} />}
    </>
  );
}

/* Instead of a view, where looking needs a password. */
export const Door = ({ who, done }: { who: Who; done(): void }) => (
  <section class="card door">
    <h2>{t("a.login")}</h2>
    <p>{t("a.door")}</p>
    <Way who={who} done={done} />
  </section>
);
