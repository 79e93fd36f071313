/* page.mjs PAGE FOLDER: drives the page in headless Chromium, by mouse and by keyboard alone. */
import { readFileSync } from "node:fs";
import { barriers, launch, open, settle } from "./browser.mjs";
import { embed, embedPlain, empty, MARK, synthetic } from "./synthetic.mjs";
import { atMost, done, equal, ok } from "./tap.mjs";

const [template, folder] = process.argv.slice(2);
const html = readFileSync(template, "utf8");
const browser = await launch();
const text = (page, selector) => page.locator(selector).first().innerText();
const number = async (page, selector) => parseFloat((await text(page, selector)).replaceAll(",", ""));

async function opening() {
    const report = synthetic(3000, 20000);
    const { page, faults, context } = await open(browser, folder, "small", embed(html, report));
    equal(html.split(MARK).length, 2, "the page has one place for the data");
    ok(await page.evaluate(() => Boolean(document.documentElement.dataset.ready)), "opens from disk");
    ok((await text(page, "#pane-overview")).includes("3,000"), "the overview tells the number of blocks");
    ok((await page.locator("#graph canvas").count()) > 0, "the graph is drawn");
    equal(await page.locator(".code-table tbody tr").count(), 5, "the hottest block's view has its rows");
    ok((await text(page, ".code-table")).includes("TLB check"), "and says what host code is for");
    await page.hover(".code-table .purpose");
    ok(await page.locator("#tip").isVisible(), "a word of the trade is explained when pointed at");
    return { page, faults, context, report };
}

async function bySearch({ page, report }) {
    await page.keyboard.press("/");
    equal(await page.evaluate(() => document.activeElement?.id), "search", "/ goes to the search");
    const symbol = report.symbols[7];
    await page.keyboard.type(symbol);
    await settle(page);
    const wanted = report.blocks.symbol.filter((s) => report.symbols[s].includes(symbol)).length;
    ok((await text(page, "#found")).startsWith(`${wanted} of`), "search by symbol", await text(page, "#found"));
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await settle(page);
    ok(
        (await text(page, "#block-title")).includes(symbol),
        "arrows and Enter choose a block",
        await text(page, "#block-title"),
    );
    const searches = { "insn:test hot": 1, "insn:nosuch": 0, "mode:cpl 3": 1, "c1000000..c1000fff": 1, zzzz: 0 };
    for (const [query, some] of Object.entries(searches)) {
        await page.fill("#search", query);
        await settle(page);
        const found = Number((await text(page, "#found")).split(" ")[0].replace(",", ""));
        equal(found > 0 && found < 3000 ? 1 : found ? -1 : 0, some, `search "${query}"`);
    }
    await page.fill("#search", "");
    await page.click(".chip >> text=smc");
    await settle(page);
    equal(
        await number(page, "#found"),
        report.blocks.why_gone.filter((why) => why === 1).length,
        "the filter for self-modifying code",
    );
    await page.fill("#search", "");
}

const aria = (page) => page.$eval("#time", (slider) => Number(slider.getAttribute("aria-valuenow")));

async function throughTime({ page, report }) {
    const box = await page.locator("#time").boundingBox();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.25, box.y + 30, { steps: 5 });
    await page.mouse.up();
    await settle(page);
    const now = await aria(page);
    ok(Math.abs(now / report.meta.duration - 0.25) < 0.01, "dragging on the time line goes to that moment", now);
    const { made, gone } = report.blocks;
    const alive = made.filter((t, b) => t <= now && (gone[b] < 0 || gone[b] > now)).length;
    const shown = await number(page, ".lane-value");
    ok(Math.abs(shown - alive) <= 2, "the number of blocks is that of the moment", `${shown}, wanted ${alive}`);
    await page.focus("#time");
    await page.keyboard.press("ArrowRight");
    await settle(page);
    ok((await aria(page)) > now, "an arrow key moves on");
    await page.keyboard.press("Home");
    await settle(page);
    equal(await aria(page), 0, "Home goes to the beginning");
    equal(
        (await page.locator(".block-state").getAttribute("class")).split(" ").pop(),
        "unmade",
        "where the block is not made yet",
    );
    await page.keyboard.press(" ");
    await page.waitForFunction(() => Number(document.getElementById("time").getAttribute("aria-valuenow")) > 50000);
    ok(true, "Space plays");
    await page.keyboard.press(" ");
    await settle(page);
    const stopped = await aria(page);
    await page.waitForTimeout(150);
    equal(await aria(page), stopped, "and Space stops");
    await page.keyboard.press(".");
    await settle(page);
    ok((await aria(page)) > stopped, "a full stop goes to the block's next event");
    await page.focus("#time");
    for (let i = 0; i < 3; i++) await page.keyboard.press("+");
    await settle(page);
    await page.keyboard.press("0");
    await page.keyboard.press("End");
    await settle(page);
    equal(await aria(page), report.meta.duration, "zoom in, out, End");
}

