/* The command line.  Input: arguments, one in a line. */
#include "fuzz/parse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *argv[PARSE_ARGS + 1] = { "calque" };
    FUZZ_CHECK(text);
    memcpy(text, data, size);
    text[size] = 0;
    int argc = 1;
    for (char *at = text, *next; argc < PARSE_ARGS && *at; at = next) {
        next = at + strcspn(at, "\n");
        if (*next) *next++ = 0;
        argv[argc++] = at;
    }
    CliOptions o;
    if (parse(argc, argv, &o)) {
        parse_check(&o);
        parse_done(&o);
    }
    free(text);
    return 0;
}

static void seeds(FuzzGive *give)
{
    static const char *const lines[] = {
        "-m\n512\n-cpu\npentium3,+sse2,-pae\n-nographic\n-no-reboot\n-kernel\nlinux\n-initrd\ninitrd.gz\n-append\na=b "
        "c",
        "-m\nsize=1G\n-cpu\nmax,nx=off,avx=on\n-smp\n1\n-M\npc,accel=tcg\n-machine\ntype=pc\n-name\nx",
        "-rtc\nbase=2006-06-17T16:01:21,clock=vm\n-rtc\nbase=localtime\n-no-shutdown\n-S",
        "-boot\norder=cad,once=d,menu=on,splash-time=5000,reboot-timeout=-1,strict=off\n-boot\nd\n-bios\nnone\n-L\n.",
        "disk.img\n-cdrom\na.iso\n-fda\nb.img\n-snapshot\n-drive\nfile=c,,d,if=ide,index=3,media=disk,cache=unsafe",
        "-chardev\nstdio,id=a,mux=on\n-serial\nchardev:a\n-mon\nchardev=a\n-chardev\nsocket,id=b,path=/x,server,nowait",
        "-chardev\nsocket,id=c,host=localhost,port=4444,server=on,wait=off\n-chardev\nnull,id=n\n-serial\nchardev:n",
        "-chardev\nfile,id=f,path=log\n-device\nisa-debugcon,chardev=f,iobase=0x402\n-monitor\nunix:/x,server,nowait",
        "-device\nisa-debug-exit,iobase=0x501,iosize=2\n-global\nisa-debug-exit.iobase=1\n-debugcon\nnull\n-"
        "device\nhelp",
        "-display\nsdl,full-screen=on\n-curses\n-full-screen\n-vga\nnone\n-monitor\ntcp:localhost:1,server\n-"
        "nodefaults",
        "-accel\ntcg,backend=interp,tb-size=64,no-pass=dce,thread=single\n-d\nin_asm,op,no-flags\n-D\nx\n-max-"
        "insns\n99",
        "-dfilter\n0x1000..0x1fff,0x2000+0x100,0x3000-1\n-d\nhelp\n-accel\nhelp",
        "-parallel\nnone\n-nic\nnone\n-net\nnone\n-serial\nmon:stdio\n-monitor\nnone\n--version",
        "-help",
        "-cpu\nhelp",
        "-drive\nhelp",
    };
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) give(lines[i], strlen(lines[i]));
}

static const char *const words[] = { "\n-m\n",
                                     "\n-cpu\n",
                                     "\n-smp\n",
                                     "\n-machine\n",
                                     "\n-rtc\n",
                                     "\n-name\n",
                                     "\n-nodefaults\n",
                                     "\n-kernel\n",
                                     "\n-initrd\n",
                                     "\n-append\n",
                                     "\n-boot\n",
                                     "\n-bios\n",
                                     "\n-L\n",
                                     "\n-no-reboot\n",
                                     "\n-hda\n",
                                     "\n-cdrom\n",
                                     "\n-fda\n",
                                     "\n-drive\n",
                                     "\n-snapshot\n",
                                     "\n-nographic\n",
                                     "\n-display\n",
                                     "\n-vga\n",
                                     "\n-serial\n",
                                     "\n-chardev\n",
                                     "\n-debugcon\n",
                                     "\n-device\n",
                                     "\n-global\n",
                                     "\n-monitor\n",
                                     "\n-mon\n",
                                     "\n-parallel\n",
                                     "\n-nic\n",
                                     "\n-accel\n",
                                     "\n-d\n",
                                     "\n-D\n",
                                     "\n-dfilter\n",
                                     "\n-max-insns\n",
                                     "\n-S\n",
                                     ",id=",
                                     "chardev:",
                                     "help",
                                     "=on",
                                     "=off",
                                     ",,",
                                     "base=2000-02-29",
                                     "order=",
                                     "tb-size=",
                                     "iobase=0x",
                                     "18446744073709551616",
                                     NULL };
const FuzzTarget fuzz_target = { .name = "cli", .slice = 60000, .max_size = 2048, .seeds = seeds, .words = words };
