/* Headless Chromium with a page of the report in it, opened from disk as a user would; what it should never do (ask the
 * network, complain) is kept in `faults`. */
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(resolve(process.env.REPORT_TEST_MODULES), "x.js"));
const { chromium } = require("playwright-core");

export async function launch() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    });
}

export async function open(browser, folder, name, html, options = {}) {
    const file = join(folder, `${name}.html`);
    writeFileSync(file, html);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    const faults = [];
    const url = pathToFileURL(file).href;
    page.on("request", (request) => request.url() === url || faults.push(`request: ${request.url().slice(0, 100)}`));
    page.on(
        "console",
        (message) => ["error", "warning"].includes(message.type()) && faults.push(`console: ${message.text()}`),
    );
    page.on("pageerror", (error) => faults.push(`error: ${error.stack}`));
    await page.goto(url);
    await page.waitForFunction(() => document.documentElement.dataset.ready || document.documentElement.dataset.failed);
    return { page, faults, context };
}

/* A frame more, so that what was changed is drawn. */
export const settle = (page) =>
    page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/* What axe finds against WCAG 2.1 (A and AA) and good practice, in words. */
export async function barriers(page) {
    await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
    const { violations } = await page.evaluate(() =>
        axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }),
    );
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 3)}`);
}
