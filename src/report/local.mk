# The page that calque report fills: TypeScript and its libraries from npm, put into one file by esbuild, and that
# file into the program as a C array.  Sources may be read-only: npm works in the build folder.
report_sources = \
	src/report/app.ts src/report/block_panel.ts src/report/blocks_pane.ts src/report/cache_map.ts src/report/callouts_pane.ts \
	src/report/code_view.ts src/report/colour.ts src/report/columns.ts src/report/describe.ts src/report/dom.ts src/report/enlarge.ts \
	src/report/format.ts src/report/functions.ts src/report/functions_pane.ts src/report/glossary.ts \
	src/report/graph.ts src/report/graph_choose.ts src/report/graph_controls.ts src/report/graph_layout.ts src/report/graph_style.ts \
	src/report/graph_text.ts src/report/heat.ts src/report/help.ts src/report/history.ts src/report/keys.ts \
	src/report/lanes.ts src/report/load.ts src/report/main.ts src/report/model.ts src/report/overview.ts \
	src/report/play.ts src/report/schema.ts src/report/search.ts src/report/splitter.ts src/report/state.ts \
	src/report/tabs.ts src/report/theme.ts src/report/timeline.ts src/report/view_text.ts \
	src/report/virtual_list.ts src/report/writes_pane.ts \
	src/report/index.html src/report/style/theme.css src/report/style/page.css src/report/style/timeline.css \
	src/report/style/lists.css src/report/style/graph.css src/report/style/block.css
EXTRA_DIST += $(report_sources) src/report/build.mjs src/report/package.json src/report/package-lock.json

NPM_CI = $(NPM) ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error --prefer-offline
NPM_FAILED = echo "npm cannot fetch what the report page needs; configure --without-report-page does without" >&2; exit 1

if REPORT_PAGE
BUILT_SOURCES += src/report/page_html.h
CLEANFILES += src/report/page.html src/report/page_html.h
src/report/npm/stamp: $(top_srcdir)/src/report/package-lock.json $(top_srcdir)/src/report/package.json
	$(AM_V_GEN)rm -rf $(@D) && $(MKDIR_P) $(@D) && cp $(top_srcdir)/src/report/package.json $(top_srcdir)/src/report/package-lock.json $(@D) \
		&& chmod u+w $(@D)/package*.json && (cd $(@D) && $(NPM_CI)) >$(@D)/npm.log 2>&1 || { cat $(@D)/npm.log >&2; $(NPM_FAILED); }; touch $@
src/report/page.html: src/report/npm/stamp $(top_srcdir)/src/report/build.mjs $(report_sources)
	$(AM_V_GEN)$(NODE) $(top_srcdir)/src/report/build.mjs $(top_srcdir)/src/report src/report/npm/node_modules $@.tmp && mv $@.tmp $@
src/cli/report_html.$(OBJEXT): src/report/page_html.h
src/report/page_html.h: src/report/page.html $(top_srcdir)/roms/bin2c.sh
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/roms/bin2c.sh page_html <src/report/page.html >$@.tmp && mv $@.tmp $@
endif

clean-local: clean-report
clean-report:
	-rm -rf src/report/npm tests/report/npm
