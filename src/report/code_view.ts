/* The aligned view of a block: guest | IR | host, a row for each guest instruction. */
import { colourCode } from "./colour";
import { fill, make, type Child } from "./dom";
import { explain, term } from "./glossary";
import type { Model } from "./model";
import { guestLine, parseView, type HostLine, type IrLine, type ViewRow } from "./view_text";

export interface CodeOptions {
    cold: boolean; // with what is out of line
    bytes: boolean;
}

const codeSpan = (text: string): HTMLElement => make("span", { class: "code" }, colourCode(text));

function irLine(line: IrLine): HTMLElement {
    if (line.state === "note") return make("div", { class: "line ir-note" }, line.text);
    const marks = { kept: " ", before: "−", after: "+" };
    const said = { kept: undefined, before: "before the passes", after: "after the passes" };
    return make(
        "div",
        { class: `line ir-${line.state}`, "data-tip": said[line.state] },
        make("span", { class: "mark" }, marks[line.state]),
        codeSpan(line.text.replace(/ {2,}/g, " ")),
    );
}

function hostLine(line: HostLine, options: CodeOptions): HTMLElement {
    const purpose =
        line.purpose &&
        make(
            "span",
            { class: "purpose", "data-tip": [line.purpose, explain(line.purpose)].filter(Boolean).join(". ") },
            line.purpose,
        );
    return make(
        "div",
        { class: line.cold ? "line cold" : "line" },
        make("span", { class: "offset" }, line.offset),
        options.bytes && make("span", { class: "bytes host-bytes" }, line.bytes),
        codeSpan(line.text),
        purpose,
    );
}

function guestCell(row: ViewRow, options: CodeOptions): Child[] {
    if (!row.guest) return [make("div", { class: "line muted" }, "entry")];
    return [
        make(
            "div",
            { class: "line" },
            make("span", { class: "offset" }, row.address),
            options.bytes && make("span", { class: "bytes" }, row.bytes),
            codeSpan(row.guest),
        ),
    ];
}

function tableRow(row: ViewRow, options: CodeOptions): HTMLElement {
    const host = row.host.filter((line) => options.cold || !line.cold);
    const hidden = row.host.length - host.length;
    const hostLines: Child[] = host.map((line) => hostLine(line, options));
    if (hidden) hostLines.push(make("div", { class: "line muted" }, `+ ${hidden} out of line`));
    return make(
        "tr",
        {},
        make("td", { class: "guest" }, ...guestCell(row, options)),
        make("td", { class: "ir" }, ...row.ir.map(irLine)),
        make("td", { class: "host" }, ...hostLines),
    );
}

const heading = (name: string): HTMLElement =>
    make("th", { scope: "col" }, term(name, name === "IR" ? "IR" : name[0].toUpperCase() + name.slice(1)));

function aligned(text: string, options: CodeOptions): Child[] {
    const view = parseView(text);
    return [
        make(
            "table",
            { class: "code-table" },
            make("colgroup", {}, make("col", { class: "col-guest" }), make("col", { class: "col-ir" }), make("col")),
            make("thead", {}, make("tr", {}, heading("guest"), heading("IR"), heading("host"))),
            make("tbody", {}, ...view.rows.map((row) => tableRow(row, options))),
        ),
        make("p", { class: "totals" }, ...view.total.map((line) => make("span", { class: "total" }, line))),
    ];
}

function guestOnly(lines: string[], options: CodeOptions): Child {
    const rows = lines.map((line) =>
        make("tr", {}, make("td", { class: "guest" }, ...guestCell({ ...guestLine(line), ir: [], host: [] }, options))),
    );
    return make(
        "table",
        { class: "code-table guest-only" },
        make("thead", {}, make("tr", {}, heading("guest"))),
        make("tbody", {}, ...rows),
    );
}

/* Fills the element with the code of the block, as much of it as the recording has. */
export function drawCode(element: HTMLElement, m: Model, block: number, options: CodeOptions): void {
    const view = m.views[block];
    if (view) {
        fill(element, ...aligned(view, options));
        return;
    }
    const guest = m.guest[block];
    const why = make(
        "p",
        { class: "empty" },
        "This report shows the translation of the hottest blocks only. For this one: ",
        make("code", {}, `calque report FILE --block ${block}`),
    );
    fill(element, guest && guestOnly(guest, options), why);
}
