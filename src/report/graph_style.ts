/* How the graph looks, from the style sheet's colours; made anew when the theme changes. */
import type { EdgeSingular, StylesheetJson } from "cytoscape";
import { styleValue } from "./dom";
import type { Point } from "./graph_layout";
import { css, SHADES, shades } from "./heat";

export const NODE_FONT = 11; // pixels; a block's width is reckoned from it
export const LINE_HEIGHT = 1.3;
export const PADDING = 8;

const kindColours: Record<string, string> = {
    taken: "--edge-taken",
    "not taken": "--edge-fall",
    next: "--edge-fall",
    call: "--edge-call",
    "back from the call": "--edge-call",
    "looked up": "--edge-lookup",
    return: "--edge-return",
};

/* From the middle of the block. */
const end = ({ x, y }: Point): string => `${x}px ${y}px`;

/* A block that jumps to itself: the loop has to reach out of it (cytoscape puts its control points 1.27 sizes aside). */
const loopSize = (edge: EdgeSingular): number => (edge.source().width() / 2 + 48) / 1.27;

export const edgeColour = (kind: string): string => styleValue(kindColours[kind] ?? "--edge-other");

export function graphStyle(): StylesheetJson {
    const text = styleValue("--text");
    const mono = styleValue("--mono");
    const heat = shades().map((colour, i) => ({
        selector: `node[shade = ${i}]`,
        style: { "background-color": css(colour) },
    }));
    const edges = Object.keys(kindColours).map((kind) => ({
        selector: `edge[kind = "${kind}"]`,
        style: { "line-color": edgeColour(kind), "target-arrow-color": edgeColour(kind) },
    }));
    return [
        {
            selector: "node",
            style: {
                shape: "round-rectangle",
                "corner-radius": "4",
                width: "data(width)",
                height: "data(height)",
                label: "data(label)",
                "text-wrap": "wrap",
                "text-max-width": "1000px",
                "text-justification": "left",
                "text-valign": "center",
                "text-halign": "center",
                "font-family": mono,
                "font-size": NODE_FONT,
                "line-height": LINE_HEIGHT,
                color: text,
                "border-width": 1,
                "border-color": styleValue("--node-line"),
                "min-zoomed-font-size": 4,
                "overlay-opacity": 0,
            },
        },
        ...heat,
        { selector: `node[shade > ${Math.round(SHADES * 0.6)}]`, style: { color: styleValue("--heat-text") } },
        { selector: "node.unmade", style: { opacity: 0.22, "border-style": "dashed" } },
        {
            selector: "node.gone",
            style: {
                "background-color": styleValue("--gone-back"),
                "border-color": styleValue("--gone"),
                "border-style": "dashed",
                color: styleValue("--muted"),
            },
        },
        {
            selector: "edge",
            style: {
                width: 1.6,
                "line-color": styleValue("--edge-other"),
                "target-arrow-color": styleValue("--edge-other"),
                "target-arrow-shape": "triangle",
                "arrow-scale": 0.9,
                "curve-style": "bezier",
                "overlay-opacity": 0,
            },
        },
        {
            selector: "edge.bent",
            style: {
                "curve-style": "round-segments",
                "segment-distances": "data(distances)" as never,
                "segment-weights": "data(weights)" as never,
                "segment-radii": [10] as never,
                "edge-distances": "endpoints" as never,
                "source-endpoint": ((edge: EdgeSingular) => end(edge.data("leaves"))) as never,
                "target-endpoint": ((edge: EdgeSingular) => end(edge.data("arrives"))) as never,
            },
        },
        {
            selector: "edge:loop",
            style: {
                "curve-style": "bezier",
                "loop-direction": "90deg",
                "loop-sweep": "-50deg",
                "control-point-step-size": loopSize as never,
            },
        },
        ...edges,
        { selector: "edge.lookup", style: { "line-style": "dashed", "line-dash-pattern": [6, 4] } },
        { selector: "edge.unmade", style: { opacity: 0.09 } },
        { selector: "edge.gone", style: { opacity: 0.3, "line-style": "dotted", "target-arrow-shape": "tee" } },
        { selector: "node.fresh", style: { "border-width": 3, "border-color": styleValue("--live") } },
        { selector: "edge.fresh", style: { width: 4 } },
        { selector: "node.chosen", style: { "border-width": 3, "border-color": styleValue("--accent") } },
        { selector: "edge.near", style: { width: 2.8 } },
    ];
}
