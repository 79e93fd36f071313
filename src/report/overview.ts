/* The recording in numbers, with a word on each. */
import { byId, fill, make, type Child } from "./dom";
import { bytes, count, percent, plural, time } from "./format";
import { term } from "./glossary";
import { eventsNamed, isLookup, timesOf, type Model } from "./model";

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

function figure(value: string, name: Child, ...words: Child[]): HTMLElement {
    return make(
        "div",
        { class: "figure" },
        make("dt", {}, make("span", { class: "value" }, value), " ", name),
        make("dd", {}, ...words),
    );
}

function edgeCounts(m: Model): { chains: number; lookups: number } {
    let lookups = 0;
    for (let edge = 0; edge < m.edges.n; edge++) if (isLookup(m, edge)) lookups++;
    return { chains: m.edges.n - lookups, lookups };
}

function hotBlocks(m: Model): number {
    let n = 0;
    while (n < m.blocks.n && m.blocks.samples[m.byHeat[n]] >= m.hotFrom) n++;
    return n;
}

function figures(m: Model): HTMLElement[] {
    const { blocks } = m;
    const guest = sum(blocks.guestBytes);
    const host = sum(blocks.hostBytes);
    const instructions = sum(blocks.guestInsns);
    const { chains, lookups } = edgeCounts(m);
    const written = eventsNamed(m, "invalidated").length;
    const flushes = timesOf(m, "flushed").length;
    const copies = blocks.copyOf.reduce((n, from) => n + (from >= 0 ? 1 : 0), 0);
    const hot = hotBlocks(m);
    const calls = m.callouts.reduce((n, callout) => n + callout.count, 0);
    return [
        figure(
            count(blocks.n),
            term("translation block", "blocks made"),
            blocks.n
                ? `of ${(instructions / blocks.n).toFixed(1)} guest instructions on average.`
                : "Nothing was translated.",
            copies ? ` ${count(copies)} are copies of the same code at another address.` : "",
        ),
        figure(
            bytes(host),
            term("host", "host code"),
            `from ${bytes(guest)} of guest code: ${guest ? (host / guest).toFixed(1) : 0} bytes for each. The rest is checks of memory accesses, and what is kept `,
            term("out of line"),
            " for what seldom happens.",
        ),
        figure(
            count(chains),
            term("chain", "chains patched"),
            "Where a block's next one is known, it jumps straight there, and the translator is not asked again.",
        ),
        figure(
            count(lookups),
            term("lookup", "lookup edges"),
            "From indirect jumps, calls and returns to where they were seen to go. They stay lookups: the next time it may be elsewhere.",
        ),
        figure(
            count(hot),
            term("hot", "hot blocks"),
            m.totalSamples
                ? `${percent(hot, blocks.n)} of the blocks took nine tenths of the ${plural(m.totalSamples, "sample")}. This is why translating once and keeping it pays.`
                : "No samples were taken.",
        ),
        figure(
            count(written),
            term("invalidated", "blocks invalidated"),
            "by writes to the code they were made from: ",
            term("self-modifying code"),
            ", programs loaded, memory used anew.",
        ),
        figure(
            count(flushes),
            term("flush", "flushes"),
            flushes ? "of the whole cache; the lines across the time line." : "The cache never had to be emptied.",
        ),
        figure(
            count(calls),
            term("callout", "callouts"),
            "to C functions, for what translated code does not do itself.",
        ),
        figure(
            count(timesOf(m, "exception").length),
            term("exception", "exceptions"),
            "were raised by instructions in blocks; a side table gives the exact guest instruction for a position in host code.",
        ),
    ];
}

function warnings(m: Model): Child[] {
    const { meta } = m;
    const notes: string[] = [];
    if (meta.complete === false) notes.push("The recording was cut off: what came after is not in it.");
    if (meta.dropped)
        notes.push(
            `${plural(meta.dropped, "event")} did not fit in the recording${meta.first_drop && meta.first_drop >= 0 ? `, from ${time(meta.first_drop)} on (the line below the lanes)` : ""}: the counts above are of what was kept.`,
        );
    if (meta.passes_off?.length) notes.push(`Passes switched off: ${meta.passes_off.join(", ")}.`);
    if (meta.chaining === false) notes.push("Chaining was switched off: each block ends in the execution loop.");
    return notes.map((text) => make("p", { class: "warning" }, text));
}

export function fillOverview(m: Model): void {
    const { meta } = m;
    const intro = make(
        "p",
        { class: "intro" },
        `Calque ran a guest for ${time(meta.duration || m.end)}. It translated the guest's machine code `,
        term("translation block", "block by block"),
        " into the host's, kept the blocks in a ",
        term("code cache", "cache"),
        " and tied them together. The time line shows it happening; the graph shows the blocks as they were at the moment chosen there.",
    );
    const about = [
        meta.date,
        meta.backend && `backend ${meta.backend}`,
        meta.calque && `Calque ${meta.calque}`,
        meta.sample_interval ? `a sample each ${time(meta.sample_interval)}` : "",
    ]
        .filter(Boolean)
        .join(", ");
    fill(
        byId("pane-overview"),
        make(
            "div",
            { class: "scroll", tabindex: 0, role: "region", "aria-label": "The recording in numbers" },
            intro,
            make("dl", { class: "figures" }, ...figures(m)),
            ...warnings(m),
            make("p", { class: "note" }, about),
            meta.command && make("pre", { class: "command" }, meta.command),
        ),
    );
}
