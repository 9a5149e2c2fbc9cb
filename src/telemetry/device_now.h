#pragma once
/* What changes about this machine, slowly: addresses, clock, storage. Read by the
 * sampler at every scan; everybody else gets a copy through telemetry.h. Never
 * allocates; one thread at a time, each with a struct of its own. Blocks on nothing but
 * the kernel's answers. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_ADDRESSES 16u
#define DEVICE_STORAGE 6u /* as FS_MAX of probes.h */

struct device_now {
    bool clock_known, clock_synced;
    char clock_source[24]; /* the program that sets it; "": not known */
    uint32_t n_addresses;
    struct device_address {
        char iface[16];
        char text[46]; /* without the length of the prefix */
    } address[DEVICE_ADDRESSES];
    uint32_t n_storage;
    struct device_storage {
        char mount[96];
        uint64_t total, free; /* bytes */
    } storage[DEVICE_STORAGE];
};

/* Clock and addresses of the running kernel; nothing when root is a recorded tree (not
 * "/"). Storage is left alone. */
void device_now_read(struct device_now *d, const char *root);
