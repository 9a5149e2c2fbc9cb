/* Why sessions end, and why connections are refused, in plain words. */

export interface Cause {
  word: string;
  title: string;
  text: string;
  expected: boolean;
}

const cause = (word: string, title: string, text: string, expected = true): Cause => ({
  word,
  title,
  text,
  expected,
});

export const CAUSES: readonly Cause[] = [
  cause("peer_closed", "Closed properly", "The viewer said goodbye and we answered."),
  cause("peer_gone", "Tab closed", "The connection ended without a goodbye, as browsers often do."),
  cause("peer_reset", "Connection cut", "The network or the viewer's system broke it off."),
  cause("heartbeat_lost", "Fell silent", "Three heartbeats and a double check went unanswered."),
  cause("slow_reader", "Too slow", "The viewer took no data for too long."),
  cause("logged_out", "Signed out", "The viewer's sign-in was withdrawn."),
  cause("expired", "Sign-in expired", "The viewer's sign-in became too old."),
  cause("evicted", "Gave up its seat", "All seats were taken and an administrator needed one."),
  cause("shutdown", "Service stopped", "The service stopped or restarted and told its viewers."),
  cause("protocol_error", "Broke the rules", "The other side did not speak proper WebSocket.", false),
  cause("internal_error", "Our fault", "Something failed in the service. Please report it.", false),
];

/* All causes that the server counts, those that this page does not know last. */
export function causesOf(closed: Record<string, number>): Cause[] {
  const known = CAUSES.filter((c) => c.word in closed);
  const words = new Set(known.map((c) => c.word));
  const rest = Object.keys(closed).filter((w) => !words.has(w));
  return [...known, ...rest.map((w) => cause(w, w, "", false))];
}

const REFUSED: Record<string, string> = {
  full: "All seats taken",
  origin: "Foreign website",
  host: "Foreign host name",
  auth: "Not signed in",
  handshake: "Not a WebSocket",
  stopping: "Service stopping",
};

export const refusedTitle = (word: string): string => REFUSED[word] ?? word;
