/* Puts the page together: loads the recording, makes the parts, lets them listen to each other. */
import { BlockPanel } from "./block_panel";
import { BlocksPane } from "./blocks_pane";
import { CacheMap } from "./cache_map";
import { fillCallouts } from "./callouts_pane";
import { group } from "./columns";
import { button, byId, fill, make } from "./dom";
import { startEnlarge } from "./enlarge";
import { FunctionsPane } from "./functions_pane";
import { startTips } from "./glossary";
import { Graph } from "./graph";
import { startHelp } from "./help";
import { startKeys } from "./keys";
import { load } from "./load";
import { buildModel, type Model } from "./model";
import { fillOverview } from "./overview";
import { Player } from "./play";
import { startSplitter } from "./splitter";
import { State } from "./state";
import { Tabs } from "./tabs";
import { startTheme } from "./theme";
import { Timeline } from "./timeline";
import { WritesPane } from "./writes_pane";

const PANES = ["pane-overview", "pane-blocks", "pane-functions", "pane-writes", "pane-callouts"];

/* The moment before or after at which something happened to the chosen block. */
function nextMoment(m: Model, state: State, forward: boolean): void {
    if (state.block < 0) return;
    const times = [m.blocks.made[state.block], m.blocks.gone[state.block]];
    for (const row of group(m.events.ofBlock, state.block)) times.push(m.events.t[row]);
    for (const edge of group(m.edges.in, state.block)) times.push(m.edges.at[edge]);
    const there = times.filter((t) => t >= 0 && (forward ? t > state.time : t < state.time));
    if (there.length) state.setTime(there.reduce((a, b) => (forward ? Math.min(a, b) : Math.max(a, b))));
}

function start(m: Model): void {
    const state = new State(m.end, m.blocks.n ? m.byHeat[0] : -1);
    const themed: (() => void)[] = [];
    const flipTheme = startTheme(() => themed.forEach((redraw) => redraw()));
    startSplitter("split-side", "--side", false, 26, 16);
    startSplitter("split-block", "--graph", true, 56, 15);

    const timeline = new Timeline(m, state);
    const player = new Player(state, { in: () => timeline.zoom(2), out: () => timeline.zoom(0.5), whole: () => timeline.zoomOut() });
    const graph = new Graph(m, state);
    const map = new CacheMap(m, state);
    new BlockPanel(m, state);
    const enlarge = startEnlarge();
    fillOverview(m);
    fillCallouts(m);
    const blocks = new BlocksPane(m, state);
    const functions = new FunctionsPane(m, state, () => graph.setScope("function"));
    const writes = new WritesPane(m, state);

    const showMap = () => {
        byId("graph-tools").hidden = true;
        map.resize();
    };
    const views = new Tabs(byId("view-tabs"), "View", [
        { id: "graph-view", label: "Graph", shown: () => (byId("graph-tools").hidden = false) },
        { id: "map", label: "All blocks", shown: () => showMap() },
    ]);
    const panes = new Tabs(byId("pane-tabs"), "Lists", [
        { id: PANES[0], label: "Overview" },
        { id: PANES[1], label: "Blocks", shown: () => blocks.shown() },
        { id: PANES[2], label: "Functions", shown: () => functions.shown() },
        { id: PANES[3], label: "Writes", shown: () => writes.shown() },
        { id: PANES[4], label: "Callouts" },
    ]);
    const openPane = (index: number) => {
        panes.choose(index);
        byId(PANES[index]).querySelector<HTMLElement>(".list, .scroll")?.focus();
    };
    const showHelp = startHelp();
    byId("header-tools").append(button("Keys and words", showHelp, { id: "help-button", "aria-keyshortcuts": "?" }));
    themed.push(
        () => timeline.draw(),
        () => graph.restyle(),
        () => map.restyle(),
        () => blocks.restyle(),
    );
    startTips();
    startKeys({
        " ": () => player.flip(),
        "/": () => {
            panes.choose(1);
            blocks.focusSearch();
        },
        "?": showHelp,
        ",": () => nextMoment(m, state, false),
        ".": () => nextMoment(m, state, true),
        e: () => graph.expand(state.block),
        f: () => graph.fit(),
        h: () => graph.setScope("hottest"),
        n: () => graph.setScope("newest"),
        u: () => graph.setScope("function"),
        g: () => views.open("graph-view"),
        b: enlarge,
        m: () => views.open("map"),
        t: flipTheme,
        ...Object.fromEntries(PANES.map((_, i) => [String(i + 1), () => openPane(i)])),
    });
}

async function run(): Promise<void> {
    const begun = performance.now();
    try {
        const report = await load();
        const m = buildModel(report);
        document.title = `Calque report${m.meta.date ? `, ${m.meta.date}` : ""}`;
        byId("app").hidden = false;
        start(m);
        byId("loading").remove();
        document.documentElement.dataset.ready = String(Math.round(performance.now() - begun)); // for tests: milliseconds
    } catch (error) {
        byId("app").hidden = true;
        fill(byId("loading"), make("h1", {}, "Calque report"), make("p", { role: "alert" }, error instanceof Error ? error.message : String(error)));
        document.documentElement.dataset.failed = "1";
    }
}

void run();
