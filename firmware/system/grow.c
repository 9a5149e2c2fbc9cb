/* grow: makes the data partition as large as the disk allows. Run at each start; does
 * nothing where there is nothing to gain.
 *
 *   grow partition DISK N   the last partition N (1 to 4) takes the rest of the disk
 *   grow fs FOLDER DEVICE   the mounted ext4 takes the whole of its partition
 *
 * Only the four bytes of its length change in the partition table, in one sector: a
 * power cut leaves the old length or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <unistd.h>

#define SECTOR 512u
/* The kernel's own header for it is not for programs (fs/ext4/ext4.h). */
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)
#define GAIN_MIN (1024u * 1024 / SECTOR)

static uint32_t le32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int fail(const char *what) {
    fprintf(stderr, "grow: %s: %s\n", what, strerror(errno));
    return 1;
}

/* Tells the kernel, which goes on using the disk, about the new length. */
static int tell_kernel(int fd, int number, uint64_t start, uint64_t sectors) {
    struct blkpg_partition p = {.start = (long long)(start * SECTOR),
                                .length = (long long)(sectors * SECTOR),
                                .pno = number};
    struct blkpg_ioctl_arg arg = {
        .op = BLKPG_RESIZE_PARTITION, .datalen = sizeof p, .data = &p};
    return ioctl(fd, BLKPG, &arg);
}

static int grow_partition(int fd, int number) {
    uint8_t mbr[SECTOR];
    uint64_t bytes;
    if (ioctl(fd, BLKGETSIZE64, &bytes) != 0)
        return fail("size of the disk");
    if (pread(fd, mbr, sizeof mbr, 0) != sizeof mbr || mbr[510] != 0x55 ||
        mbr[511] != 0xAA)
        return fail("partition table");
    uint8_t *entry = mbr + 446 + 16 * (number - 1);
    uint64_t start = le32(entry + 8), length = le32(entry + 12);
    uint64_t end = bytes / SECTOR;
    if (end > UINT32_MAX)
        end = UINT32_MAX;
    if (!start || end < start + length + GAIN_MIN)
        return 0;
    length = end - start;
    for (int i = 0; i < 4; i++)
        entry[12 + i] = (uint8_t)(length >> 8 * i);
    if (pwrite(fd, mbr, sizeof mbr, 0) != sizeof mbr || fsync(fd) != 0)
        return fail("writing the partition table");
    if (tell_kernel(fd, number, start, length) != 0)
        return fail("telling the kernel");
    printf("grow: partition %d has %llu MiB\n", number,
           (unsigned long long)(length / 2048));
    return 0;
}

static int grow_fs(const char *folder, int device) {
    uint64_t bytes;
    struct statfs fs;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstatfs(fd, &fs) != 0)
        return fail(folder);
    if (ioctl(device, BLKGETSIZE64, &bytes) != 0)
        return fail("size of the partition");
    uint64_t blocks = bytes / (uint64_t)fs.f_bsize;
    /* The kernel rounds down by itself, and takes the present size for done. */
    int rc = ioctl(fd, EXT4_IOC_RESIZE_FS, &blocks);
    close(fd);
    return rc == 0 ? 0 : fail("resizing");
}

static int usage(void) {
    fputs("grow partition DISK N | grow fs FOLDER DEVICE\n", stderr);
    return 2;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return usage();
    int partition = strcmp(argv[1], "partition") == 0;
    if (!partition && strcmp(argv[1], "fs") != 0)
        return usage();
    if (partition && (argv[3][0] < '1' || argv[3][0] > '4' || argv[3][1]))
        return usage();
    const char *device = partition ? argv[2] : argv[3];
    int fd = open(device, (partition ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0)
        return fail(device);
    int rc = partition ? grow_partition(fd, argv[3][0] - '0') : grow_fs(argv[2], fd);
    close(fd);
    return rc;
}
