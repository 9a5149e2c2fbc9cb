#pragma once
/* Could anybody reach this board over a network? Whoever confirms a new system without
 * asking loses a board that he cannot walk to. Blocks on nothing; allocates for a
 * moment; any thread. */
#include <stdbool.h>

/* An interface other than loopback is up, has a carrier (IFF_RUNNING, netdevice(7)) and
 * an address that somebody else can use: IPv4 of any kind, or IPv6 but for link-local,
 * which every interface gives itself. */
bool network_reachable(void);
