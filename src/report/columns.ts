/* Small tools on columns of numbers: all that makes 100,000 blocks and a million events quick to ask. */

export type Numbers = Float64Array | Uint32Array | Int32Array;

/* A column as it came, n long; missing entries are `otherwise`. */
export function column(values: number[] | undefined, n: number, otherwise = 0): Float64Array {
    const out = new Float64Array(n);
    if (otherwise !== 0) out.fill(otherwise);
    if (values) for (let i = 0; i < n && i < values.length; i++) out[i] = values[i];
    return out;
}

/* How many of the sorted values are <= limit. */
export function countUpTo(sorted: Numbers, limit: number): number {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
        const middle = (low + high) >>> 1;
        if (sorted[middle] <= limit) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Row numbers grouped by a key: those of key k are rows[start[k]] .. rows[start[k + 1] - 1], in their own order. */
export interface Groups {
    start: Uint32Array;
    rows: Uint32Array;
}

export function groupBy(keys: Numbers, nKeys: number): Groups {
    const start = new Uint32Array(nKeys + 1);
    const valid = (k: number) => k >= 0 && k < nKeys;
    for (let i = 0; i < keys.length; i++) if (valid(keys[i])) start[keys[i] + 1]++;
    for (let k = 0; k < nKeys; k++) start[k + 1] += start[k];
    const rows = new Uint32Array(start[nKeys]);
    const next = start.slice(0, nKeys);
    for (let i = 0; i < keys.length; i++) if (valid(keys[i])) rows[next[keys[i]]++] = i;
    return { start, rows };
}

export function group(groups: Groups, key: number): Uint32Array {
    return groups.rows.subarray(groups.start[key], groups.start[key + 1]);
}

/* The values that happened, sorted: times of -1 are left out. */
export function sortedTimes(values: Float64Array): Float64Array {
    return values.filter((v) => v >= 0).sort();
}
