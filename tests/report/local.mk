TESTS += tests/report/page.sh tests/report/types.sh
EXTRA_DIST += tests/report/page.sh tests/report/types.sh tests/report/page.mjs tests/report/browser.mjs tests/report/synthetic.mjs \
	tests/report/tap.mjs tests/report/package.json tests/report/package-lock.json
if REPORT_PAGE
check_DATA += tests/report/npm/stamp src/report/page.html
tests/report/npm/stamp: $(top_srcdir)/tests/report/package-lock.json $(top_srcdir)/tests/report/package.json
	$(AM_V_GEN)rm -rf $(@D) && $(MKDIR_P) $(@D) && cp $(top_srcdir)/tests/report/package.json $(top_srcdir)/tests/report/package-lock.json $(@D) \
		&& chmod u+w $(@D)/package*.json && (cd $(@D) && $(NPM_CI)) >$(@D)/npm.log 2>&1 || { cat $(@D)/npm.log >&2; $(NPM_FAILED); }; touch $@
endif
