/* A new version for the board: the file goes up, its progress is told, and after the restart the
 * page says which version runs and why. */

import { useEffect, useState } from "preact/hooks";
import { api, upload } from "./api";
import { number } from "./format";
import { known, t } from "./i18n";
import { recall, remember } from "./keep";
import { Bar } from "./tile";
import { isBusy, verdict, type Before } from "./versions";
import type { View } from "./view";
import type { Update } from "./wire";

const POLL_MS = 2000;
const BEFORE = "before-update";

const bootIdOf = (view: View): string => view.m.info?.device.firmware?.boot_id ?? "";

/* The state of the update, asked while something goes on; a board that is away is asked again. */
function useUpdate(view: View, watching: boolean): Update | null {
  const [update, setUpdate] = useState<Update | null>(null);
  const often = watching || isBusy(update) || update?.state === "trial";
  useEffect(() => {
    const ask = async () => {
      const reply = await api<Update>("GET", "update");
      if (reply.data) setUpdate(reply.data);
    };
    void ask();
    if (!often) return;
    const timer = setInterval(ask, POLL_MS);
    return () => clearInterval(timer);
  }, [view.m.hello?.epoch, often]);
  return update;
}

export function UpdateCard({ view }: { view: View }) {
  const [sent, setSent] = useState<number | null>(null); // the part that is up
  const [why, setWhy] = useState("");
  const [force, setForce] = useState(false);
  const update = useUpdate(view, sent !== null);
  if (!update?.supported) return null;
  const before = recall<Before | null>(BEFORE, null);
  const outcome = verdict(update, before, bootIdOf(view));
  const busy = sent !== null || isBusy(update);
  const part = sent !== null && sent < 1 ? sent : (update.progress ?? 0);
  const send = async (file: File) => {
    remember(BEFORE, { bootId: bootIdOf(view), version: update.version ?? "" });
    setWhy("");
    setSent(0);
    const reply = await upload(force ? "update?force=1" : "update", file, setSent);
    setSent(null);
    setWhy(reply.why);
  };
  return (
    <section class="card">
      <h2>{t("u.title")}</h2>
      <p>
        {t("u.runs", { version: update.version ?? "?", slot: update.slot ?? "?" })}{" "}
        <span class="tag">{known("u.state", update.state)}</span>
      </p>
      {outcome && (
        <p class={outcome.tone} role="status">
          <span class={`tag ${outcome.tone}`}>{t(outcome.key, { version: update.version ?? "" })}</span>
        </p>
      )}
      {(why || update.why) && <p class="note">{why || update.why}</p>}
      {(busy || update.state === "trial") && (
        <>
          <Bar part={part} label={t("u.title")} />
          <p class="sub">{t("u.part", { n: number(part * 100) })}</p>
        </>
      )}
      {view.m.who?.role === "admin" && !busy && (
        <>
          <label class="button first file">
            {t("u.choose")}
            <input
              class="unseen"
              type="file"
              accept=".pbu"
              onChange={(e) => {
                const file = e.currentTarget.files?.[0];
                if (file) void send(file);
              }}
            />
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={force}
              onChange={(e) => setForce(e.currentTarget.checked)}
            />{" "}
            {t("u.force")}
          </label>
        </>
      )}
    </section>
  );
}
