# CALQUE_NEED(VARIABLE, MODULE, NAME, PACKAGE): a library, and what to install when it is missing.
AC_DEFUN([CALQUE_NEED], [PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$3 not found: install Debian's package $4 (apt-get install $4)])])])

# CALQUE_GUEST_CC: tests run small guests.  They need no C library, so the host's own compiler does
# where it knows -m32; elsewhere a cross compiler (Debian's package gcc-i686-linux-gnu).
AC_DEFUN([CALQUE_GUEST_CC], [
AC_CACHE_CHECK([for a compiler of 32-bit x86 guests], [calque_cv_guest_cc],
    [calque_cv_guest_cc=none
     echo 'void _start(void) { for (;;) ; }' > conftest.c
     for calque_cc in "$CC -m32" "gcc -m32" "clang -m32" i686-linux-gnu-gcc; do
         AS_IF([$calque_cc -ffreestanding -nostdlib -static -o conftest.guest conftest.c >&AS_MESSAGE_LOG_FD 2>&1],
             [calque_cv_guest_cc=$calque_cc; break])
     done
     rm -f conftest.c conftest.guest])
GUEST_CC=$calque_cv_guest_cc
AC_SUBST([GUEST_CC])
AM_CONDITIONAL([HAVE_GUEST_CC], [test "x$GUEST_CC" != xnone])
])

# CALQUE_GUEST_LIBC: the workloads of "make bench" do need a C library.  Nothing else does, so none is no error.
AC_DEFUN([CALQUE_GUEST_LIBC], [
AC_CACHE_CHECK([for a compiler of 32-bit x86 programs with a C library], [calque_cv_guest_libc_cc],
    [calque_cv_guest_libc_cc=none
     printf '%s\n' '#include <math.h>' '#include <stdio.h>' 'int main(int c, char **v) { return printf("%f", sin(c)); }' > conftest.c
     for calque_cc in "$GUEST_CC" i686-linux-gnu-gcc; do
         AS_IF([$calque_cc -static -o conftest.guest conftest.c -lm >&AS_MESSAGE_LOG_FD 2>&1],
             [calque_cv_guest_libc_cc=$calque_cc; break])
     done
     rm -f conftest.c conftest.guest])
GUEST_LIBC_CC=$calque_cv_guest_libc_cc
AC_SUBST([GUEST_LIBC_CC])
AM_CONDITIONAL([HAVE_GUEST_LIBC], [test "x$GUEST_LIBC_CC" != xnone])
])

# CALQUE_FIRMWARE: where SeaBIOS and its VGA BIOS are.  Only the default for run time, where -L may say otherwise.
AC_DEFUN([CALQUE_FIRMWARE], [
AC_ARG_WITH([firmware], [AS_HELP_STRING([--with-firmware=DIR],
    [folder of bios-256k.bin and vgabios-stdvga.bin (default: where Debian's package seabios puts them)])],
    [], [with_firmware=yes])
AC_MSG_CHECKING([for SeaBIOS])
AS_CASE([$with_firmware],
    [yes], [calque_firmware=/usr/share/seabios
        AS_IF([test ! -f $calque_firmware/bios-256k.bin && test -f /usr/share/qemu/bios-256k.bin],
            [calque_firmware=/usr/share/qemu])],
    [no], [calque_firmware=],
    [calque_firmware=$with_firmware])
AS_IF([test -n "$calque_firmware"],
    [for calque_file in bios-256k.bin vgabios-stdvga.bin; do
         AS_IF([test ! -f "$calque_firmware/$calque_file"],
             [AC_MSG_RESULT([no])
              AC_MSG_ERROR([$calque_firmware/$calque_file not found: install Debian's package seabios (apt-get install seabios), say --with-firmware=DIR, or --without-firmware to have it named by -L at run time])])
     done])
AC_MSG_RESULT([${calque_firmware:-at run time}])
AC_DEFINE_UNQUOTED([FIRMWARE_DIR], ["${calque_firmware:-/usr/share/seabios}"], [Where firmware images are looked for.])
])

# CALQUE_REPORT_PAGE: "calque report -o FILE.html" fills a page that npm and esbuild build; all else does without.
AC_DEFUN([CALQUE_REPORT_PAGE], [
AC_ARG_WITH([report-page], [AS_HELP_STRING([--without-report-page],
    [build without the page of "calque report" (its building needs npm, and the npm registry the first time)])],
    [], [with_report_page=auto])
AC_CHECK_PROGS([NODE], [node nodejs])
AC_CHECK_PROGS([NPM], [npm])
AC_CACHE_CHECK([for npm and Node.js 18 or later], [calque_cv_node],
    [calque_cv_node=no
     AS_IF([test -n "$NODE" && test -n "$NPM" && "$NODE" -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' >&AS_MESSAGE_LOG_FD 2>&1],
         [calque_cv_node=yes])])
AS_IF([test "$with_report_page" = yes && test "$calque_cv_node" = no],
    [AC_MSG_ERROR([npm or Node.js 18 not found: install Debian's packages nodejs and npm (apt-get install nodejs npm)])])
AS_IF([test "$with_report_page" = auto], [with_report_page=$calque_cv_node])
AS_IF([test "$with_report_page" = yes],
    [AC_DEFINE([HAVE_REPORT_PAGE], [1], [Define to 1 to have calque report write HTML.])])
AM_CONDITIONAL([REPORT_PAGE], [test "$with_report_page" = yes])
])

# CALQUE_FUZZERS: everything instrumented for libFuzzer, with the sanitizers.
AC_DEFUN([CALQUE_FUZZERS], [
CALQUE_CFLAGS="$CALQUE_CFLAGS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
CALQUE_LDFLAGS="-fsanitize=address,undefined"
calque_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS -fsanitize=fuzzer"
AC_MSG_CHECKING([whether $CC has libFuzzer])
AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <stddef.h>
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) { return data && size > 99 ? -1 : 0; }
]])], [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([--enable-fuzzers needs libFuzzer: install Debian's package clang (apt-get install clang) and say CC=clang])])
CFLAGS=$calque_saved_cflags
])
