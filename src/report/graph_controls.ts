/* The buttons above the graph and the legend below it. */
import { button, byId, fill, make } from "./dom";
import type { Scope } from "./graph_choose";
import { edgeColour } from "./graph_style";

const SCOPES: [Scope, string, string][] = [
    ["around", "Around", "The chosen block and the blocks it comes from and goes to"],
    ["function", "Function", "The blocks of the chosen block's function"],
    ["hottest", "Hottest", "The blocks that were found running most often"],
    [
        "newest",
        "Newest",
        "The blocks made last, at the moment that the time line shows: play to watch them come and be chained",
    ],
];

/* Kinds of edges, those of one colour together. */
const LEGEND = [["taken"], ["not taken", "next"], ["call", "back from the call"], ["looked up"], ["return"]];

export interface GraphActions {
    setScope(scope: Scope): void;
    expand(): void;
    showCode(shown: boolean): void;
    zoom(factor: number): void;
    fit(): void;
}

function codeToggle(actions: GraphActions): HTMLButtonElement {
    let shown = true;
    const flip = () => {
        shown = !shown;
        toggle.setAttribute("aria-pressed", String(shown));
        actions.showCode(shown);
    };
    const toggle = button("Code", flip, { "aria-pressed": true, "data-tip": "Show guest instructions in the blocks" });
    return toggle;
}

/* Returns what marks the scope that is shown. */
export function fillTools(actions: GraphActions, note: HTMLElement): (scope: Scope) => void {
    const scopes = SCOPES.map(([scope, label, tip]) =>
        button(label, () => actions.setScope(scope), { "data-tip": tip, "data-scope": scope }),
    );
    fill(
        byId("graph-tools"),
        make("div", { class: "segments", role: "group", "aria-label": "Blocks to show" }, ...scopes),
        button("Expand", () => actions.expand(), {
            "data-tip": "Add the neighbours of the chosen block (e; or double-click a block)",
        }),
        codeToggle(actions),
        note,
        button("−", () => actions.zoom(1 / 1.25), { "aria-label": "Zoom out", class: "square" }),
        button("+", () => actions.zoom(1.25), { "aria-label": "Zoom in", class: "square" }),
        button("Fit", () => actions.fit(), { "data-tip": "Show the whole graph (f)" }),
    );
    return (shown) => {
        for (const element of scopes) element.setAttribute("aria-pressed", String(element.dataset.scope === shown));
    };
}

export function fillLegend(): void {
    const entries = LEGEND.map((kinds) => {
        const dashed = kinds[0] === "looked up" || kinds[0] === "return";
        const sample = make("span", { class: dashed ? "line dashed" : "line" });
        sample.style.borderColor = edgeColour(kinds[0]);
        return make("span", { class: "legend-entry" }, sample, kinds.join(", "));
    });
    const heat = make("span", { class: "legend-entry" }, "cold", make("span", { class: "heat-scale" }), "hot");
    fill(byId("graph-legend"), heat, ...entries);
}
