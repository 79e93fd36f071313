/* Which blocks the graph shows: never all of them, but those around the chosen one, those of a function, or the hottest,
 * and what the user has asked to see beside them. */
import { countUpTo, group } from "./columns";
import type { Model } from "./model";

export type Scope = "around" | "function" | "hottest" | "newest";

export const MAX_BLOCKS = 120;
const AROUND = 16;
const FUNCTION = 60;
const HOTTEST = 36;
const NEWEST = 18;
const A_STEP = 5; // neighbours of one block at once: a dispatcher may have hundreds

/* Blocks one edge away, each once: the hottest first. */
export function neighbours(m: Model, block: number): number[] {
    const found = new Set<number>();
    for (const edge of group(m.edges.out, block)) found.add(m.edges.to[edge]);
    for (const edge of group(m.edges.in, block)) found.add(m.edges.from[edge]);
    found.delete(block);
    return [...found]
        .filter((b) => b >= 0 && b < m.blocks.n)
        .sort((x, y) => m.blocks.samples[y] - m.blocks.samples[x] || x - y);
}

export function around(m: Model, block: number): number[] {
    const chosen = new Set([block]);
    for (const from of chosen) {
        // a Set is iterated in order of insertion: breadth first
        for (const next of neighbours(m, from).slice(0, A_STEP)) {
            if (chosen.size >= AROUND) return [...chosen];
            chosen.add(next);
        }
    }
    return [...chosen];
}

/* Without a symbol: what hangs together by jumps that stay inside a function. */
function flow(m: Model, block: number): number[] {
    const inside = ["next", "taken", "not taken", "back from the call"].map((kind) => m.edgeKinds.indexOf(kind));
    const chosen = new Set([block]);
    const add = (edges: Uint32Array, other: Float64Array) => {
        for (const edge of edges)
            if (chosen.size < FUNCTION && inside.includes(m.edges.kind[edge])) chosen.add(other[edge]);
    };
    for (const from of chosen) {
        add(group(m.edges.out, from), m.edges.to);
        add(group(m.edges.in, from), m.edges.from);
    }
    return [...chosen];
}

function ofFunction(m: Model, block: number): number[] {
    const symbol = m.blocks.symbol[block];
    if (!m.symbols[symbol]) return flow(m, block);
    const all: number[] = [];
    for (let b = 0; b < m.blocks.n; b++) if (m.blocks.symbol[b] === symbol) all.push(b);
    all.sort((x, y) => m.blocks.samples[y] - m.blocks.samples[x] || m.blocks.eip[x] - m.blocks.eip[y]);
    const chosen = all.slice(0, FUNCTION);
    return chosen.includes(block) ? chosen : [block, ...chosen.slice(1)];
}

const hottest = (m: Model): number[] => [...m.byHeat.subarray(0, HOTTEST)];

/* The last ones made before this moment, in the order in which they were. */
function newest(m: Model, time: number): number[] {
    const upTo = countUpTo(m.madeTimes, time);
    return [...m.byMade.subarray(Math.max(0, upTo - NEWEST), upTo)];
}

export function choose(m: Model, scope: Scope, block: number, time: number): number[] {
    if (scope === "newest") return newest(m, time);
    if (scope === "hottest" || block < 0) return hottest(m);
    return scope === "function" ? ofFunction(m, block) : around(m, block);
}

/* The edges among these blocks.  A chain that was made again is a new edge in the recording, and one line here: rows
 * of m.edges from one block to another of one kind. */
export function edgesAmong(m: Model, blocks: Iterable<number>): number[][] {
    const inside = new Set(blocks);
    const seen = new Map<string, number[]>();
    for (const block of inside) {
        for (const edge of group(m.edges.out, block)) {
            const to = m.edges.to[edge];
            const key = `${block} ${to} ${m.edges.kind[edge]}`;
            if (!inside.has(to)) continue;
            const rows = seen.get(key);
            if (rows) rows.push(edge);
            else seen.set(key, [edge]);
        }
    }
    return [...seen.values()];
}
