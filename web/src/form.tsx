/* A form that is sent once at a time and says what came of it. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Reply } from "./api";
import { t, type Key } from "./i18n";

interface FieldProps {
  label: Key;
  name: string;
  secret?: boolean;
  autocomplete?: string;
  min?: number;
}

export function Field({ label, name, secret, autocomplete, min }: FieldProps) {
  const common = { name, autocomplete: autocomplete ?? "off", required: true, minLength: min };
  return (
    <label>
      {t(label)}
      {secret ? <input type="password" {...common} /> : <input type="text" {...common} />}
    </label>
  );
}

/* Password managers want a name beside a password; there is one owner, and one for all viewers. */
export const Owner = ({ name = "admin" }: { name?: string }) => (
  <input
    class="unseen"
    name="username"
    value={name}
    autocomplete="username"
    readOnly
    tabIndex={-1}
    aria-label={t("a.name")}
  />
);

/* What went wrong, said when it happens. */
export const Note = ({ children }: { children: string }) => (
  <p class="note" role="alert">
    {children}
  </p>
);

interface FormProps {
  submit: Key;
  send(values: Record<string, string>): Promise<Reply<unknown>>;
  done?: (() => void) | undefined;
  said?: Key | undefined; // when it went well
  children: ComponentChildren;
}

export function Form({ submit, send, done, said, children }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState("");
  const onSubmit = async (e: SubmitEvent) => {
    e.preventDefault();
    const form = e.currentTarget as HTMLFormElement;
    const values: Record<string, string> = {};
    new FormData(form).forEach((v, k) => (values[k] = String(v)));
    setBusy(true);
    const reply = await send(values);
    setBusy(false);
    setNote(reply.ok ? (said ? t(said) : "") : reply.why);
    if (!reply.ok) return;
    form.reset();
    done?.();
  };
  return (
    <form class="form" onSubmit={onSubmit}>
      {children}
      <Note>{note}</Note>
      <button class="button first" disabled={busy}>
        {t(submit)}
      </button>
    </form>
  );
}
