/* The report with its indexes: what each part of the page asks, answered in less than a frame.  Built once. */
import { column, group, groupBy, sortedTimes, type Groups } from "./columns";
import type { Callout, EventKind, Meta, Report } from "./schema";

export interface Blocks {
    n: number;
    eip: Float64Array;
    lin: Float64Array;
    phys: Float64Array;
    mode: Float64Array;
    symbol: Float64Array;
    offset: Float64Array;
    guestBytes: Float64Array;
    guestInsns: Float64Array;
    hostBytes: Float64Array;
    hostInsns: Float64Array;
    made: Float64Array;
    gone: Float64Array;
    whyGone: Float64Array;
    samples: Float64Array;
    end: Float64Array;
    copyOf: Float64Array;
    callouts: Float64Array;
}

export interface Edges {
    n: number;
    from: Float64Array;
    to: Float64Array;
    kind: Float64Array;
    at: Float64Array;
    until: Float64Array;
    out: Groups; // by block
    in: Groups;
}

export interface Events {
    n: number;
    t: Float64Array;
    kind: Float64Array;
    block: Float64Array;
    a: Float64Array;
    b: Float64Array;
    c: Float64Array;
    ofBlock: Groups;
    ofKind: Groups;
}

export interface Model {
    meta: Meta;
    end: number; // the last moment there is, at least 1
    blocks: Blocks;
    edges: Edges;
    events: Events;
    modes: string[];
    symbols: string[];
    reasons: string[];
    edgeKinds: string[];
    eventKinds: EventKind[];
    callouts: Callout[];
    ends: string[];
    places: string[];
    exceptions: string[];
    guest: Record<string, string[]>;
    views: Record<string, string>;
    totalSamples: number;
    maxSamples: number;
    hotFrom: number; // a block with this many samples is among the hot ones
    byHeat: Uint32Array; // blocks, hottest first
    byMade: Uint32Array; // blocks, in the order in which they were made, and when
    madeTimes: Float64Array;
}

/* Hot: the blocks that together took nine tenths of the samples. */
const HOT_SHARE = 0.9;

function readBlocks(report: Report): Blocks {
    const b = report.blocks;
    const n = b.eip.length;
    return {
        n,
        eip: column(b.eip, n),
        lin: column(b.lin ?? b.eip, n),
        phys: column(b.phys, n),
        mode: column(b.mode, n),
        symbol: column(b.symbol, n),
        offset: column(b.offset, n),
        guestBytes: column(b.guest_bytes, n),
        guestInsns: column(b.guest_insns, n),
        hostBytes: column(b.host_bytes, n),
        hostInsns: column(b.host_insns, n),
        made: column(b.made, n),
        gone: column(b.gone, n, -1),
        whyGone: column(b.why_gone, n),
        samples: column(b.samples, n),
        end: column(b.end, n),
        copyOf: column(b.copy_of, n, -1),
        callouts: column(b.callouts, n),
    };
}

function readEdges(report: Report, nBlocks: number): Edges {
    const e = report.edges;
    const n = e.from.length;
    const from = column(e.from, n, -1);
    const to = column(e.to, n, -1);
    return {
        n,
        from,
        to,
        kind: column(e.kind, n),
        at: column(e.at, n),
        until: column(e.until, n, -1),
        out: groupBy(from, nBlocks),
        in: groupBy(to, nBlocks),
    };
}

function readEvents(report: Report, nBlocks: number): Events {
    const e = report.events;
    const n = e.t.length;
    const kind = column(e.kind, n);
    const block = column(e.block, n, -1);
    return {
        n,
        t: column(e.t, n),
        kind,
        block,
        a: column(e.a, n, -1),
        b: column(e.b, n, -1),
        c: column(e.c, n, -1),
        ofBlock: groupBy(block, nBlocks),
        ofKind: groupBy(kind, report.event_kinds?.length ?? 0),
    };
}

function last(times: Float64Array): number {
    let end = 0;
    for (const t of times) if (t > end) end = t;
    return end;
}

function heat(samples: Float64Array) {
    const byHeat = new Uint32Array(samples.length).map((_, i) => i).sort((x, y) => samples[y] - samples[x] || x - y);
    let total = 0;
    for (const n of samples) total += n;
    let sum = 0;
    let hotFrom = Infinity;
    for (const block of byHeat) {
        if (samples[block] === 0 || sum >= total * HOT_SHARE) break;
        sum += samples[block];
        hotFrom = samples[block];
    }
    return { byHeat, totalSamples: total, maxSamples: byHeat.length ? samples[byHeat[0]] : 0, hotFrom };
}

function births(made: Float64Array) {
    const byMade = new Uint32Array(made.length).map((_, i) => i).sort((x, y) => made[x] - made[y] || x - y);
    return { byMade, madeTimes: Float64Array.from(byMade, (block) => made[block]) };
}

export function buildModel(report: Report): Model {
    const blocks = readBlocks(report);
    const edges = readEdges(report, blocks.n);
    const events = readEvents(report, blocks.n);
    const end = Math.max(
        report.meta.duration || 0,
        last(blocks.made),
        last(blocks.gone),
        last(edges.at),
        last(events.t),
        1,
    );
    return {
        meta: report.meta,
        end,
        blocks,
        edges,
        events,
        modes: report.modes ?? [],
        symbols: report.symbols ?? [""],
        reasons: report.reasons ?? [""],
        edgeKinds: report.edge_kinds ?? [],
        eventKinds: report.event_kinds ?? [],
        callouts: report.callouts ?? [],
        ends: report.ends ?? [""],
        places: report.places ?? [],
        exceptions: report.exceptions ?? [],
        guest: report.guest ?? {},
        views: report.views ?? {},
        ...heat(blocks.samples),
        ...births(blocks.made),
    };
}

/* The block is in the cache at time t. */
export function lives(m: Model, block: number, t: number): boolean {
    const b = m.blocks;
    return b.made[block] <= t && (b.gone[block] < 0 || b.gone[block] > t);
}

export function edgeLives(m: Model, edge: number, t: number): boolean {
    const e = m.edges;
    return e.at[edge] >= 0 && e.at[edge] <= t && (e.until[edge] < 0 || e.until[edge] > t);
}

/* Found at run time rather than patched in: drawn dashed. */
export function isLookup(m: Model, edge: number): boolean {
    const kind = m.edgeKinds[m.edges.kind[edge]];
    return kind === "looked up" || kind === "return";
}

export function eventKind(m: Model, name: string): number {
    return m.eventKinds.findIndex((kind) => kind.name === name);
}

/* The events of a kind, as rows of m.events, by time; none if the recording has no such kind. */
export function eventsNamed(m: Model, name: string): Uint32Array {
    const kind = eventKind(m, name);
    return kind < 0 ? new Uint32Array(0) : group(m.events.ofKind, kind);
}

/* Times at which something of this name happened, sorted.  Blocks and edges are the better source where they tell:
 * of the events, some may have been lost to the recording's bound. */
export function timesOf(m: Model, name: string): Float64Array {
    if (name === "made") return sortedTimes(m.blocks.made);
    const rows = eventsNamed(m, name);
    return Float64Array.from(rows, (row) => m.events.t[row]);
}
