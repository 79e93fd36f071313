/* Callouts by kind, and exceptions and interrupts by vector. */
import { byId, fill, make, type Child } from "./dom";
import { exceptionName } from "./describe";
import { count, hex } from "./format";
import { term } from "./glossary";
import { eventsNamed, type Model } from "./model";

interface Tally {
    name: string;
    count: number;
}

function byVector(m: Model, kind: string, name: (vector: number) => string): Tally[] {
    const counts = new Map<number, number>();
    for (const row of eventsNamed(m, kind)) counts.set(m.events.a[row], (counts.get(m.events.a[row]) ?? 0) + 1);
    return [...counts].map(([vector, n]) => ({ name: name(vector), count: n })).sort((x, y) => y.count - x.count);
}

function bars(title: Child, rows: Tally[], most: number): Child {
    const items = rows.map((row) => {
        const bar = make("span", { class: "bar" });
        bar.style.width = `${(row.count / most) * 100}%`;
        return make(
            "li",
            {},
            bar,
            make("span", { class: "mono name" }, row.name),
            make("span", { class: "number" }, count(row.count)),
        );
    });
    const sum = rows.reduce((total, row) => total + row.count, 0);
    return make(
        "section",
        { class: "tally" },
        make("h2", {}, title, make("span", { class: "number" }, count(sum))),
        make("ul", {}, ...items),
    );
}

export function fillCallouts(m: Model): void {
    const kinds = new Map<string, Tally[]>();
    for (const { name, count: n, kind } of m.callouts) {
        if (n <= 0) continue;
        const tallies = kinds.get(kind || "callouts");
        if (tallies) tallies.push({ name, count: n });
        else kinds.set(kind || "callouts", [{ name, count: n }]);
    }
    const sum = (rows: Tally[]) => rows.reduce((total, row) => total + row.count, 0);
    const most = Math.max(1, ...m.callouts.map((callout) => callout.count));
    const groups = [...kinds].sort(([, x], [, y]) => sum(y) - sum(x));
    const sections = groups.map(([kind, rows]) =>
        bars(
            kind[0].toUpperCase() + kind.slice(1),
            rows.sort((x, y) => y.count - x.count),
            most,
        ),
    );
    for (const [kind, title, name] of [
        ["exception", "Exceptions", (vector: number) => exceptionName(m, vector)],
        ["interrupt", "Interrupts", (vector: number) => `vector 0x${hex(vector, 2)}`],
    ] as const) {
        const rows = byVector(m, kind, name);
        if (rows.length) sections.push(bars(term(kind, title), rows, Math.max(...rows.map((row) => row.count))));
    }
    const nothing = make("p", { class: "empty" }, "No callouts, exceptions or interrupts were recorded.");
    fill(
        byId("pane-callouts"),
        make(
            "div",
            { class: "scroll", tabindex: 0, role: "region", "aria-label": "Callouts by kind" },
            make(
                "p",
                { class: "note" },
                term("callout", "Callouts"),
                " are what translated code leaves to C functions, by kind:",
            ),
            ...(sections.length ? sections : [nothing]),
        ),
    );
}
