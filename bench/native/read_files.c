/* The floor of reading: opens, reads and closes every file of a session directory and of its two-letter folders, one after the other. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char content[1 << 20];
static long files, bytes;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void read_file(int folder, const char *name) {
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(name);
    ssize_t size;
    do {
        size = read(file, content, sizeof content);
        if (size < 0) fail(name);
        bytes += size;
    } while (size == sizeof content);
    close(file);
    files++;
}

static void read_folder(int folder, int is_top) {
    DIR *names = fdopendir(folder);
    if (names == NULL) fail("fdopendir");
    for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        if (entry->d_type == DT_REG) {
            read_file(folder, entry->d_name);
        } else if (is_top && entry->d_type == DT_DIR && strlen(entry->d_name) == 2) {
            int inner = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (inner < 0) fail(entry->d_name);
            read_folder(inner, 0);
        }
    }
    closedir(names);
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    int top = open(arguments[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) fail(arguments[1]);
    read_folder(top, 1);
    printf("{\"sessions\": %ld, \"bytes\": %ld}\n", files, bytes);
    return 0;
}
