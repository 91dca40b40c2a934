/*
 * Runs a program and writes on descriptor 3 what the kernel counted for it and what it waited for: the largest resident memory of a
 * process in KiB, and the processor's microseconds in the program and in the system. Ends as the program does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long microseconds(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

int main(int count, char **arguments) {
    if (count < 2) return 126;
    fcntl(3, F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child < 0) return 126;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(arguments[1], arguments + 1);
        perror(arguments[1]);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) != child) return 126;
    dprintf(3, "%ld %ld %ld\n", usage.ru_maxrss, microseconds(usage.ru_utime), microseconds(usage.ru_stime));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
