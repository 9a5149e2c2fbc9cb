#pragma once
/* Capacities of the whole program. Everything is sized at start from these; load cannot
 * grow it. Raise one knowingly: the memory it costs stands beside it. */

#define LIM_SESSIONS_DEFAULT 64u
#define LIM_SESSIONS_MAX 4096u
/* The table has one more: see first_role in hub/hub.h. */
#define LIM_SESSIONS_SLOTS (LIM_SESSIONS_MAX + 1u)

/* Longest message a client may send (RFC 6455 leaves it to us): 1009 beyond it. */
#define LIM_MESSAGE_DEFAULT (16u * 1024)
#define LIM_MESSAGE_MAX (16u * 1024 * 1024)

/* One pool serves unsent replies and unfinished messages of all sessions, in blocks. On
 * top of these bytes there is one block for each session, so that a ping, a greeting or
 * a goodbye to all at once always fits. */
#define LIM_BLOCK_BYTES 1024u
#define LIM_POOL_BYTES_DEFAULT (512u * 1024)

/* Replies owed to one session. */
#define LIM_REPLY_BYTES_DEFAULT (192u * 1024)

/* Shared broadcast frames: two minutes of telemetry at 1 Hz for a client that resumes,
 * and events between them. */
#define LIM_RING_BYTES_DEFAULT (192u * 1024)
#define LIM_RING_FRAMES_DEFAULT 160u

/* Metrics known at a time, of which own ones (those that are told to us) at most, and
 * the fixed history behind each (300 * 4 B). */
#define LIM_OWN 64u
#define LIM_METRICS 256u
#define LIM_HISTORY_N 300u
