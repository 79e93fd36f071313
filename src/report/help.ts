/* The dialog with the keys, the glossary and what the page is made of. */
import { button, byId, make } from "./dom";
import { GLOSSARY } from "./glossary";

declare const LICENCES: { name: string; version: string; licence: string; text: string }[]; // build.mjs

const KEYS: [string, string][] = [
    ["Space", "play, pause"],
    ["/", "search"],
    ["← →", "move in time (on the time line); Shift: faster; Page Up, Page Down, Home, End"],
    [", .", "the moment before, after, at which something happened to the chosen block"],
    ["+ − 0", "zoom into, out of the time line, show all of it (on the time line)"],
    ["↑ ↓ Enter", "move in a list, choose"],
    ["↑ ↓ ← →", "go from block to block (on the graph, and on the map)"],
    ["e", "add the neighbours of the chosen block to the graph"],
    ["f", "fit the graph into its space"],
    ["h, n, u", "the hottest blocks; the newest; the function of the chosen block"],
    ["1 … 5", "overview, blocks, functions, writes to code, callouts"],
    ["g, m", "graph, map of all blocks"],
    ["b", "all the room for the chosen block, or not"],
    ["t", "light or dark"],
    ["?", "this list"],
    ["Esc", "close, or clear the search"],
];

function pairs(entries: [string, string][], tag: "kbd" | "span"): HTMLElement {
    return make(
        "dl",
        { class: tag === "kbd" ? "keys" : "glossary" },
        ...entries.flatMap(([name, text]) => [make("dt", {}, make(tag, {}, name)), make("dd", {}, text)]),
    );
}

function licences(): HTMLElement[] {
    return LICENCES.map(({ name, version, licence, text }) =>
        make("details", {}, make("summary", {}, `${name} ${version} (${licence})`), make("pre", {}, text)),
    );
}

export function startHelp(): () => void {
    const dialog = byId<HTMLDialogElement>("help");
    const close = button("Close", () => dialog.close(), { class: "primary" });
    dialog.append(
        make("header", {}, make("h2", {}, "Keys and words"), close),
        make(
            "div",
            { class: "help-body", tabindex: 0 },
            make("section", {}, make("h3", {}, "Keys"), pairs(KEYS, "kbd")),
            make("section", {}, make("h3", {}, "Words"), pairs(Object.entries(GLOSSARY), "span")),
            make(
                "section",
                {},
                make("h3", {}, "About this page"),
                make(
                    "p",
                    {},
                    "Made by “calque report”. It holds the recording and needs no network. The graph is laid out and drawn by:",
                ),
                ...licences(),
            ),
        ),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    return () => (dialog.open ? dialog.close() : dialog.showModal());
}
