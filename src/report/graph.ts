/* The control-flow graph of some blocks, as it was at the moment the time line shows: blocks not yet made are ghosts,
 * chains appear when they were patched.  Only looks change with time; the layout stays, so that one can watch. */
import cytoscape, { type Core, type ElementDefinition, type NodeSingular } from "cytoscape";
import { byId, make, onResize, styleValue } from "./dom";
import { blockName, count, plural } from "./format";
import { around, choose, edgesAmong, MAX_BLOCKS, neighbours, type Scope } from "./graph_choose";
import { fillLegend, fillTools } from "./graph_controls";
import { layout } from "./graph_layout";
import { graphStyle, NODE_FONT } from "./graph_style";
import { nodeSize, nodeText } from "./graph_text";
import { shade } from "./heat";
import { edgeLives, isLookup, lives, type Model } from "./model";
import type { State } from "./state";

const MARGIN = 24; // pixels around the graph
const FOLLOW = 250; // milliseconds between two graphs of the newest blocks
const LATELY = 1 / 400; // of the run: what has just happened stands out

export class Graph {
    private cy: Core;
    private shown: number[] = [];
    private scope: Scope = "around";
    private withCode = true;
    private pending = 0;
    private picture = byId("graph");
    private note = make("span", { class: "note", role: "status" });
    private markScope: (scope: Scope) => void;

    constructor(
        private m: Model,
        private state: State,
    ) {
        this.cy = cytoscape({
            container: this.picture,
            style: graphStyle(),
            minZoom: 0.08,
            maxZoom: 2.5,
            autoungrabify: true,
            boxSelectionEnabled: false,
        });
        this.cy.on("tap", "node", (event) => state.setBlock(Number(event.target.id())));
        this.cy.on("dbltap", "node", (event) => this.expand(Number(event.target.id())));
        this.picture.addEventListener("keydown", (event) => this.key(event));
        byId("graph-none").hidden = m.blocks.n > 0;
        this.markScope = fillTools(
            {
                setScope: (scope) => this.setScope(scope),
                expand: () => this.expand(state.block),
                showCode: (shown) => this.showCode(shown),
                zoom: (factor) => this.zoom(factor),
                fit: () => this.fit(),
            },
            this.note,
        );
        fillLegend();
        state.on("time", () => this.moved());
        state.on("block", () => this.blockChosen());
        onResize(this.picture, () => this.cy.resize());
        this.show(choose(m, this.scope, state.block, state.time));
    }

    restyle(): void {
        this.cy.style(graphStyle());
        fillLegend();
    }

    setScope(scope: Scope): void {
        this.scope = scope;
        this.show(choose(this.m, scope, this.state.block, this.state.time));
    }

    expand(block: number): void {
        if (block < 0) return;
        const more = neighbours(this.m, block).filter((b) => !this.shown.includes(b));
        const room = MAX_BLOCKS - this.shown.length;
        const added = more.slice(0, Math.min(12, room));
        if (added.length) this.show([...this.shown, ...added]);
        const rest = more.length - added.length;
        this.say(
            added.length
                ? `${plural(added.length, "block")} added${rest ? `, ${count(rest)} more beside this one` : ""}`
                : rest
                  ? `the graph is full at ${MAX_BLOCKS} blocks`
                  : "nothing more beside this block",
        );
    }

    zoom(factor: number): void {
        this.cy.zoom({
            level: this.cy.zoom() * factor,
            renderedPosition: { x: this.cy.width() / 2, y: this.cy.height() / 2 },
        });
    }

    fit(): void {
        this.cy.fit(undefined, MARGIN);
        if (this.cy.zoom() > 1.1) {
            this.cy.zoom(1.1);
            this.cy.center();
        }
    }

    private showCode(shown: boolean): void {
        this.withCode = shown;
        this.show(this.shown);
    }

    private blockChosen(): void {
        const { block } = this.state;
        if (block >= 0 && !this.shown.includes(block)) {
            if (this.scope === "hottest" || this.scope === "newest") this.scope = "around";
            this.show(
                this.scope === "function" ? choose(this.m, "function", block, this.state.time) : around(this.m, block),
            );
        }
        this.paintChoice();
        const node = this.cy.getElementById(String(block));
        if (node.nonempty()) this.bringIntoView(node as NodeSingular);
    }

    private bringIntoView(node: NodeSingular): void {
        const box = node.renderedBoundingBox();
        const inside = box.x1 >= 0 && box.y1 >= 0 && box.x2 <= this.cy.width() && box.y2 <= this.cy.height();
        if (!inside) this.centre(node);
    }

    /* The node in the middle, or less so where that would leave a part of the space empty. */
    private centre(node: NodeSingular): void {
        this.cy.center(node);
        const box = this.cy.elements().renderedBoundingBox();
        const shift = (low: number, high: number, room: number) => {
            if (low > MARGIN && high > room - MARGIN) return -Math.min(low - MARGIN, high - room + MARGIN);
            if (low < MARGIN && high < room - MARGIN) return Math.min(MARGIN - low, room - MARGIN - high);
            return 0;
        };
        this.cy.panBy({ x: shift(box.x1, box.x2, this.cy.width()), y: shift(box.y1, box.y2, this.cy.height()) });
    }

