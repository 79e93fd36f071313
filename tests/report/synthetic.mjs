/* A recording made up for the tests, of any size and always the same: functions of a few blocks, chained as they come
 * to be used, some overwritten, a few very hot.  embed() puts a recording into the page as calque report does. */
import { deflateSync } from "node:zlib";

const MADE = 0,
    CHAINED = 1,
    UNCHAINED = 2,
    LOOKED_UP = 3,
    INVALIDATED = 4,
    FLUSHED = 5,
    CALLOUT = 6,
    EXCEPTION = 7,
    INTERRUPT = 8;
const NOT_TAKEN = 2,
    TAKEN = 1,
    CALL = 3,
    LOOKUP = 5,
    RETURN = 6;

/* Marsaglia's xorshift: the same numbers everywhere. */
function random(seed) {
    let x = seed;
    return () => {
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
        return (x >>> 0) / 2 ** 32;
    };
}

const hex = (n, digits = 8) => n.toString(16).padStart(digits, "0");
const column = (text, width) => text.padEnd(width);

/* A block of three instructions in the form of exec/dump.c. */
function view(eip, name, phys) {
    const host = (tag, offset, bytes, text, purpose) =>
        column(`  ${tag}  +${hex(offset, 3)}`, 18) +
        column(bytes, 26) +
        (purpose ? `${column(text, 44)}; ${purpose}` : text);
    const guest = (at, bytes, text) => column(`guest   ${hex(at)}`, 18) + column(bytes, 26) + text;
    const ir = (tag, text) => column(tag, 44) + text;
    return [
        `----    block ${hex(eip)} <${name}> (linear ${hex(eip)}, physical ${hex(phys, 9)}), mode 0001f9c`,
        host(
            "host",
            0,
            "81bda04a030000010000",
            "cmp dword ptr [rbp + 0x34aa0], 0x100",
            "page check: CPUState.mmu.itlb",
        ),
        host("host", 0xa, "0f8540000000", "jne +050", "page check"),
        guest(eip, "8b4304", "mov eax, dword ptr [ebx + 4]"),
        ir("op=opt", "ld.4      eax, ds:[ebx+0x4]"),
        host("host", 0x10, "448d4304", "lea r8d, [rbx + 4]", "address"),
        host("host", 0x14, "c4437bf0c808", "rorx r9d, r8d, 8", "TLB check"),
        host(
            "host",
            0x1a,
            "463b9c0da0060100",
            "cmp r11d, dword ptr [rbp + r9 + 0x106a0]",
            "TLB check: CPUState.mmu.tlb",
        ),
        host("host", 0x22, "0f8560000000", "jne +088", "TLB check"),
        host("host", 0x28, "438b0408", "mov eax, dword ptr [r8 + r9]"),
        host("cold", 0x88, `c74520${hex(eip)}`, `mov dword ptr [rbp + 0x20], 0x${hex(eip)}`, "slow load: CPUState.eip"),
        host("cold", 0x8f, "e883ecffff", "call load", "slow load"),
        guest(eip + 3, "83c001", "add eax, 1"),
        ir("op", "add.4     eax, 0x1  [ wr CPAZSO live CPAZSO ]"),
        ir("", "  flags: CPAZSO dead: next written by test at " + hex(eip + 6)),
        ir("op_opt", "add.4     eax, 0x1  [ wr CPAZSO ]"),
        host("host", 0x2c, "83c001", "add eax, 1"),
        guest(eip + 6, "85c0", "test eax, eax"),
        ir("op", "test.4    eax, eax  [ wr CPAZSO live CPAZSO ]"),
        ir("op_opt", "test.4    eax, eax  [ wr CPAZSO live Z ]"),
        host("host", 0x2f, "85c0", "test eax, eax"),
        guest(eip + 8, "75f6", `jne 0x${hex(eip)}`),
        ir("op=opt", `jcc.ne.4  ${hex(eip)} else ${hex(eip + 10)}  [ rd Z ]`),
        host("host", 0x31, "0f8448000000", "je +07f", "chain slot"),
        host("host", 0x37, "837d2400", "cmp dword ptr [rbp + 0x24], 0", "interrupt poll: CPUState.exit_request"),
        host("cold", 0x7f, "e985ecffff", "jmp leave_by_slot", "chain slot, unlinked"),
        "total   guest 10 bytes, 4 instructions; host 70 bytes, 13 instructions, 3.3 for each of the guest's; out of line 34 bytes, 3 instructions",
        "        4 TLB check, 4 for the instructions themselves, 2 page check, 1 chain slot",
    ].join("\n");
}

