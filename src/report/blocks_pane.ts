/* The list of blocks: searched, filtered, in one of several orders. */
import { button, byId, fill, make } from "./dom";
import { address, count, place, plural, time } from "./format";
import { css, shade, shades } from "./heat";
import { blockState } from "./describe";
import type { Model } from "./model";
import { dependsOnTime, search, words } from "./search";
import type { State } from "./state";
import { VirtualList } from "./virtual_list";

const FILTERS: [string, string][] = [
    ["hot", "Together they took nine tenths of all samples"],
    ["live", "In the cache at the moment that the time line shows"],
    ["gone", "Thrown away by then"],
    ["smc", "Thrown away because the guest wrote to their code"],
];

type Key = (m: Model, block: number) => number;
const ORDERS: [string, Key][] = [
    ["Hottest first", (m, b) => -m.blocks.samples[b]],
    ["By address", (m, b) => m.blocks.eip[b]],
    ["First made first", (m, b) => m.blocks.made[b]],
    ["Most host code", (m, b) => -m.blocks.hostBytes[b]],
    ["Most callouts", (m, b) => -m.blocks.callouts[b]],
];

const REFRESH = 200; // milliseconds between searches while time runs

export class BlocksPane {
    private list: VirtualList;
    private input = make("input", {
        type: "search",
        id: "search",
        placeholder: "address, symbol, mnemonic, mode…",
        "aria-label": "Search blocks by address, symbol, guest mnemonic or mode",
        spellcheck: "false",
        autocomplete: "off",
        "aria-describedby": "found",
    });
    private found = make("span", { id: "found", class: "note", role: "status" });
    private chips = new Map<string, HTMLButtonElement>();
    private order: Uint32Array;
    private rows: Uint32Array = new Uint32Array(0);
    private colours = shades().map(css);
    private pending = 0;

    constructor(
        private m: Model,
        private state: State,
    ) {
        this.order = m.byHeat;
        this.list = new VirtualList({
            label: "Blocks",
            rowHeight: 42,
            empty: m.blocks.n ? "No block answers to this search." : "The recording has no blocks.",
            draw: (row, index) => this.draw(row, this.rows[index]),
            choose: (index) => state.setBlock(this.rows[index]),
            isSelected: (index) => this.rows[index] === state.block,
        });
        for (const [word, tip] of FILTERS)
            this.chips.set(
                word,
                button(word, () => this.toggle(word), { class: "chip", "aria-pressed": false, "data-tip": tip }),
            );
        const orders = make(
            "select",
            { "aria-label": "Order" },
            ...ORDERS.map(([label], i) => make("option", { value: i }, label)),
        );
        orders.addEventListener("change", () => this.setOrder(Number(orders.value)));
        this.input.addEventListener("input", () => this.search());
        this.input.addEventListener("keydown", (event) => this.key(event));
        fill(
            byId("pane-blocks"),
            make(
                "div",
                { class: "pane-tools" },
                this.input,
                make(
                    "div",
                    { class: "chips", role: "group", "aria-label": "Filters" },
                    ...this.chips.values(),
                    make("span", { class: "spacer" }),
                    orders,
                ),
                this.found,
            ),
            this.list.element,
        );
        state.on("block", () => this.list.refresh());
        state.on("time", () => this.timeMoved());
        this.search();
    }

    focusSearch(): void {
        this.input.focus();
        this.input.select();
    }

    /* Shows the blocks that answer to this. */
    ask(query: string): void {
        this.input.value = query;
        this.search();
    }

    restyle(): void {
        this.colours = shades().map(css);
        this.list.refresh();
    }

    shown(): void {
        this.list.refresh();
    }

    private search(): void {
        const query = this.input.value;
        const asked = words(query);
        for (const [word, chip] of this.chips) chip.setAttribute("aria-pressed", String(asked.includes(word)));
        this.rows = search(this.m, query, this.state.time, this.order);
        this.list.setCount(this.rows.length);
        this.found.textContent = asked.length
            ? `${count(this.rows.length)} of ${plural(this.m.blocks.n, "block")}`
            : plural(this.m.blocks.n, "block");
    }

    private toggle(word: string): void {
        const asked = words(this.input.value);
        this.ask((asked.includes(word) ? asked.filter((w) => w !== word) : [...asked, word]).join(" "));
    }

    private setOrder(index: number): void {
        const [, key] = ORDERS[index];
        const keys = Float64Array.from({ length: this.m.blocks.n }, (_, block) => key(this.m, block));
        this.order = this.m.byHeat.slice().sort((x, y) => keys[x] - keys[y] || x - y);
        this.search();
    }

    private timeMoved(): void {
        if (this.pending) return;
        this.pending = window.setTimeout(() => {
            this.pending = 0;
            if (dependsOnTime(this.input.value)) this.search();
            else this.list.refresh();
        }, REFRESH);
    }

    private key(event: KeyboardEvent): void {
        if (event.key === "ArrowDown" || event.key === "Enter") {
            event.preventDefault();
            this.list.element.focus();
            this.list.activate(0);
            if (event.key === "Enter" && this.rows.length) this.state.setBlock(this.rows[0]);
        } else if (event.key === "Escape" && this.input.value) this.ask("");
        event.stopPropagation();
    }

    private draw(row: HTMLElement, block: number): void {
        const { samples, guestInsns } = this.m.blocks;
        const heat = make("span", { class: "heat" });
        heat.style.background = this.colours[shade(this.m, block)];
        const { kind } = blockState(this.m, block, this.state.time);
        const where = place(this.m, block);
        row.classList.add("block-row", kind);
        row.append(
            heat,
            make("span", { class: "mono block-address" }, address(this.m, block)),
            make("span", { class: "mono block-place" }, where || this.m.modes[this.m.blocks.mode[block]] || ""),
            make("span", { class: "number" }, samples[block] ? plural(samples[block], "sample") : ""),
            make(
                "span",
                { class: "small" },
                `${plural(guestInsns[block], "instruction")}, made at ${time(this.m.blocks.made[block])}${kind === "live" ? "" : kind === "gone" ? ", gone" : ", not yet made"}`,
            ),
        );
    }
}
