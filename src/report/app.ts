/* Puts the page together: makes the parts, lets them listen to each other, gives them their keys. */
import { BlockPanel } from "./block_panel";
import { BlocksPane } from "./blocks_pane";
import { CacheMap } from "./cache_map";
import { fillCallouts } from "./callouts_pane";
import { group } from "./columns";
import { button, byId } from "./dom";
import { startEnlarge } from "./enlarge";
import { FunctionsPane } from "./functions_pane";
import { startTips } from "./glossary";
import { Graph } from "./graph";
import { startHelp } from "./help";
import { startKeys } from "./keys";
import type { Model } from "./model";
import { fillOverview } from "./overview";
import { Player } from "./play";
import { startSplitter } from "./splitter";
import { State } from "./state";
import { Tabs } from "./tabs";
import { startTheme } from "./theme";
import { Timeline } from "./timeline";
import { WritesPane } from "./writes_pane";

const PANES = ["pane-overview", "pane-blocks", "pane-functions", "pane-writes", "pane-callouts"];

type Action = () => void;

/* The moment before or after at which something happened to the chosen block. */
function nextMoment(m: Model, state: State, forward: boolean): void {
    if (state.block < 0) return;
    const times = [m.blocks.made[state.block], m.blocks.gone[state.block]];
    for (const row of group(m.events.ofBlock, state.block)) times.push(m.events.t[row]);
    for (const edge of group(m.edges.in, state.block)) times.push(m.edges.at[edge]);
    const there = times.filter((t) => t >= 0 && (forward ? t > state.time : t < state.time));
    if (there.length) state.setTime(there.reduce((a, b) => (forward ? Math.min(a, b) : Math.max(a, b))));
}

/* Time: returns what its keys do, and what draws it in other colours. */
function makeTime(m: Model, state: State): { keys: Record<string, Action>; redraw: Action } {
    const timeline = new Timeline(m, state);
    const player = new Player(state, {
        in: () => timeline.zoom(2),
        out: () => timeline.zoom(0.5),
        whole: () => timeline.zoomOut(),
    });
    const keys = {
        " ": () => player.flip(),
        ",": () => nextMoment(m, state, false),
        ".": () => nextMoment(m, state, true),
    };
    return { keys, redraw: () => timeline.draw() };
}

function makeViews(m: Model, state: State): { keys: Record<string, Action>; redraw: Action; graph: Graph } {
    const graph = new Graph(m, state);
    const map = new CacheMap(m, state);
    const show = (shown: "graph" | "map") => {
        byId("graph-tools").hidden = shown === "map";
        if (shown === "map") map.resize();
    };
    const tabs = new Tabs(byId("view-tabs"), "View", [
        { id: "graph-view", label: "Graph", shown: () => show("graph") },
        { id: "map", label: "All blocks", shown: () => show("map") },
    ]);
    const keys = {
        e: () => graph.expand(state.block),
        f: () => graph.fit(),
        h: () => graph.setScope("hottest"),
        n: () => graph.setScope("newest"),
        u: () => graph.setScope("function"),
        g: () => tabs.open("graph-view"),
        m: () => tabs.open("map"),
    };
    const redraw = () => {
        graph.restyle();
        map.restyle();
    };
    return { keys, redraw, graph };
}

function makeLists(m: Model, state: State, graph: Graph): { keys: Record<string, Action>; redraw: Action } {
    fillOverview(m);
    fillCallouts(m);
    const blocks = new BlocksPane(m, state);
    const functions = new FunctionsPane(m, state, () => graph.setScope("function"));
    const writes = new WritesPane(m, state);
    const tabs = new Tabs(byId("pane-tabs"), "Lists", [
        { id: PANES[0], label: "Overview" },
        { id: PANES[1], label: "Blocks", shown: () => blocks.shown() },
        { id: PANES[2], label: "Functions", shown: () => functions.shown() },
        { id: PANES[3], label: "Writes", shown: () => writes.shown() },
        { id: PANES[4], label: "Callouts" },
    ]);
    const open = (pane: string) => {
        tabs.open(pane);
        byId(pane).querySelector<HTMLElement>(".list, .scroll")?.focus();
    };
    const search = () => {
        tabs.open(PANES[1]);
        blocks.focusSearch();
    };
    const numbers = PANES.map((pane, i): [string, Action] => [String(i + 1), () => open(pane)]);
    return { keys: { "/": search, ...Object.fromEntries(numbers) }, redraw: () => blocks.restyle() };
}

export function startApp(m: Model): void {
    const state = new State(m.end, m.blocks.n ? m.byHeat[0] : -1);
    const redraws: Action[] = [];
    const flipTheme = startTheme(() => redraws.forEach((redraw) => redraw()));
    startSplitter("split-side", "--side", false, 26, 16);
    startSplitter("split-block", "--graph", true, 56, 15);

    const time = makeTime(m, state);
    const views = makeViews(m, state);
    new BlockPanel(m, state);
    const enlarge = startEnlarge();
    const lists = makeLists(m, state, views.graph);
    redraws.push(time.redraw, views.redraw, lists.redraw);

    const help = startHelp();
    byId("header-tools").append(button("Keys and words", help, { id: "help-button", "aria-keyshortcuts": "?" }));
    startTips();
    const others = Object.entries({ ...views.keys, ...lists.keys }).map(([key, act]): [string, Action] => [
        key,
        () => {
            enlarge.end(); // what the key asks for has to be seen
            act();
        },
    ]);
    startKeys({ ...time.keys, ...Object.fromEntries(others), b: enlarge.flip, t: flipTheme, "?": help });
}
