/* What frames every view: the board's name, the way to the others, the state of the link. */

import type { ComponentChildren } from "preact";
import { t } from "./i18n";
import { Notice, Pill } from "./pill";
import { pathOf, titleOf, VIEWS, type ViewName } from "./route";
import type { View } from "./view";

const ICONS: Record<ViewName, string> = {
  overview: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
  history: "M2.5 15.5 7 9l4 4 6.5-9",
  stats: "M4 17v-5m6 5V3m6 14V9",
  events: "M3 5h14M3 10h14M3 15h8",
  device: "M5 5h10v10H5zM8 2v3m4-3v3M8 15v3m4-3v3M2 8h3m-3 4h3m10-4h3m-3 4h3",
};

const Icon = ({ view }: { view: ViewName }) => (
  <svg viewBox="0 0 20 20" aria-hidden="true">
    <path d={ICONS[view]} />
  </svg>
);

interface ShellProps {
  view: View;
  here: ViewName;
  name: string;
  go(e: MouseEvent): void;
  aside?: ComponentChildren; // who is signed in
  children: ComponentChildren;
}

export function Shell({ view, here, name, go, aside, children }: ShellProps) {
  const model = view.m.info?.device.model;
  return (
    <>
      <a class="skip" href="#main">
        {t("skip")}
      </a>
      <header>
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M5 17h6l3-8 5 14 3-6h5" />
        </svg>
        <div class="name">
          <h1>{name}</h1>
          {model && <span class="sub">{model}</span>}
        </div>
        <nav aria-label={t("views")}>
          {VIEWS.map((v) => (
            <a key={v} href={pathOf(v)} onClick={go} aria-current={v === here ? "page" : undefined}>
              <Icon view={v} />
              {t(titleOf(v))}
            </a>
          ))}
        </nav>
        <div class="status">
          {aside}
          <Pill view={view} />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Notice view={view} />
        {children}
      </main>
    </>
  );
}
