#include "app/data.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIAL ".writable"

/* By doing it: access(2) knows nothing of a full disk or of quotas. */
static int try_file(int folder) {
    int fd = openat(folder, TRIAL, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    close(fd);
    return unlinkat(folder, TRIAL, 0) == 0 ? 0 : -errno;
}

int data_prepare(const char *dir) {
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return -errno;
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    int rc = try_file(folder);
    close(folder);
    return rc;
}
