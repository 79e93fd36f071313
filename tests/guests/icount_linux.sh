#!/bin/sh
# tests/guests/icount.sh with Debian's kernel.
GUEST=linux
export GUEST
exec sh "$(dirname "$0")/icount.sh"
