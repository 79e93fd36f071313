/* The search line.  Words are and-ed; each is one of
 *     hot gone live smc           states of a block ("live" at the moment that the time line shows)
 *     mode:WORD  insn:MNEMONIC    what it says
 *     c1000000..c1000fff          blocks that begin in this range
 *     anything else               part of an address, a symbol or a mode, or a guest mnemonic */
import { hex } from "./format";
import { lives, type Model } from "./model";
import { guestCode } from "./view_text";

type Test = (block: number) => boolean;

/* Guest mnemonics by block, of those blocks whose code is in the recording; made at the first search that asks. */
const mnemonicsOf = new WeakMap<Model, Map<number, Set<string>>>();

function mnemonics(m: Model): Map<number, Set<string>> {
    let found = mnemonicsOf.get(m);
    if (found) return found;
    found = new Map();
    for (const block of new Set([...Object.keys(m.views), ...Object.keys(m.guest)]).values()) {
        const words = guestCode(m, Number(block)).flatMap((line) =>
            line.toLowerCase().split(" ", line.startsWith("rep") ? 2 : 1),
        );
        found.set(Number(block), new Set(words));
    }
    mnemonicsOf.set(m, found);
    return found;
}

const withWord = (texts: string[], word: string): boolean[] => texts.map((text) => text.toLowerCase().includes(word));

function states(m: Model, now: number): Record<string, Test> {
    const overwritten = withWord(m.reasons, "write");
    return {
        hot: (b) => m.blocks.samples[b] > 0 && m.blocks.samples[b] >= m.hotFrom,
        gone: (b) => m.blocks.gone[b] >= 0 && m.blocks.gone[b] <= now,
        live: (b) => lives(m, b, now),
        smc: (b) => m.blocks.gone[b] >= 0 && overwritten[m.blocks.whyGone[b]],
    };
}

function range(m: Model, word: string): Test | undefined {
    const match = /^(?:0x)?([0-9a-f]{1,8})(?:\.\.|-)(?:0x)?([0-9a-f]{1,8})$/.exec(word);
    if (!match) return undefined;
    const first = parseInt(match[1], 16);
    const last = parseInt(match[2], 16);
    return (b) => m.blocks.eip[b] >= first && m.blocks.eip[b] <= last;
}

function anything(m: Model, word: string): Test {
    const bare = word.replace(/^0x/, "");
    const maybeAddress = /^[0-9a-f]{1,8}$/.test(bare);
    const inSymbol = withWord(m.symbols, word);
    const inMode = withWord(m.modes, word);
    const code = mnemonics(m);
    return (b) =>
        inSymbol[m.blocks.symbol[b]] ||
        inMode[m.blocks.mode[b]] ||
        (maybeAddress && hex(m.blocks.eip[b]).includes(bare)) ||
        (code.get(b)?.has(word) ?? false);
}

function testFor(m: Model, word: string, now: number): Test {
    const state = states(m, now)[word];
    if (state) return state;
    const [, key, value] = /^(mode|insn):(.+)$/.exec(word) ?? [];
    if (key === "mode") {
        const inMode = withWord(m.modes, value);
        return (b) => inMode[m.blocks.mode[b]];
    }
    if (key === "insn") {
        const code = mnemonics(m);
        return (b) => code.get(b)?.has(value) ?? false;
    }
    return range(m, word) ?? anything(m, word);
}

export function words(query: string): string[] {
    return query.toLowerCase().split(/\s+/).filter(Boolean);
}

/* The blocks of `order` that answer, in that order; now: the moment looked at. */
export function search(m: Model, query: string, now: number, order: Uint32Array): Uint32Array {
    const tests = words(query).map((word) => testFor(m, word, now));
    if (tests.length === 0) return order;
    return order.filter((block) => tests.every((test) => test(block)));
}

/* Whether the answer changes with the moment looked at. */
export const dependsOnTime = (query: string): boolean =>
    words(query).some((word) => word === "live" || word === "gone");
