/* Replays inputs through a fuzzer's entry point, for presets without libFuzzer.
 *
 * replay FILE|FOLDER...: every FILE, and every file in each FOLDER (one level), once. A
 * folder that does not exist holds no inputs. Ends with 1 when there was no input at
 * all, because a test that ran nothing proves nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size) {
    FILE *f = fopen(path, "rb");
    /* Exactly as large as the input, so that a read past its end is seen. */
    uint8_t *data = malloc(size ? size : 1);
    int ok = f && data && fread(data, 1, size, f) == size;
    if (ok)
        LLVMFuzzerTestOneInput(data, size);
    else
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    free(data);
    if (f)
        fclose(f);
    return ok;
}

/* How many inputs ran, or -1 when one could not be read. */
static long replay_folder(const char *folder) {
    struct dirent **names;
    long ran = 0;
    int n = scandir(folder, &names, NULL, alphasort);
    if (n < 0)
        return errno == ENOENT ? 0 : -1;
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        free(names[i]);
        if (ran < 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        ran = replay_file(path, (size_t)st.st_size) ? ran + 1 : -1;
    }
    free(names);
    return ran;
}

int main(int argc, char **argv) {
    long total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        long ran;
        if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode))
            ran = replay_file(argv[i], (size_t)st.st_size) ? 1 : -1;
        else
            ran = replay_folder(argv[i]);
        if (ran < 0)
            return 1;
        total += ran;
    }
    printf("%ld inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}
