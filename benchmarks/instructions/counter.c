/* Counts the instructions that a program executes under QEMU's user mode emulation.
 *
 *     gcc -O2 -shared -fPIC -o counter.so counter.c
 *     qemu-aarch64 -plugin ./counter.so -d plugin -D LOG PROGRAM
 *
 * The program asks for the count by a system call that fails, getpriority(SIGN, n), and the log
 * gets a line "mark n COUNT"; at the end it gets "end 0 COUNT". A count is that of all threads, and
 * exact: each thread has a counter of its own. Asking costs the same each time.
 *
 * QEMU's header of plugins is not needed, and no Debian package of QEMU 7 has it: these are the few
 * functions of its API 1 that are used, from docs/devel/tcg-plugins of QEMU.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct block;  /* instructions that are always executed one after the other */

extern void qemu_plugin_register_vcpu_tb_trans_cb(
    plugin_id, void (*)(plugin_id, struct block *));
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(
    struct block *, void (*)(unsigned thread, void *data), int flags, void *data);
extern void qemu_plugin_register_vcpu_syscall_cb(
    plugin_id, void (*)(plugin_id, unsigned thread, int64_t number, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern void qemu_plugin_outs(const char *);

EXPORT int qemu_plugin_version = 1;

enum { THREADS = 4096, GETPRIORITY = 141, SIGN = 0x4d57 };

/* A cache line each: threads that share one would wait for each other. */
static struct { uint64_t count; char gap[56]; } threads[THREADS];

static void execute(unsigned thread, void *instructions)
{
    threads[thread % THREADS].count += (uintptr_t)instructions;
}

static void translate(plugin_id id, struct block *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(
        block, execute, 0, (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void tell(const char *what, uint64_t number)
{
    uint64_t count = 0;
    char line[80];
    for (int thread = 0; thread < THREADS; thread++)
        count += threads[thread].count;
    snprintf(line, sizeof line, "%s %llu %llu\n", what, (unsigned long long)number,
             (unsigned long long)count);
    qemu_plugin_outs(line);
}

static void call(plugin_id id, unsigned thread, int64_t number, uint64_t first, uint64_t second,
                 uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    (void)id, (void)thread, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number == GETPRIORITY && (uint32_t)first == SIGN)
        tell("mark", (uint32_t)second);
}

static void end(plugin_id id, void *data)
{
    (void)id, (void)data;
    tell("end", 0);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_vcpu_syscall_cb(id, call);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}
