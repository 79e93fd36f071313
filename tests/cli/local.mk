TESTS += tests/cli/cli.sh tests/cli/stats.sh
EXTRA_DIST += tests/cli/cli.sh tests/cli/stats.sh
