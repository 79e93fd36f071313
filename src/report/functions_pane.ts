/* The hottest functions; choosing one shows its blocks in the graph. */
import { byId, fill, make } from "./dom";
import { bytes, count, percent, plural } from "./format";
import { functions } from "./functions";
import type { Model } from "./model";
import type { State } from "./state";
import { VirtualList } from "./virtual_list";

export class FunctionsPane {
    private list: VirtualList;

    constructor(m: Model, state: State, showFunction: (block: number) => void) {
        const rows = functions(m);
        const most = Math.max(1, rows[0]?.samples ?? 1);
        this.list = new VirtualList({
            label: "Functions, hottest first; Enter shows one in the graph",
            rowHeight: 42,
            empty: "The recording has no blocks.",
            draw: (element, index) => {
                const row = rows[index];
                const bar = make("span", { class: "bar" });
                bar.style.width = `${(row.samples / most) * 100}%`;
                element.classList.add("function-row");
                element.append(
                    bar,
                    make("span", { class: row.known ? "mono name" : "mono name muted" }, row.name),
                    make("span", { class: "number" }, row.samples ? percent(row.samples, m.totalSamples) : ""),
                    make(
                        "span",
                        { class: "small" },
                        `${plural(row.samples, "sample")}, ${plural(row.blocks.length, "block")}, ${bytes(row.guestBytes)} to ${bytes(row.hostBytes)}`,
                    ),
                );
            },
            choose: (index) => {
                const blocks = rows[index].blocks;
                const hottest = blocks.reduce((a, b) => (m.blocks.samples[b] > m.blocks.samples[a] ? b : a), blocks[0]);
                state.setBlock(hottest);
                showFunction(hottest);
            },
            isSelected: (index) => state.block >= 0 && rows[index].blocks.includes(state.block),
        });
        const known = rows.filter((row) => row.known).length;
        const note = known
            ? `${plural(known, "function")}; blocks without a symbol are summed up by page`
            : `No symbols: ${count(rows.length)} pages. “-symbols System.map” with calque names the functions.`;
        fill(
            byId("pane-functions"),
            make("div", { class: "pane-tools" }, make("p", { class: "note" }, note)),
            this.list.element,
        );
        this.list.setCount(rows.length);
        state.on("block", () => this.list.refresh());
    }

    shown(): void {
        this.list.refresh();
    }
}