async function inTheGraph({ page }) {
    const chosen = () => text(page, "#block-title h2");
    await page.keyboard.press("h");
    await settle(page);
    await page.focus("#graph");
    const before = await chosen();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"]) {
        await page.keyboard.press(key);
        await settle(page);
    }
    ok((await chosen()) !== before, "arrow keys go through the graph");
    await page.keyboard.press("u");
    await settle(page);
    equal(await page.getAttribute('[data-scope="function"]', "aria-pressed"), "true", "u shows the function");
    await page.keyboard.press("e");
    await settle(page);
    ok(
        /added|nothing more|full/.test(await text(page, "#graph-tools .note")),
        "e adds neighbours",
        await text(page, "#graph-tools .note"),
    );
    await page.focus("#time");
    for (const key of ["Home", "PageUp", "PageUp"]) await page.keyboard.press(key);
    await page.keyboard.press("n");
    await settle(page);
    const first = await text(page, "#graph-tools .note");
    ok(first.startsWith("18 blocks"), "n shows the newest blocks", first);
    await page.keyboard.press("f");
    await page.keyboard.press("h");
    await settle(page);
    const title = await chosen();
    const box = await page.locator("#graph").boundingBox();
    for (let i = 0; i < 60 && (await chosen()) === title; i++) {
        await page.mouse.click(
            box.x + box.width * (0.06 + (i % 10) * 0.098),
            box.y + box.height * (0.12 + Math.floor(i / 10) * 0.15),
        );
        await settle(page);
    }
    ok((await chosen()) !== title, "a click on a block of the graph chooses it");
    await page.keyboard.press("m");
    await settle(page);
    await page.locator("#map canvas").click({ position: { x: 9, y: 9 } });
    await settle(page);
    ok(await page.locator("#map canvas").isVisible(), "m shows all blocks");
    equal(await chosen(), "c1000000", "and a click there chooses one");
    await page.keyboard.press("b");
    await settle(page);
    ok(
        !(await page.locator("#side").isVisible()) && (await page.locator("#block-code").isVisible()),
        "b gives the block all the room",
    );
    await page.keyboard.press("g");
    await settle(page);
    ok(await page.locator("#graph").isVisible(), "and what shows the graph brings it back");
}

async function inTheLists({ page, report }) {
    await page.keyboard.press("3");
    await settle(page);
    await page.keyboard.press("Enter");
    await settle(page);
    equal(
        await page.getAttribute('[data-scope="function"]', "aria-pressed"),
        "true",
        "Enter on a function shows its blocks",
    );
    await page.keyboard.press("4");
    await settle(page);
    const closed = await page.locator("#pane-writes .list-row").count();
    await page.keyboard.press("Enter");
    await settle(page);
    ok(
        (await page.locator("#pane-writes .write-row").count()) > 0 && closed > 0,
        "Enter opens a page that was written to",
    );
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await settle(page);
    equal(
        (await page.locator(".block-state").getAttribute("class")).split(" ").pop(),
        "gone",
        "and goes to the write, which threw the block away",
    );
    await page.click("#tab-block-history");
    await settle(page);
    ok(
        /invalidated/.test(await text(page, "#block-history")) && /written at/.test(await text(page, "#block-history")),
        "the block's history tells of it",
        await text(page, "#block-history"),
    );
    await page.click("#tab-block-edges");
    ok((await text(page, "#block-edges")).includes("Comes from"), "its neighbours are listed");
    await page.keyboard.press("5");
    const count = report.callouts[0].count.toLocaleString("en");
    ok((await text(page, "#pane-callouts")).includes(count), "callouts by kind");
    ok((await text(page, "#pane-callouts")).includes("#PF page fault"), "exceptions by vector");
}

async function byTab({ page }) {
    await page.keyboard.press("1");
    await page.evaluate(() => document.activeElement?.blur());
    const reached = new Set();
    for (let i = 0; i < 140; i++) {
        await page.keyboard.press("Tab");
        reached.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.className || ""));
    }
    const wanted = [
        "play",
        "speed",
        "time",
        "help-button",
        "tab-pane-overview",
        "scroll",
        "split-side",
        "tab-graph-view",
        "graph",
        "split-block",
    ];
    const missing = wanted.filter((id) => !reached.has(id));
    equal(missing.join(" "), "", "Tab reaches every part");
    await page.keyboard.press("?");
    ok(await page.locator("#help").isVisible(), "? shows the keys");
    const about = await page.locator("#help").textContent();
    ok(
        /cytoscape \d/.test(about) && /dagre \d/.test(about) && about.includes("Permission is hereby granted"),
        "and what the page is made of, with the licences",
    );
    const words = await page.$$eval("#help .glossary dt", (terms) => terms.map((term) => term.textContent));
    const purposes = process.env.PURPOSES.split("\n");
    const unexplained = purposes.filter((purpose) => !words.includes(purpose.split(",")[0]));
    ok(
        purposes.length > 20 && unexplained.length === 0,
        "every purpose of host code is explained",
        unexplained.join("\n"),
    );
    await page.keyboard.press("Escape");
    ok(!(await page.locator("#help").isVisible()), "Escape closes it");
}

