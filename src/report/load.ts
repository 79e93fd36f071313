/* From the data script in the page to a Report.  calque report writes it compressed, in base64; for work on the page it
 * may be plain JSON.  Nothing in it is trusted to be well formed: what it lacks is an error in words, not a blank page. */
import type { Report } from "./schema";

type Compression = "deflate" | "gzip" | "deflate-raw";

function compression(bytes: Uint8Array): Compression {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip";
    const zlib = (bytes[0] & 0x0f) === 8 && ((bytes[0] << 8) | bytes[1]) % 31 === 0; // RFC 1950, 2.2
    return zlib ? "deflate" : "deflate-raw";
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
    const binary = atob(text.trim());
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(compression(bytes)));
    return new Response(stream).text();
}

async function text(script: HTMLScriptElement): Promise<string> {
    const content = script.textContent ?? "";
    if (script.type === "application/json") return content;
    return inflate(fromBase64(content));
}

export async function load(): Promise<Report> {
    const script = document.getElementById("data");
    if (!(script instanceof HTMLScriptElement))
        throw new Error("This page holds no recording. “calque report FILE -o report.html” makes one that does.");
    let report: Report;
    try {
        report = JSON.parse(await text(script));
    } catch (error) {
        throw new Error(`The recording in this page is damaged: ${error instanceof Error ? error.message : error}`);
    }
    script.textContent = ""; // tens of megabytes that nobody needs twice
    if (report?.format !== "calque-report") throw new Error("The data in this page is not a Calque report.");
    if (report.version !== 1)
        throw new Error(`The data in this page is of version ${report.version}; this page reads version 1.`);
    return report;
}
