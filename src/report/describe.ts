/* Events and states in words, with what their numbers mean; the recording says how to read them (event_kinds). */
import { button, make, type Child } from "./dom";
import { blockName, count, hex, time } from "./format";
import { lives, type Model } from "./model";
import type { State } from "./state";

export function exceptionName(m: Model, vector: number): string {
    return m.exceptions[vector] || `vector ${hex(vector, 2)}`;
}

export function blockLink(m: Model, state: State, block: number): HTMLElement {
    return button(blockName(m, block), () => state.setBlock(block), { class: "link mono" });
}

type Reader = (m: Model, n: number, state: State, kind: string) => Child;

const plain =
    (label: string): Reader =>
    (_m, n) =>
        `${label} ${count(n)}`;
const atAddress =
    (label: string): Reader =>
    (_m, n) =>
        `${label} ${hex(n)}`;
const theBlock =
    (label: string): Reader =>
    (m, n, state) =>
        n < m.blocks.n ? make("span", {}, `${label} `, blockLink(m, state, n)) : undefined;

/* How the numbers of events are read, by the label that the recording gives them; the first that fits. */
const READERS: [RegExp, Reader][] = [
    [/^callout/, (m, n) => m.callouts[n]?.name ?? String(n)],
    [/^place/, (m, n) => m.places[n] ?? String(n)],
    [/^vector/, (m, n, _state, kind) => (kind === "exception" ? exceptionName(m, n) : `vector 0x${hex(n, 2)}`)],
    [/^how/, (_m, n) => (n === 1 ? "copied" : "translated")],
    [/^edge/, () => undefined],
    [/^times/, (_m, n) => (n > 1 ? `${count(n)} times` : undefined)],
    [/^blocks dropped/, plain("blocks dropped:")],
    [/bytes/, plain("host bytes dropped:")],
    [/^to block/, theBlock("to")],
    [/^writing block/, theBlock("by")],
    [/^block copied/, theBlock("from")],
    [/^host offset it/, (_m, n) => `found by host code +${hex(n, 3)}`],
    [/^host offset/, (_m, n) => `at host code +${hex(n, 3)}`],
    [/^physical address/, atAddress("written at")],
    [/writer/i, atAddress("by the instruction at")],
    [/EIP|address/i, atAddress("at")],
];

function value(m: Model, state: State, label: string | undefined, n: number, kind: string): Child {
    if (!label || n < 0) return undefined;
    const [, reader] = READERS.find(([pattern]) => pattern.test(label)) ?? [null, plain(label)];
    return reader(m, n, state, kind);
}

/* What is to say of an event beside its kind and time. */
export function eventDetails(m: Model, state: State, row: number): Child[] {
    const kind = m.eventKinds[m.events.kind[row]];
    if (!kind) return [];
    const { a, b, c } = m.events;
    const parts = [
        value(m, state, kind.a, a[row], kind.name),
        value(m, state, kind.b, b[row], kind.name),
        value(m, state, kind.c, c[row], kind.name),
    ];
    return parts.filter(Boolean).flatMap((part, i) => (i ? [", ", part] : [part]));
}

export function blockState(m: Model, block: number, now: number): { text: string; kind: "live" | "gone" | "unmade" } {
    const { made, gone, whyGone } = m.blocks;
    if (lives(m, block, now)) return { text: "in the cache", kind: "live" };
    if (made[block] > now) return { text: `not made before ${time(made[block])}`, kind: "unmade" };
    const why = m.reasons[whyGone[block]];
    return { text: `gone since ${time(gone[block])}${why ? `: ${why}` : ""}`, kind: "gone" };
}
