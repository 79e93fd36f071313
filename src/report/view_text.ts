/* The text that "-d in_asm,op,op_opt,out_asm" prints for a block, taken apart into rows: a guest instruction, the IR it
 * became, the host instructions that serve it.  Lines of another shape are kept as they are. */
import type { Model } from "./model";

export interface IrLine {
    text: string;
    state: "kept" | "before" | "after" | "note"; // before and after the passes
}

export interface HostLine {
    offset: string;
    bytes: string;
    text: string;
    purpose: string;
    cold: boolean; // out of line
}

export interface ViewRow {
    address: string;
    bytes: string;
    guest: string; // empty: the block's entry, before its first instruction
    ir: IrLine[];
    host: HostLine[];
}

export interface View {
    head: string;
    rows: ViewRow[];
    total: string[];
}

const TEXT_COLUMN = 18; // where the bytes begin (exec/dump.c)

const emptyRow = (): ViewRow => ({ address: "", bytes: "", guest: "", ir: [], host: [] });

function guestRow(line: string): ViewRow {
    const [, address = "", bytes = "", guest = ""] = /^guest\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return { ...emptyRow(), address, bytes, guest: guest || line };
}

function hostLine(line: string): HostLine {
    const [, tag = "", offset = ""] = /^\s*(\S+)\s+(\S+)/.exec(line) ?? [];
    const [, code, purpose = ""] = /^(.*?)(?:\s+; (.*))?$/.exec(line.slice(TEXT_COLUMN)) ?? ["", line];
    const [, bytes = "", text = code.trim()] = /^([0-9a-f]+) +(\S.*)$/.exec(code) ?? [];
    return { offset, bytes, text, purpose, cold: tag === "cold" };
}

const IR_STATE: Record<string, IrLine["state"]> = { op: "before", "op=opt": "kept", op_opt: "after" };

export function parseView(text: string): View {
    const view: View = { head: "", rows: [], total: [] };
    let row = emptyRow();
    let inTotal = false;
    const begin = (next: ViewRow) => {
        row = next;
        view.rows.push(row);
    };
    for (const line of text.split("\n")) {
        const [, tag] = /^\s*(\S+)/.exec(line) ?? [];
        if (!tag) continue;
        if (tag === "----") view.head = line.replace(/^-+\s*/, "");
        else if (tag === "guest" && !line.startsWith(" ")) begin(guestRow(line));
        else if (tag === "total" || inTotal) {
            inTotal = true;
            view.total.push(line.replace(/^total/, "").trim());
        } else {
            if (view.rows.length === 0) begin(emptyRow());
            if (tag in IR_STATE) row.ir.push({ text: line.slice(tag.length).trim(), state: IR_STATE[tag] });
            else if (tag === "host" || tag === "cold") row.host.push(hostLine(line));
            else row.ir.push({ text: line.trim(), state: "note" });
        }
    }
    return view;
}

/* Only the guest's instructions, for the graph and the search: from the view, else from the disassembly alone, whose
 * lines are "ADDRESS  BYTES  INSTRUCTION". */
export function guestCode(m: Model, block: number): string[] {
    const view = m.views[block];
    if (view) return Array.from(view.matchAll(/^guest +\S+ +\S+ +(.*)$/gm), (match) => match[1]);
    return (m.guest[block] ?? []).map((line) => guestLine(line).guest);
}

export function guestLine(line: string): { address: string; bytes: string; guest: string } {
    const [, address = "", bytes = "", guest = line] = /^\s*(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return { address, bytes, guest };
}
