/* What stands in a block of the graph. */
import { count, address, place, plural } from "./format";
import type { Model } from "./model";
import { guestCode } from "./view_text";
import { LINE_HEIGHT, NODE_FONT, PADDING } from "./graph_style";

const MAX_LINES = 9;
const MAX_COLUMNS = 34;

const cut = (text: string): string => (text.length > MAX_COLUMNS ? `${text.slice(0, MAX_COLUMNS - 1)}…` : text);

function codeLines(m: Model, block: number): string[] {
    const code = guestCode(m, block).map((line) => cut(line.replace(/\b(dword|word|byte|qword) ptr /g, "")));
    if (code.length <= MAX_LINES) return code;
    const half = MAX_LINES - 2; // keep the end: it tells where the block goes
    return [...code.slice(0, half), `… ${code.length - half - 1} more`, code[code.length - 1]];
}

export function nodeText(m: Model, block: number, withCode: boolean): string {
    const b = m.blocks;
    const where = place(m, block);
    const lines = [address(m, block) + (b.samples[block] ? `   ${plural(b.samples[block], "sample")}` : "")];
    if (where) lines.push(cut(where));
    const code = withCode ? codeLines(m, block) : [];
    if (code.length)
        lines.push("─".repeat(Math.max(...lines.map((l) => l.length), ...code.map((l) => l.length))), ...code);
    else lines.push(`${count(b.guestInsns[block])} instr., ${count(b.hostBytes[block])} B of host code`);
    return lines.join("\n");
}

export function nodeSize(text: string, columnWidth: number): { width: number; height: number } {
    const lines = text.split("\n");
    return {
        width: Math.ceil(Math.max(...lines.map((line) => line.length)) * columnWidth) + 2 * PADDING,
        height: Math.ceil(lines.length * NODE_FONT * LINE_HEIGHT) + 2 * PADDING,
    };
}
