#!/bin/sh
# bin2c.sh NAME <binary >header: a C array of bytes, for images that Calque carries in itself.
set -eu
echo "/* Made by roms/bin2c.sh; do not edit. */"
echo "static const unsigned char $1[] = {"
od -An -v -tx1 | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
echo "};"
