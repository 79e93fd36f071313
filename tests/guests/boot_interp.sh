#!/bin/sh
# tests/guests/boot.sh on the portable backend.
BACKEND=interp
export BACKEND
exec sh "$(dirname "$0")/boot.sh"
