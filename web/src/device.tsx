/* The device view: what this board is, what it runs, and what its owner may change. */

import { useEffect } from "preact/hooks";
import { Access } from "./access";
import { bytes, duration, number } from "./format";
import { LANGUAGES, language, locale, t, type Key } from "./i18n";
import { remember } from "./keep";
import { Amount, Bar, clockText } from "./tile";
import { THEMES, themeNow } from "./theme";
import { UpdateCard } from "./update";
import { read, type View } from "./view";

type Fact = readonly [Key, string | undefined | null];

function Facts({ title, facts }: { title: Key; facts: readonly Fact[] }) {
  return (
    <section class="card">
      <h2>{t(title)}</h2>
      <dl class="facts">
        {facts.map(
          ([k, v]) =>
            v && (
              <div key={k}>
                <dt>{t(k)}</dt>
                <dd>{v}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}

function clockState(view: View): string {
  const { clockSkewMs, info } = view.m;
  const clock = info?.device.clock;
  const synced = clock && t(clock.synced ? "d.synced" : "d.unsynced", { by: clock.source ?? "" });
  const skew = Math.abs(clockSkewMs) > 5000 ? clockText(clockSkewMs) : t("d.agrees");
  return [synced, skew].filter(Boolean).join(" · ");
}

function Storage({ view }: { view: View }) {
  const { storage } = view.m.info!.device;
  if (!storage?.length) return null;
  return (
    <section class="card">
      <h2>{t("d.storage")}</h2>
      <dl class="facts">
        {storage.map(({ mount, total, free }) => (
          <div key={mount}>
            <dt>{mount}</dt>
            <dd>{t("d.free", { free: bytes(free), total: bytes(total) })}</dd>
            <dd class="meter">
              <Bar part={(total - free) / (total || 1)} label={mount} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const OWN_MS = 5000;

/* What programs have told the board, and how long ago. */
function OwnReadings({ view }: { view: View }) {
  const own = view.m.info!.metrics.filter((m) => m.own);
  const some = own.length > 0;
  useEffect(() => {
    if (!some) return;
    const timer = setInterval(() => document.hidden || view.act.askInfo(), OWN_MS);
    return () => clearInterval(timer);
  }, [some]);
  if (!some) return null;
  return (
    <section class="card own">
      <h2>{t("group.own")}</h2>
      <dl class="facts">
        {own.map((m) => (
          <div key={m.id}>
            <dt>
              {m.label} <span class="sub">{m.kind}</span>
            </dt>
            <dd>
              <Amount view={view} id={m.id} unit={m.unit} />{" "}
              <span class="sub">· {t("ago", { age: duration((m.age_ms ?? 0) / 1000) })}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/* Kept by this browser, for this browser. */
function ThisPage() {
  const pick = (name: string, value: unknown) => {
    remember(name, value);
    location.reload();
  };
  return (
    <section class="card">
      <h2>{t("d.page")}</h2>
      <div class="row">
        <label>
          {t("d.language")}{" "}
          <select
            value={language}
            onChange={(e) => pick("language", [e.currentTarget.value])}
          >
            {Object.entries(LANGUAGES).map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("d.theme")}{" "}
          <select value={themeNow()} onChange={(e) => pick("theme", e.currentTarget.value)}>
            {THEMES.map((name) => (
              <option key={name} value={name}>
                {t(`theme.${name}` as Key)}
              </option>
            ))}
          </select>
        </label>
      </div>
    </section>
  );
}

export function DeviceView({ view }: { view: View }) {
  const { info, who } = view.m;
  if (!info) return <p class="empty">{t("wait.values")}</p>;
  const { device, server } = info;
  const up = read(view, "sys.uptime")?.v ?? device.uptime_s;
  const firmware = device.firmware;
  return (
    <div class="device">
      <Facts
        title="tile.facts"
        facts={[
          ["d.host", device.host],
          ["fact.model", device.model],
          ["fact.os", device.os],
          ["fact.kernel", `${device.kernel} ${device.arch}`],
          ["d.cpus", number(device.cpus)],
          ["fact.up", up === undefined ? null : duration(up)],
          ["fact.clock", clockState(view)],
        ]}
      />
      <Facts
        title="d.software"
        facts={[
          ["fact.service", `${server.name} ${server.version}`],
          ["d.firmware", firmware?.version],
          ["d.slot", firmware?.slot],
          ["d.since", new Date(server.started).toLocaleString(locale)],
        ]}
      />
      <section class="card">
        <h2>{t("d.network")}</h2>
        <dl class="facts">
          {device.addresses?.map((a) => (
            <div key={a.if + a.addr}>
              <dt>{a.if}</dt>
              <dd>{a.addr}</dd>
            </div>
          ))}
        </dl>
        <p>
          <a href="/trust">{t("d.trust")}</a> · <a href="/ca.crt">{t("d.ca")}</a>
        </p>
      </section>
      <Storage view={view} />
      <OwnReadings view={view} />
      <UpdateCard view={view} />
      {who && <Access view={view} who={who} />}
      <ThisPage />
    </div>
  );
}