    private show(blocks: number[]): void {
        this.shown = blocks.slice(0, MAX_BLOCKS);
        const columnWidth = measureColumn();
        const boxes = this.shown.map((block) => {
            const label = nodeText(this.m, block, this.withCode);
            return { id: String(block), label, shade: shade(this.m, block), ...nodeSize(label, columnWidth) };
        });
        const lines = edgesAmong(this.m, this.shown).map((rows) => ({
            id: `e${rows[0]}`,
            rows,
            from: String(this.m.edges.from[rows[0]]),
            to: String(this.m.edges.to[rows[0]]),
        }));
        const { positions, ways } = layout(
            boxes,
            lines,
            this.picture.clientWidth / Math.max(1, this.picture.clientHeight),
        );
        const nodes: ElementDefinition[] = boxes.map((box) => ({
            group: "nodes",
            data: box,
            position: positions.get(box.id),
        }));
        const edges: ElementDefinition[] = lines.map(({ id, rows, from, to }) => {
            const way = ways.get(id);
            return {
                group: "edges",
                data: {
                    id,
                    rows,
                    source: from,
                    target: to,
                    kind: this.m.edgeKinds[this.m.edges.kind[rows[0]]] ?? "",
                    ...way,
                },
                classes: `${isLookup(this.m, rows[0]) ? "lookup" : ""} ${way?.weights.length ? "bent" : ""}`,
            };
        });
        this.cy.batch(() => {
            this.cy.elements().remove();
            this.cy.add([...nodes, ...edges]);
        });
        this.paintTime();
        this.paintChoice();
        this.fitOrCenter();
        this.markScope(this.scope);
        this.describe();
    }

    /* A graph too large to be read when it fits is shown at a readable size, around the chosen block. */
    private fitOrCenter(): void {
        this.fit();
        const readable = 0.8;
        const chosen = this.cy.getElementById(String(this.state.block));
        if (this.cy.zoom() >= readable || this.cy.nodes().empty()) return;
        this.cy.zoom(readable);
        this.centre((chosen.nonempty() ? chosen : this.cy.nodes().first()) as NodeSingular);
    }

    private describe(): void {
        const { block } = this.state;
        const ofFunction = this.scope === "function" && block >= 0;
        const whole = ofFunction
            ? this.m.symbols[this.m.blocks.symbol[block]] || "a function without a name"
            : count(this.m.blocks.n);
        this.say(`${plural(this.shown.length, "block")} of ${whole}`);
    }

    private say(text: string): void {
        this.note.textContent = text;
    }

    private moved(): void {
        this.paintTime();
        if (this.scope !== "newest" || this.pending) return;
        this.pending = window.setTimeout(() => {
            this.pending = 0;
            const blocks = choose(this.m, "newest", this.state.block, this.state.time);
            if (this.scope === "newest" && blocks.join() !== this.shown.join()) this.show(blocks);
        }, FOLLOW);
    }

    private paintTime(): void {
        const { time } = this.state;
        const lately = time - this.state.end * LATELY;
        this.cy.batch(() => {
            this.cy.nodes().forEach((node) => {
                const block = Number(node.id());
                setLife(node, this.m.blocks.made[block] > time, !lives(this.m, block, time));
                node.toggleClass("fresh", this.m.blocks.made[block] <= time && this.m.blocks.made[block] > lately);
            });
            this.cy.edges().forEach((edge) => {
                const rows: number[] = edge.data("rows");
                const notYet = rows.every((row) => this.m.edges.at[row] > time || this.m.edges.at[row] < 0);
                setLife(edge, notYet, !rows.some((row) => edgeLives(this.m, row, time)));
                edge.toggleClass(
                    "fresh",
                    rows.some((row) => this.m.edges.at[row] <= time && this.m.edges.at[row] > lately),
                );
            });
        });
    }

    private paintChoice(): void {
        this.cy.batch(() => {
            this.cy.elements(".chosen, .near").removeClass("chosen near");
            const node = this.cy.getElementById(String(this.state.block));
            node.addClass("chosen");
            node.connectedEdges().addClass("near");
        });
        const { block } = this.state;
        this.picture.setAttribute(
            "aria-label",
            `Control-flow graph, ${plural(this.shown.length, "block")}${block >= 0 ? `; chosen: ${blockName(this.m, block)}` : ""}`,
        );
    }

    /* Arrows go from block to block by where they are drawn. */
    private key(event: KeyboardEvent): void {
        const directions: Record<string, [number, number]> = {
            ArrowUp: [0, -1],
            ArrowDown: [0, 1],
            ArrowLeft: [-1, 0],
            ArrowRight: [1, 0],
        };
        const direction = directions[event.key];
        if (direction) this.move(...direction);
        else if (event.key === "e" || event.key === "Enter") this.expand(this.state.block);
        else if (event.key === "f") this.fit();
        else if (event.key === "+" || event.key === "=") this.zoom(1.25);
        else if (event.key === "-") this.zoom(1 / 1.25);
        else return;
        event.preventDefault();
        event.stopPropagation();
    }

    private move(dx: number, dy: number): void {
        const from = this.cy.getElementById(String(this.state.block));
        if (from.empty()) {
            if (this.shown.length) this.state.setBlock(this.shown[0]);
            return;
        }
        const here = (from as NodeSingular).position();
        let best = -1;
        let bestCost = Infinity;
        this.cy.nodes().forEach((node) => {
            const there = node.position();
            const along = (there.x - here.x) * dx + (there.y - here.y) * dy;
            const aside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
            const cost = along + 2 * aside;
            if (along > 1 && cost < bestCost) {
                best = Number(node.id());
                bestCost = cost;
            }
        });
        if (best >= 0) this.state.setBlock(best);
    }
}

function setLife(element: { toggleClass(name: string, on: boolean): unknown }, unmade: boolean, absent: boolean): void {
    element.toggleClass("unmade", unmade);
    element.toggleClass("gone", absent && !unmade);
}

function measureColumn(): number {
    const context = document.createElement("canvas").getContext("2d");
    if (!context) return NODE_FONT * 0.62;
    context.font = `${NODE_FONT}px ${styleValue("--mono")}`;
    return context.measureText("0".repeat(50)).width / 50;
}
