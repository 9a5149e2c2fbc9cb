#pragma once
/* What this machine is: facts that do not change while it runs. Any thread. Strings are
 * printable UTF-8; an empty one is not known. */

struct device {
    char model[64];   /* device tree (boards), else DMI (PCs) */
    char kernel[64];  /* "6.1.0-18-amd64" */
    char arch[32];    /* "x86_64" */
    char os[64];      /* PRETTY_NAME of os-release(5) */
    char host[65];    /* HOST_NAME_MAX + 1 */
    unsigned cpus;    /* on line; 0: not known */
    char boot_id[40]; /* random, another one after every boot */
    char slot[8];     /* of our own images: "a" or "b" */
};

/* Reads below root ("/"). What cannot be read is left empty. 0 or -errno: the root
 * cannot be opened. */
int device_read(struct device *d, const char *root);
