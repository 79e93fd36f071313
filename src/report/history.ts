/* What happened to a block, by time: its own events, and the edges that lead to it. */
import { group } from "./columns";
import { make, type Child } from "./dom";
import { eventDetails, blockLink } from "./describe";
import { exactTime } from "./format";
import type { Model } from "./model";
import type { State } from "./state";
import { VirtualList } from "./virtual_list";

interface Entry {
    t: number;
    what: string;
    details(): Child[];
}

function ownEvents(m: Model, state: State, block: number): Entry[] {
    return Array.from(group(m.events.ofBlock, block), (row) => ({
        t: m.events.t[row],
        what: m.eventKinds[m.events.kind[row]]?.name ?? "",
        details: () => eventDetails(m, state, row),
    }));
}

function edgesTo(m: Model, state: State, block: number): Entry[] {
    const entries: Entry[] = [];
    for (const edge of group(m.edges.in, block)) {
        const kind = m.edgeKinds[m.edges.kind[edge]] ?? "";
        const details = () => [`${kind}, `, blockLink(m, state, m.edges.from[edge])];
        if (m.edges.at[edge] >= 0) entries.push({ t: m.edges.at[edge], what: "reached from", details });
    }
    return entries;
}

/* Births and deaths that the events do not tell, since a bound was reached. */
function milestones(m: Model, block: number, known: Entry[]): Entry[] {
    const has = (what: RegExp) => known.some((entry) => what.test(entry.what));
    const entries: Entry[] = [];
    if (!has(/^made$/)) entries.push({ t: m.blocks.made[block], what: "made", details: () => [] });
    const why = m.reasons[m.blocks.whyGone[block]];
    if (m.blocks.gone[block] >= 0 && !has(/^invalidated$/))
        entries.push({ t: m.blocks.gone[block], what: "gone", details: () => [why] });
    return entries;
}

export class History {
    readonly list: VirtualList;
    private entries: Entry[] = [];

    constructor(
        private m: Model,
        private state: State,
    ) {
        this.list = new VirtualList({
            label: "History of the block; Enter goes to that moment",
            rowHeight: 26,
            empty: "Nothing was recorded of this block.",
            draw: (row, index) => this.draw(row, this.entries[index]),
            choose: (index) => state.setTime(this.entries[index].t),
            isSelected: (index) => this.entries[index].t === state.time,
        });
    }

    show(block: number): void {
        const own = ownEvents(this.m, this.state, block);
        this.entries = [...own, ...milestones(this.m, block, own), ...edgesTo(this.m, this.state, block)].sort(
            (x, y) => x.t - y.t,
        );
        this.list.setCount(this.entries.length);
    }

    private draw(row: HTMLElement, entry: Entry): void {
        row.classList.add("history-row");
        row.append(
            make("span", { class: "when" }, exactTime(entry.t)),
            make("span", { class: `what what-${entry.what.replace(/ /g, "-")}` }, entry.what),
            make("span", { class: "details" }, ...entry.details()),
        );
    }
}
