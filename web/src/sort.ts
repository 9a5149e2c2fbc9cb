/* The order of the sessions table. Pure. */

import type { SessionRow } from "./wire";

export type Column = keyof SessionRow;
export interface Order {
  by: Column;
  down: boolean;
}

const natural = new Intl.Collator("en", { numeric: true });

/* What is not known comes last, whichever way; equals keep the order of their ids. */
export function sorted(list: readonly SessionRow[], { by, down }: Order): SessionRow[] {
  const way = down ? -1 : 1;
  return [...list].sort((a, b) => {
    const [x, y] = [a[by], b[by]];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const sign =
      typeof x === "number" && typeof y === "number" ? x - y : natural.compare(`${x}`, `${y}`);
    return way * sign || natural.compare(a.id, b.id);
  });
}

/* A second press turns it round; numbers begin with the largest. */
export const pressed = (was: Order, by: Column, numeric: boolean): Order =>
  was.by === by ? { by, down: !was.down } : { by, down: numeric };