/* In light and dark, with each of the lists, and with the help. */
async function accessible() {
    for (const colorScheme of ["light", "dark"]) {
        const { page, context } = await open(browser, folder, "accessible", embed(html, synthetic(500, 3000)), {
            colorScheme,
        });
        const found = new Set();
        for (const key of ["1", "2", "3", "4", "5", "m", "?"]) {
            await page.keyboard.press(key);
            await settle(page);
            for (const barrier of await barriers(page)) found.add(`${key}: ${barrier}`);
        }
        equal([...found].join("\n"), "", `no barrier for anybody, in ${colorScheme} colours`);
        await context.close();
    }
}

async function themes({ page, faults, context }) {
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await page.keyboard.press("t");
    await settle(page);
    ok((await back()) !== light, "t turns to dark");
    await page.setViewportSize({ width: 1000, height: 700 });
    await settle(page);
    equal(await page.evaluate(() => document.documentElement.scrollWidth), 1000, "nothing sticks out at 1000 pixels");
    equal(faults.join("\n"), "", "no request, no complaint");
    await context.close();
    const dark = await open(browser, folder, "dark", embed(html, synthetic(200, 500)), { colorScheme: "dark" });
    equal(await dark.page.getAttribute("html", "data-theme"), "dark", "a dark system gets a dark page");
    await dark.context.close();
}

/* The text that calque prints is taken apart without losing a line. */
async function realText() {
    const text = process.env.EXPLAINED;
    if (!text) {
        console.log("# no calque here: its own text not tried");
        return;
    }
    const block = text.slice(text.indexOf("----    block"));
    const report = synthetic(1, 2);
    report.views = { 0: block };
    const { page, context } = await open(browser, folder, "real", embed(html, report));
    await page.click("#block-tools >> text=Bytes");
    await page.click("#block-tools >> text=Out of line");
    const shown = (await page.locator("#block-code").textContent()).replace(/\s/g, "");
    const tags = /^(?:----|guest|op=opt|op_opt|op|total|  host|  cold)/;
    const lines = block.split("\n").map((line) => line.replace(tags, "").replace(/\s; /, "").replace(/\s/g, ""));
    const lost = lines.filter((line, i) => i > 0 && !shown.includes(line));
    equal(lost.join("\n"), "", "every line that calque explain prints is in the view");
    equal(
        await page.locator(".code-table tbody tr").count(),
        1 + block.split("\n").filter((line) => line.startsWith("guest ")).length,
        "in a row for each guest instruction, and one for the entry",
    );
    await context.close();
}

/* tests/guests/traced.S, recorded and reported by calque itself: what happened in it is known. */
async function recorded() {
    if (!process.env.REAL) {
        console.log("# no guest here: no recording of calque's own tried");
        return;
    }
    const { page, faults, context } = await open(browser, folder, "recorded", readFileSync(process.env.REAL, "utf8"));
    equal(faults.join("\n"), "", "a recording by calque itself opens without complaint");
    await page.keyboard.press("/");
    await page.keyboard.type("chained");
    await page.keyboard.press("Enter");
    await settle(page);
    ok(
        (await text(page, "#block-title")).includes("chained"),
        "a block is found by its symbol",
        await text(page, "#block-title"),
    );
    const code = await text(page, "#block-code");
    ok(code.includes("dec ecx") && code.includes("dec.4"), "its guest code and IR are shown", code);
    await page.click("#tab-block-edges");
    ok((await text(page, "#block-edges")).includes("chained"), "it leads to itself");
    await page.keyboard.press("4");
    await page.keyboard.press("Enter");
    await settle(page);
    ok(
        /00101401 written by .*writer/.test(await text(page, "#pane-writes")),
        "the writer of modified code is told",
        await text(page, "#pane-writes"),
    );
    await page.keyboard.press("5");
    ok((await text(page, "#pane-callouts")).includes("cpuid"), "so are callouts");
    ok((await text(page, "#pane-callouts")).includes("#PF"), "and the page fault");
    await context.close();
}

