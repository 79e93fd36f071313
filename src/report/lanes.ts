/* What the time line shows: a lane for what is in the cache, and one for each kind of event. */
import { countUpTo, sortedTimes } from "./columns";
import { timesOf, type Model } from "./model";

export interface Lane {
    name: string; // as in the recording
    label: string;
    term: string; // in the glossary
    colour: string; // a variable of the style sheet
    times: Float64Array; // sorted
    ends?: Float64Array; // sorted: the lane shows how many have begun and not ended
}

function isChain(m: Model, edge: number): boolean {
    const kind = m.edgeKinds[m.edges.kind[edge]];
    return kind !== "looked up" && kind !== "return";
}

export function buildLanes(m: Model): Lane[] {
    const chains = m.edges.at.filter((_, edge) => isChain(m, edge));
    const lookups = m.edges.at.filter((_, edge) => !isChain(m, edge));
    const lanes: Lane[] = [
        {
            name: "blocks",
            label: "Blocks in the cache",
            term: "code cache",
            colour: "--lane-blocks",
            times: sortedTimes(m.blocks.made),
            ends: sortedTimes(m.blocks.gone),
        },
        { name: "made", label: "Made", term: "translation block", colour: "--lane-made", times: timesOf(m, "made") },
        { name: "chained", label: "Chained", term: "chain", colour: "--lane-chained", times: sortedTimes(chains) },
        { name: "looked up", label: "Looked up", term: "lookup", colour: "--lane-lookup", times: sortedTimes(lookups) },
        {
            name: "invalidated",
            label: "Invalidated",
            term: "invalidated",
            colour: "--lane-invalidated",
            times: timesOf(m, "invalidated"),
        },
        { name: "callout", label: "Callouts", term: "callout", colour: "--lane-callout", times: timesOf(m, "callout") },
        {
            name: "exception",
            label: "Exceptions",
            term: "exception",
            colour: "--lane-exception",
            times: timesOf(m, "exception"),
        },
        {
            name: "interrupt",
            label: "Interrupts",
            term: "interrupt",
            colour: "--lane-interrupt",
            times: timesOf(m, "interrupt"),
        },
    ];
    return lanes;
}

/* What the lane says about the moment t: how many there are, or have been. */
export function valueAt(lane: Lane, t: number): number {
    return countUpTo(lane.times, t) - (lane.ends ? countUpTo(lane.ends, t) : 0);
}

/* One value for each of n equal parts of [from, to): the events in it, or how many there are at its end. */
export function sampleLane(lane: Lane, from: number, to: number, n: number): Float32Array {
    const values = new Float32Array(n);
    let before = countUpTo(lane.times, from);
    for (let i = 0; i < n; i++) {
        const t = from + ((to - from) * (i + 1)) / n;
        if (lane.ends) {
            values[i] = valueAt(lane, t);
            continue;
        }
        const upTo = countUpTo(lane.times, t);
        values[i] = upTo - before;
        before = upTo;
    }
    return values;
}
