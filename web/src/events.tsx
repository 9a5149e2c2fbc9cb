/* The events view: what the board has to say for itself, as it happens. */

import { useEffect, useState } from "preact/hooks";
import { asText, filtered, LEVELS, levelOfEvent, type Entry, type EventLog } from "./eventlog";
import { clock, day, number } from "./format";
import { t } from "./i18n";
import { save } from "./save";
import type { View } from "./view";

const TONES: Record<string, string> = { error: "tag bad", warning: "tag warn", notice: "tag good" };

/* The words of a line, each key in a lighter tone than its value. */
const Words = ({ text }: { text: string }) => (
  <>
    {text.split(/(\b[a-z0-9_]+=)/).map((part, i) => (i % 2 ? <i key={i}>{part}</i> : part))}
  </>
);

function Line({ e }: { e: Entry }) {
  const level = levelOfEvent(e);
  return (
    <li>
      <time dateTime={new Date(e.t).toISOString()}>
        <span class="day">{day(e.t)}</span> {clock(e.t)}
      </time>
      <span class={TONES[level] ?? "tag"}>{level}</span>
      <b>{e.event}</b>
      <span class="words">
        <Words text={e.text} />
      </span>
    </li>
  );
}

export function EventsView({ view }: { view: View }) {
  const [level, setLevel] = useState("info");
  const [text, setText] = useState("");
  const [paused, setPaused] = useState<EventLog | null>(null);
  const { log, hello } = view.m;
  useEffect(() => {
    view.act.watchEvents(true);
    return () => view.act.watchEvents(false);
  }, [hello?.session]);
  const shown = filtered(paused ?? log, { level, text });
  const waiting = paused ? log.entries.filter((e) => !paused.entries.includes(e)).length : 0;
  return (
    <section class="events">
      <div class="tools" role="search">
        <label>
          {t("e.level")}{" "}
          <select value={level} onChange={(e) => setLevel(e.currentTarget.value)}>
            {LEVELS.map((l) => (
              <option key={l} value={l}>
                {l}
              </option>
            ))}
          </select>
        </label>
        <input
          type="search"
          value={text}
          placeholder={t("e.search")}
          aria-label={t("e.search")}
          onInput={(e) => setText(e.currentTarget.value)}
        />
        <button class="button" aria-pressed={!!paused} onClick={() => setPaused(paused ? null : log)}>
          {paused ? t("e.resume", { n: number(waiting) }) : t("e.pause")}
        </button>
        <button class="button" onClick={() => save("events.log", "text/plain", asText(shown))}>
          {t("e.save")}
        </button>
      </div>
      {log.lost && <p class="sub">{t("e.lost")}</p>}
      {shown.length ? (
        <ol class="card log" aria-label={t("view.events")}>
          {shown.reverse().map((e) => (
            <Line key={`${e.epoch}.${e.seq}`} e={e} />
          ))}
        </ol>
      ) : (
        <p class="empty">{t(log.entries.length ? "e.nothing" : "e.none")}</p>
      )}
    </section>
  );
}
