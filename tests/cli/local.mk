TESTS += tests/cli/cli.sh tests/cli/stats.sh tests/cli/explain.sh tests/cli/lesson.sh tests/cli/tools.sh tests/cli/report.sh
EXTRA_DIST += tests/cli/cli.sh tests/cli/stats.sh tests/cli/explain.sh tests/cli/lesson.sh tests/cli/tools.sh tests/cli/report.sh tests/cli/report_check.py
