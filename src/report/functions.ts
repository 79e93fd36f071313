/* Blocks summed up by function; those without a symbol by the page they are in. */
import { hex } from "./format";
import type { Model } from "./model";

export interface FunctionRow {
    name: string;
    known: boolean;
    blocks: number[];
    samples: number;
    guestBytes: number;
    hostBytes: number;
}

const PAGE = 4096;

export function functionOf(m: Model, block: number): string {
    return m.symbols[m.blocks.symbol[block]] || `page ${hex(Math.floor(m.blocks.eip[block] / PAGE) * PAGE)}`;
}

export function functions(m: Model): FunctionRow[] {
    const rows = new Map<string, FunctionRow>();
    for (let block = 0; block < m.blocks.n; block++) {
        const name = functionOf(m, block);
        let row = rows.get(name);
        if (!row) {
            row = {
                name,
                known: Boolean(m.symbols[m.blocks.symbol[block]]),
                blocks: [],
                samples: 0,
                guestBytes: 0,
                hostBytes: 0,
            };
            rows.set(name, row);
        }
        row.blocks.push(block);
        row.samples += m.blocks.samples[block];
        row.guestBytes += m.blocks.guestBytes[block];
        row.hostBytes += m.blocks.hostBytes[block];
    }
    return [...rows.values()].sort(
        (x, y) => y.samples - x.samples || y.blocks.length - x.blocks.length || (x.name < y.name ? -1 : 1),
    );
}
