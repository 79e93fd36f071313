/* What calque report --json prints and the page is given: columns, one entry a block, an edge or an event, so that
 * 100,000 blocks and a million events load in a moment.  Times are microseconds since the run began; -1 is "never".
 * Columns marked with "?" may be missing in a recording; the page then reads zeros. */

export type Column = number[];

export interface Meta {
    calque?: string;
    backend?: string;
    command?: string;
    date?: string;
    duration: number;
    recorded?: number;
    dropped?: number;
    sample_interval?: number;
    complete?: boolean; // false: the recording was cut off
    dropped_kinds?: Record<string, number>;
    first_drop?: number;
    passes_off?: string[];
    chaining?: boolean;
}

export interface BlockColumns {
    eip: Column;
    lin?: Column;
    phys?: Column;
    mode?: Column;
    symbol?: Column;
    offset?: Column;
    guest_bytes?: Column;
    guest_insns?: Column;
    host_bytes?: Column;
    host_insns?: Column;
    made: Column;
    gone?: Column;
    why_gone?: Column;
    samples?: Column;
    end?: Column; // how it ends: index in ends
    copy_of?: Column; // of a block with the same code at another EIP
    callouts?: Column;
}

export interface EdgeColumns {
    from: Column;
    to: Column;
    kind: Column;
    at: Column;
    until?: Column;
}

export interface EventColumns {
    t: Column;
    kind: Column;
    block: Column;
    a?: Column;
    b?: Column;
    c?: Column;
}

export interface EventKind {
    name: string;
    a?: string;
    b?: string;
    c?: string;
}

export interface Callout {
    name: string;
    count: number;
    kind?: string;
}

export interface Report {
    format: "calque-report";
    version: number;
    meta: Meta;
    modes?: string[];
    symbols?: string[];
    blocks: BlockColumns;
    reasons?: string[];
    edges: EdgeColumns;
    edge_kinds?: string[];
    events: EventColumns;
    event_kinds?: EventKind[];
    callouts?: Callout[];
    ends?: string[];
    places?: string[]; // where a sample found the machine
    exceptions?: string[]; // by vector
    guest?: Record<string, string[]>; // disassembly, of more blocks than have views
    views?: Record<string, string>;
}
