/* Colours for assembly and IR: what is an operation, a register, a number. */
import { make } from "./dom";

const TOKEN = new RegExp(
    [
        "(?<register>\\b(?:[re]?(?:ax|bx|cx|dx|si|di|bp|sp)|[abcd][hl]|[sd]il|[sb]pl|r(?:8|9|1[0-5])[dwb]?|[xy]mm\\d+|mm\\d|st(?:\\(\\d\\))?|[cdefgs]s|[cd]r\\d|t\\d+)\\b)",
        "(?<state>\\bCPUState(?:\\.\\w+)*)",
        "(?<number>(?:\\b0x[0-9a-f]+|\\+[0-9a-f]{3,}|\\b[0-9a-f]{8}|\\b\\d+)\\b)",
        "(?<flags>\\[ .*\\])",
        "(?<keyword>\\b(?:dword|qword|word|byte|xword|tbyte|xmmword|ymmword|ptr)\\b)",
    ].join("|"),
    "g",
);

export function colourCode(text: string): DocumentFragment {
    const out = document.createDocumentFragment();
    const [, operation, rest] = /^(\S+)(.*)$/.exec(text) ?? ["", "", text];
    out.append(make("span", { class: "c-operation" }, operation));
    let from = 0;
    for (const match of rest.matchAll(TOKEN)) {
        out.append(rest.slice(from, match.index));
        const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0];
        out.append(make("span", { class: `c-${kind}` }, match[0]));
        from = match.index + match[0].length;
    }
    out.append(rest.slice(from));
    return out;
}