const CALLOUTS = [
    { name: "in", kind: "input and output" },
    { name: "out", kind: "input and output" },
    { name: "rdtsc", kind: "control, debug and model-specific registers" },
    { name: "mov_to_cr3", kind: "control, debug and model-specific registers" },
    { name: "iret", kind: "interrupts and tasks" },
    { name: "cpuid", kind: "control, debug and model-specific registers" },
];

const MODES = ["16-bit real mode", "32-bit, CPL 0, flat", "32-bit, CPL 3, flat"];

export function empty() {
    return {
        format: "calque-report",
        version: 1,
        meta: {
            calque: "0.1",
            backend: "x86_64",
            command: "calque -S",
            date: "2026-01-01T00:00:00Z",
            duration: 0,
            complete: true,
            recorded: 0,
            dropped: 0,
        },
        modes: [],
        symbols: [""],
        blocks: {
            eip: [],
            phys: [],
            mode: [],
            symbol: [],
            offset: [],
            guest_bytes: [],
            guest_insns: [],
            host_bytes: [],
            made: [],
            gone: [],
            why_gone: [],
            samples: [],
        },
        reasons: [""],
        edges: { from: [], to: [], kind: [], at: [], until: [] },
        edge_kinds: ["next", "taken", "not taken", "call", "back from the call", "looked up", "return"],
        events: { t: [], kind: [], block: [], a: [], b: [], c: [] },
        event_kinds: [
            { name: "made", a: "how: 0 translated, 1 copied", b: "block copied from or -1", c: "" },
            { name: "chained", a: "to block", b: "edge index", c: "" },
            { name: "unchained", a: "to block", b: "edge index", c: "" },
            { name: "looked up", a: "to block", b: "edge index", c: "" },
            {
                name: "invalidated",
                a: "physical address written (-1: no write)",
                b: "writing block (-1: a device, or not known)",
                c: "guest EIP of the writer (-1)",
            },
            { name: "flushed", a: "blocks dropped", b: "host bytes dropped", c: "" },
            { name: "callout", a: "index in callouts", b: "times since the last look", c: "" },
            {
                name: "exception",
                a: "vector",
                b: "guest EIP found",
                c: "host offset in the block that it was found by (-1: no host code: fetch or delivery)",
            },
            { name: "interrupt", a: "vector", b: "guest EIP interrupted", c: "" },
        ],
        callouts: [],
        views: {},
    };
}

