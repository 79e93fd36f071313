/* The chosen block: what it is, its code, its history and its neighbours. */
import { group } from "./columns";
import { drawCode, type CodeOptions } from "./code_view";
import { blockLink, blockState } from "./describe";
import { button, byId, fill, make, type Child } from "./dom";
import { address, bytes, count, hex, percent, place, plural } from "./format";
import { term } from "./glossary";
import { History } from "./history";
import { edgeLives, type Model } from "./model";
import type { State } from "./state";
import { Tabs } from "./tabs";

export class BlockPanel {
    private options: CodeOptions = { cold: false, bytes: false };
    private history: History;
    private status = make("span", { class: "block-state" });
    private edgeRows: { edge: number; element: HTMLElement }[] = [];

    constructor(
        private m: Model,
        private state: State,
    ) {
        this.history = new History(m, state);
        byId("block-history").append(this.history.list.element);
        new Tabs(byId("block-tabs"), "The chosen block", [
            { id: "block-code", label: "Code" },
            { id: "block-history", label: "History", shown: () => this.history.list.refresh() },
            { id: "block-edges", label: "Neighbours" },
        ]);
        this.tools();
        state.on("block", () => this.show());
        state.on("time", () => this.paintTime());
        this.show();
    }

    private tools(): void {
        const toggle = (label: string, option: keyof CodeOptions, tip: string) => {
            const element = button(label, () => {
                this.options[option] = !this.options[option];
                element.setAttribute("aria-pressed", String(this.options[option]));
                this.drawCode();
            });
            element.setAttribute("aria-pressed", String(this.options[option]));
            element.dataset.tip = tip;
            return element;
        };
        byId("block-tools").append(
            toggle("Bytes", "bytes", "Show the bytes of the code"),
            toggle("Out of line", "cold", "Show the host code for what seldom happens"),
        );
    }

    private show(): void {
        const { block } = this.state;
        byId("block-body").hidden = block < 0;
        byId("block-none").hidden = block >= 0;
        if (block < 0) {
            fill(byId("block-title"), make("h2", {}, "No block chosen"));
            return;
        }
        const where = place(this.m, block);
        fill(
            byId("block-title"),
            make("h2", { class: "mono" }, address(this.m, block)),
            where && make("span", { class: "mono place" }, where),
            this.status,
        );
        fill(byId("block-facts"), ...this.facts(block));
        this.drawCode();
        byId("block-code").scrollTop = 0;
        this.history.show(block);
        this.drawEdges(block);
        this.paintTime();
    }

    private facts(block: number): Child[] {
        const b = this.m.blocks;
        const fact = (name: Child, value: Child) =>
            make("div", { class: "fact" }, make("dt", {}, name), make("dd", {}, value));
        const origin = b.copyOf[block];
        return [
            fact(
                term("guest", "Guest code"),
                `${plural(b.guestInsns[block], "instruction")}, ${bytes(b.guestBytes[block])}`,
            ),
            fact(term("host", "Host code"), bytes(b.hostBytes[block])),
            fact(
                term("expansion", "Expansion"),
                b.guestBytes[block] ? `× ${(b.hostBytes[block] / b.guestBytes[block]).toFixed(1)}` : "",
            ),
            fact(
                term("sample", "Samples"),
                `${count(b.samples[block])} (${percent(b.samples[block], this.m.totalSamples)})`,
            ),
            fact(term("mode", "Mode"), this.m.modes[b.mode[block]] ?? ""),
            fact("Physical", hex(b.phys[block])),
            b.lin[block] !== b.eip[block] && fact("Linear", hex(b.lin[block])),
            this.m.ends[b.end[block]] && fact("Ends in", this.m.ends[b.end[block]]),
            b.callouts[block] > 0 && fact(term("callout", "Callouts"), count(b.callouts[block])),
            origin >= 0 && origin < b.n && fact("Copy of", blockLink(this.m, this.state, origin)),
        ];
    }

    private drawCode(): void {
        byId("block-code").classList.toggle("with-bytes", this.options.bytes);
        if (this.state.block >= 0) drawCode(byId("block-code"), this.m, this.state.block, this.options);
    }

    private drawEdges(block: number): void {
        this.edgeRows = [];
        const column = (title: string, rows: Uint32Array, other: Float64Array) => {
            const shown = rows.subarray(0, 200);
            const items = Array.from(shown, (edge) => {
                const element = make(
                    "li",
                    {},
                    make("span", { class: "edge-kind" }, this.m.edgeKinds[this.m.edges.kind[edge]] ?? ""),
                    blockLink(this.m, this.state, other[edge]),
                );
                this.edgeRows.push({ edge, element });
                return element;
            });
            const rest = rows.length - shown.length;
            return make(
                "section",
                {},
                make("h3", {}, title),
                items.length ? make("ul", {}, ...items) : make("p", { class: "empty" }, "none recorded"),
                rest > 0 && make("p", { class: "empty" }, `and ${count(rest)} more`),
            );
        };
        fill(
            byId("block-edges"),
            column("Comes from", group(this.m.edges.in, block), this.m.edges.from),
            column("Goes to", group(this.m.edges.out, block), this.m.edges.to),
        );
    }

    private paintTime(): void {
        const { block, time } = this.state;
        if (block < 0) return;
        const { text, kind } = blockState(this.m, block, time);
        this.status.textContent = text;
        this.status.className = `block-state ${kind}`;
        for (const { edge, element } of this.edgeRows)
            element.classList.toggle("absent", !edgeLives(this.m, edge, time));
    }
}
