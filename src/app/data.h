#pragma once
/* The data folder: what a board keeps beyond a restart (settings, who may log in,
 * certificates, history). Files in it are written by base/savefile. Main thread, before
 * anything else starts. */

/* The folder is there, with mode 0700 when it was missing (its parent must exist), and
 * files can be made in it: 0 or -errno. */
int data_prepare(const char *dir);
