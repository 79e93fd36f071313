/* Begins: unpacks the recording, shows the page, or says why it cannot. */
import { startApp } from "./app";
import { byId, fill, make } from "./dom";
import { load } from "./load";
import { buildModel } from "./model";

async function run(): Promise<void> {
    const begun = performance.now();
    try {
        const report = await load();
        const m = buildModel(report);
        document.title = `Calque report${m.meta.date ? `, ${m.meta.date}` : ""}`;
        byId("app").hidden = false;
        startApp(m);
        byId("loading").remove();
        document.documentElement.dataset.ready = String(Math.round(performance.now() - begun)); // for tests: milliseconds
    } catch (error) {
        byId("app").hidden = true;
        fill(
            byId("loading"),
            make("h1", {}, "Calque report"),
            make("p", { role: "alert" }, error instanceof Error ? error.message : String(error)),
        );
        document.documentElement.dataset.failed = "1";
    }
}

void run();