/* A guest may call its functions, and its boot loader its options, whatever it likes. */
async function hostile() {
    const report = synthetic(60, 200);
    const attack = '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">';
    report.symbols = report.symbols.map((name) => name && attack);
    report.meta.command = attack;
    report.modes = report.modes.map(() => attack);
    report.callouts = report.callouts.map((callout) => ({ ...callout, name: attack, kind: attack }));
    for (const block of Object.keys(report.views))
        report.views[block] += `\nguest   c1000000  90  ${attack}\n${attack}`;
    for (const [name, page] of [
        ["deflated", embed(html, report)],
        ["plain", embedPlain(html, JSON.stringify(report))],
    ]) {
        const opened = await open(browser, folder, name, page);
        for (const key of ["2", "3", "4", "5", "u", "m"]) await opened.page.keyboard.press(key);
        await settle(opened.page);
        const pwned = await opened.page.evaluate(() => window.pwned === 1 || document.querySelector("img") !== null);
        ok(!pwned && opened.faults.length === 0, `names with markup stay text (${name})`, opened.faults.join("\n"));
        await opened.context.close();
    }
}

async function little() {
    const one = synthetic(1, 2);
    const bare = empty();
    for (const key of ["modes", "symbols", "callouts", "views", "reasons", "edge_kinds", "event_kinds"])
        delete bare[key];
    bare.blocks = { eip: [0xfff0], made: [3] };
    for (const [name, report] of Object.entries({ empty: empty(), one, bare })) {
        const opened = await open(browser, folder, name, embed(html, report));
        for (const key of ["2", "3", "4", "5", "h", "u", "e", "m", "g", ".", " "])
            await opened.page.keyboard.press(key);
        await settle(opened.page);
        ok(
            await opened.page.evaluate(() => Boolean(document.documentElement.dataset.ready)),
            `a recording that is ${name}`,
        );
        equal(opened.faults.join("\n"), "", `no complaint of one that is ${name}`);
        await opened.context.close();
    }
    const broken = {
        "no data": [html, "no recording"],
        foreign: [embed(html, { format: "x" }), "not a Calque report"],
        damaged: [
            html.replace(MARK, '<script id="data" type="application/octet-stream;base64">AAAA</script>'),
            "damaged",
        ],
    };
    for (const [name, [page, words]] of Object.entries(broken)) {
        const opened = await open(browser, folder, "broken", page);
        ok(
            (await text(opened.page, "#loading")).includes(words),
            `${name}: says so`,
            await text(opened.page, "#loading"),
        );
        await opened.context.close();
    }
}

/* The middle of many, while something else may be running here. */
const median = (values) => values.sort((x, y) => x - y)[Math.floor(values.length / 2)];

async function large() {
    const { page, faults, context } = await open(browser, folder, "large", embed(html, synthetic(100000, 1000000)));
    const load = await page.evaluate(() => Number(document.documentElement.dataset.ready));
    atMost(load, 20000, "100,000 blocks and a million events load in so many milliseconds");
    const frames = (key) =>
        page.evaluate(async (view) => {
            document.dispatchEvent(new KeyboardEvent("keydown", { key: view }));
            const slider = document.getElementById("time");
            const spent = [];
            for (let i = 0; i < 40; i++) {
                await new Promise(requestAnimationFrame);
                const begun = performance.now();
                slider.dispatchEvent(
                    new KeyboardEvent("keydown", { key: i % 2 ? "PageUp" : i < 20 ? "PageDown" : "Home" }),
                );
                await new Promise(requestAnimationFrame); // the listeners run in this frame, before us
                await new Promise((drawn) => setTimeout(drawn));
                spent.push(performance.now() - begun);
            }
            return spent;
        }, key);
    atMost(median(await frames("g")), 250, "moving in time with the graph, milliseconds a frame");
    atMost(median(await frames("m")), 250, "moving in time with all blocks, milliseconds a frame");
    const search = await page.evaluate(async () => {
        const input = document.getElementById("search");
        const begun = performance.now();
        for (const query of ["c1", "hot", "mov", "vfs_read"]) {
            input.value = query;
            input.dispatchEvent(new Event("input"));
        }
        return (performance.now() - begun) / 4;
    });
    atMost(search, 1500, "a search, milliseconds");
    const rows = await page.evaluate(() => document.querySelectorAll(".list-row").length);
    atMost(rows, 400, "rows in the page of all those in the lists");
    equal(faults.join("\n"), "", "no complaint of the large one");
    await context.close();
}

try {
    const opened = await opening();
    for (const part of [bySearch, throughTime, inTheGraph, inTheLists, byTab, themes]) await part(opened);
    await accessible();
    await realText();
    await recorded();
    await hostile();
    await little();
    await large();
} catch (error) {
    ok(false, "the tests ran to their end", error.stack);
}
await browser.close();
done();
