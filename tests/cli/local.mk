TESTS += tests/cli/cli.sh tests/cli/stats.sh tests/cli/explain.sh tests/cli/lesson.sh
EXTRA_DIST += tests/cli/cli.sh tests/cli/stats.sh tests/cli/explain.sh tests/cli/lesson.sh
