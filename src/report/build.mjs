/* build.mjs SOURCES MODULES OUT: the whole page in one file.  SOURCES is this folder, MODULES the node_modules that
 * "npm ci" filled from package-lock.json; neither is written to. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [sources, modules, out] = process.argv.slice(2).map((path) => resolve(path));
const { buildSync } = createRequire(join(modules, "x.js"))("esbuild");
const read = (path) => readFileSync(join(sources, path), "utf8");

/* What the page is made of, with the licences' text: they ask to be kept in every copy. */
function licences() {
    const shipped = ["cytoscape", "@dagrejs/dagre", "@dagrejs/graphlib"];
    return shipped.map((name) => {
        const folder = join(modules, name);
        const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        return { name, version, licence: license, text: readFileSync(join(folder, file), "utf8") };
    });
}

function script() {
    const { outputFiles } = buildSync({
        entryPoints: [join(sources, "main.ts")],
        nodePaths: [modules],
        tsconfigRaw: "{}",
        bundle: true,
        write: false,
        minify: true,
        format: "iife",
        target: "es2022",
        charset: "utf8",
        legalComments: "eof",
        define: { LICENCES: JSON.stringify(licences()), "process.env.NODE_ENV": '"production"' },
    });
    return outputFiles[0].text.replace(/<\/(script)/gi, "<\\/$1");
}

const css = ["theme", "page", "timeline", "lists", "graph", "block"]
    .map((name) => read(`style/${name}.css`))
    .join("\n");
const style = buildSync({ stdin: { contents: css, loader: "css" }, write: false, minify: true }).outputFiles[0].text;
const js = script();
const values = { STYLE: style, SCRIPT: js, SCRIPT_HASH: `sha256-${createHash("sha256").update(js).digest("base64")}` };
writeFileSync(
    out,
    read("index.html").replace(/@(STYLE|SCRIPT|SCRIPT_HASH)@/g, (_, name) => values[name]),
);