/* nBlocks blocks over so many seconds, and about nEvents events. */
export function synthetic(nBlocks, nEvents, seconds = 12) {
    const rnd = random(12345);
    const upTo = (n) => Math.floor(rnd() * n);
    const end = seconds * 1e6;
    const report = empty();
    const { blocks, edges } = report;
    report.meta = {
        ...report.meta,
        command:
            'calque -m 512 -nographic -kernel linux -initrd initrd.gz -append "console=ttyS0 quiet" -trace-jit boot.trace',
        duration: end,
        sample_interval: 1000,
    };
    report.modes = MODES;
    report.reasons = ["", "write to its code", "cache flushed"];
    report.exceptions = Array.from({ length: 32 }, (_, v) =>
        v === 14 ? "#PF page fault" : v === 6 ? "#UD invalid opcode" : v === 13 ? "#GP general protection" : "",
    );
    report.callouts = CALLOUTS.map((callout) => ({ ...callout, count: 0 }));
    report.blocks.callouts = [];
    const events = [];
    const happen = (t, kind, block, a = -1, b = -1, c = -1) => events.push([Math.round(t), kind, block, a, b, c]);
    const join = (from, to, kind, at) => {
        const until = blocks.gone[from] >= 0 ? blocks.gone[from] : blocks.gone[to] >= 0 ? blocks.gone[to] : -1;
        if (until >= 0 && until <= at) return;
        edges.from.push(from);
        edges.to.push(to);
        edges.kind.push(kind);
        edges.at.push(Math.round(at));
        edges.until.push(kind >= LOOKUP ? -1 : until);
        happen(at, kind >= LOOKUP ? LOOKED_UP : CHAINED, from, to, edges.from.length - 1);
        if (until >= 0 && kind < LOOKUP) happen(until, UNCHAINED, from, to, edges.from.length - 1);
    };
    for (let first = 0, fn = 0; first < nBlocks; fn++) {
        const size = Math.min(nBlocks - first, 2 + upTo(14));
        const unnamed = fn % 9 === 8;
        const entry = 0xc1000000 + first * 0x30;
        if (!unnamed)
            report.symbols.push(
                ["do_", "sys_", "vfs_", "__", "kmem_", "tick_"][fn % 6] +
                    ["read", "alloc", "walk", "copy", "lookup", "timer", "page"][fn % 7] +
                    (fn > 40 ? `_${fn}` : ""),
            );
        const born = end * ((first / nBlocks) ** 1.4 * 0.9 + 0.02 * rnd());
        const hot = rnd() < 0.03 || fn === 3;
        for (let i = 0; i < size; i++) {
            const block = first + i;
            const eip = entry + i * 0x20;
            const made = Math.round(born + i * 40 + upTo(2000));
            const dies = rnd() < 0.06;
            blocks.eip.push(eip);
            blocks.phys.push(eip - 0xc0000000);
            blocks.mode.push(fn < 4 ? 0 : fn % 5 === 0 ? 2 : 1);
            blocks.symbol.push(unnamed ? 0 : report.symbols.length - 1);
            blocks.offset.push(i * 0x20);
            blocks.guest_bytes.push(6 + upTo(26));
            blocks.guest_insns.push(2 + upTo(8));
            blocks.host_bytes.push(60 + upTo(300));
            blocks.made.push(made);
            blocks.gone.push(dies ? Math.min(end, Math.round(made + 1000 + rnd() * (end - made))) : -1);
            blocks.why_gone.push(dies ? 1 : 0);
            blocks.samples.push(hot ? upTo(900) : rnd() < 0.25 ? upTo(6) : 0);
            blocks.callouts.push(0);
            happen(made, MADE, block, 0);
            if (dies)
                happen(
                    blocks.gone[block],
                    INVALIDATED,
                    block,
                    blocks.phys[block] + upTo(8),
                    rnd() < 0.7 ? upTo(block + 1) : -1,
                    rnd() < 0.5 ? 0xc1000000 + upTo(1 << 20) : -1,
                );
        }
        for (let i = 0; i < size; i++) {
            const at = Math.max(blocks.made[first + i], blocks.made[first + Math.min(i + 1, size - 1)]) + 5 + upTo(300);
            if (i + 1 < size) join(first + i, first + i + 1, NOT_TAKEN, at);
            if (i > 1 && rnd() < 0.35) join(first + i, first + upTo(i), TAKEN, at + 50);
            else if (i + 2 < size && rnd() < 0.3)
                join(first + i, first + i + 2, TAKEN, Math.max(at, blocks.made[first + i + 2]) + 60);
            if (rnd() < 0.08) join(first + i, first + i, TAKEN, at + 70);
            if (rnd() < 0.16 && first > 0) join(first + i, upTo(first), rnd() < 0.6 ? CALL : LOOKUP, at + 90);
        }
        if (first > 20) join(first + size - 1, upTo(first), RETURN, born + 3000);
        first += size;
    }
    happen(end * 0.62, FLUSHED, -1, 1234, 345678);
    while (events.length < nEvents) {
        const block = upTo(nBlocks);
        const t = blocks.made[block] + rnd() * (end - blocks.made[block]);
        const dice = rnd();
        if (dice < 0.6) {
            const which = Math.floor(CALLOUTS.length * rnd() ** 2);
            report.callouts[which].count++;
            report.blocks.callouts[block]++;
            happen(t, CALLOUT, block, which, 1);
        } else if (dice < 0.9)
            happen(t, EXCEPTION, block, rnd() < 0.9 ? 14 : 6 + 7 * upTo(2), blocks.eip[block], upTo(100));
        else happen(t, INTERRUPT, block, 0x30 + upTo(4), blocks.eip[block]);
    }
    events.sort((x, y) => x[0] - y[0]);
    ["t", "kind", "block", "a", "b", "c"].forEach((name, i) => (report.events[name] = events.map((event) => event[i])));
    report.meta.recorded = events.length;
    const byHeat = blocks.samples
        .map((_, block) => block)
        .sort((x, y) => blocks.samples[y] - blocks.samples[x] || x - y);
    for (const block of byHeat.slice(0, 300))
        report.views[block] = view(blocks.eip[block], report.symbols[blocks.symbol[block]], blocks.phys[block]);
    return report;
}

export const MARK = "<!--calque-data-->";

export function embed(page, report) {
    const data = deflateSync(JSON.stringify(report)).toString("base64");
    return page.split(MARK).join(`<script id="data" type="application/octet-stream;base64">${data}</script>`);
}

export function embedPlain(page, json) {
    return page.split(MARK).join(`<script id="data" type="application/json">${json.replace(/</g, "\\u003c")}</script>`);
}
