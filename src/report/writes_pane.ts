/* Where self-modifying code hit: by page of guest memory, each write that threw a block away, and who wrote. */
import { byId, fill, make } from "./dom";
import { blockName, exactTime, hex, plural, time } from "./format";
import { term } from "./glossary";
import { eventsNamed, type Model } from "./model";
import type { State } from "./state";
import { VirtualList } from "./virtual_list";

const PAGE = 4096;

interface Page {
    page: number; // -1: not by a write
    events: number[]; // rows of m.events
}

type Row = { page: Page } | { event: number };

function pages(m: Model): Page[] {
    const found = new Map<number, Page>();
    for (const row of eventsNamed(m, "invalidated")) {
        const written = m.events.a[row];
        const page = written < 0 ? -1 : Math.floor(written / PAGE) * PAGE;
        const known = found.get(page);
        if (known) known.events.push(row);
        else found.set(page, { page, events: [row] });
    }
    return [...found.values()].sort(
        (x, y) => Number(x.page < 0) - Number(y.page < 0) || y.events.length - x.events.length || x.page - y.page,
    );
}

export class WritesPane {
    private list: VirtualList;
    private rows: Row[] = [];
    private open = new Set<Page>();

    constructor(
        private m: Model,
        private state: State,
    ) {
        const all = pages(m);
        this.list = new VirtualList({
            label: "Pages whose code was written to; Enter opens a page, or goes to a write",
            rowHeight: 42,
            empty: "No block was thrown away by a write.",
            draw: (element, index) => this.draw(element, this.rows[index]),
            choose: (index) => this.choose(all, this.rows[index]),
            isSelected: (index) => {
                const row = this.rows[index];
                return (
                    "event" in row && m.events.block[row.event] === state.block && m.events.t[row.event] === state.time
                );
            },
        });
        const hits = all.reduce((sum, page) => sum + page.events.length, 0);
        const intro = make(
            "p",
            { class: "note" },
            term("self-modifying code"),
            `: ${plural(hits, "block")} thrown away, in ${plural(all.length, "page")} of guest memory`,
        );
        fill(byId("pane-writes"), make("div", { class: "pane-tools" }, intro), this.list.element);
        this.layOut(all);
    }

    shown(): void {
        this.list.refresh();
    }

    private layOut(all: Page[]): void {
        this.rows = all.flatMap((page): Row[] => [
            { page },
            ...(this.open.has(page) ? page.events.map((event) => ({ event })) : []),
        ]);
        this.list.setCount(this.rows.length);
    }

    private choose(all: Page[], row: Row): void {
        if ("event" in row) {
            this.state.setTime(this.m.events.t[row.event]);
            this.state.setBlock(this.m.events.block[row.event]);
            return;
        }
        if (!this.open.delete(row.page)) this.open.add(row.page);
        this.layOut(all);
    }

    private span(events: number[]): string {
        const [first, last] = [events[0], events[events.length - 1]].map((row) => time(this.m.events.t[row]));
        return first === last ? first : `${first} to ${last}`;
    }

    private writer(event: number): string {
        if (this.m.events.a[event] < 0)
            return this.m.reasons[this.m.blocks.whyGone[this.m.events.block[event]]] || "not known why";
        const block = this.m.events.b[event];
        if (block >= 0 && block < this.m.blocks.n) return `by ${blockName(this.m, block)}`;
        const eip = this.m.events.c[event];
        return eip >= 0 ? `by code at ${hex(eip)}` : "by a device, or not known by whom";
    }

    private draw(element: HTMLElement, row: Row): void {
        if ("page" in row) {
            const { page, events } = row.page;
            const open = this.open.has(row.page);
            element.classList.add("page-row");
            element.append(
                make(
                    "span",
                    { class: "mono name" },
                    make("span", { "aria-hidden": true }, open ? "▾ " : "▸ "),
                    page < 0 ? "not by a write" : `page ${hex(page)}`,
                    make("span", { class: "only-said" }, open ? ", open" : ", closed"),
                ),
                make("span", { class: "number" }, plural(events.length, "block")),
                make("span", { class: "small" }, `${this.span(events)}, first ${this.writer(events[0])}`),
            );
            return;
        }
        const { events } = this.m;
        const written = events.a[row.event];
        element.classList.add("write-row");
        element.append(
            make("span", { class: "mono name" }, blockName(this.m, events.block[row.event])),
            make("span", { class: "number" }, exactTime(events.t[row.event])),
            make(
                "span",
                { class: "small" },
                `${written >= 0 ? `${hex(written)} written ` : ""}${this.writer(row.event)}`,
            ),
        );
    }
}
