/* All blocks at once, a cell each in the order in which they were made: the cache growing, and where holes are torn. */
import { byId, make, onResize, styleValue } from "./dom";
import { blockName, count } from "./format";
import { mix, rgb, shade, SHADES } from "./heat";
import { lives, type Model } from "./model";
import type { State } from "./state";

type Rgba = number; // as ImageData has it, in a Uint32Array of this machine

const LARGEST = 14; // pixels: few blocks are not drawn as posters

const pack = ([r, g, b]: [number, number, number]): Rgba => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

const LEGEND: [string, string][] = [
    ["in the cache", "--cell-live"],
    ["hot", "--cell-hot"],
    ["gone", "--gone-cell"],
    ["not made yet", "--lane-back"],
];

function legend(): HTMLElement[] {
    return LEGEND.map(([label, colour]) => {
        const swatch = make("span", { class: "swatch" });
        swatch.style.background = `var(${colour})`;
        return make("span", { class: "legend-entry" }, swatch, label);
    });
}

export class CacheMap {
    private canvas = make("canvas", { role: "img", tabindex: 0 });
    private tip = make("span", { class: "map-tip", "aria-live": "polite" });
    private cell = { width: 1, height: 1 }; // device pixels
    private columns = 1;
    private shadeOf: Uint8Array;
    private colours: Rgba[] = [];

    constructor(
        private m: Model,
        private state: State,
    ) {
        this.shadeOf = Uint8Array.from({ length: m.blocks.n }, (_, block) => shade(m, block));
        byId("map").append(this.canvas, make("div", { class: "map-foot" }, ...legend(), this.tip));
        this.readColours();
        state.on("time", () => this.draw());
        state.on("block", () => this.draw());
        onResize(byId("map-space"), () => this.resize());
        this.canvas.addEventListener("click", (event) => this.choose(this.blockAt(event)));
        this.canvas.addEventListener("pointermove", (event) => this.name(this.blockAt(event)));
        this.canvas.addEventListener("keydown", (event) => this.key(event));
    }

    restyle(): void {
        this.readColours();
        this.draw();
    }

    resize(): void {
        const space = byId("map-space");
        const ratio = window.devicePixelRatio || 1;
        const width = Math.floor(space.clientWidth * ratio);
        const height = Math.floor(space.clientHeight * ratio);
        if (width < 1 || height < 1) return; // not shown
        const n = Math.max(1, this.m.blocks.n);
        const side = Math.max(1, Math.min(Math.round(LARGEST * ratio), Math.floor(Math.sqrt((width * height) / n))));
        this.columns = Math.max(1, Math.min(n, Math.floor(width / side)));
        const rows = Math.ceil(n / this.columns);
        this.cell = {
            width: side,
            height: Math.max(1, Math.min(Math.round(LARGEST * ratio), Math.floor(height / rows))),
        };
        this.canvas.width = this.columns * this.cell.width;
        this.canvas.height = rows * this.cell.height;
        this.canvas.style.width = `${this.canvas.width / ratio}px`;
        this.canvas.style.height = `${this.canvas.height / ratio}px`;
        this.draw();
    }

    private readColours(): void {
        const [live, hot] = [rgb(styleValue("--cell-live")), rgb(styleValue("--cell-hot"))];
        const share = (i: number) => (i === 0 ? 0 : 0.4 + (0.6 * i) / (SHADES - 1)); // warm ones stand out
        this.colours = Array.from({ length: SHADES }, (_, i) => pack(mix(live, hot, share(i))));
    }

    private draw(): void {
        const context = this.canvas.getContext("2d");
        if (!context || this.canvas.width <= 1 || byId("map").hidden) return;
        const { width, height } = this.canvas;
        const image = context.createImageData(width, height);
        const pixels = new Uint32Array(image.data.buffer);
        const gone = pack(rgb(styleValue("--gone-cell")));
        const unmade = pack(rgb(styleValue("--lane-back")));
        const { made } = this.m.blocks;
        const { time, block: chosen } = this.state;
        const gap = (size: number) => (size > 3 ? size - 1 : size);
        const inner = { width: gap(this.cell.width), height: gap(this.cell.height) };
        let live = 0;
        for (let block = 0; block < this.m.blocks.n; block++) {
            const alive = lives(this.m, block, time);
            if (alive) live++;
            const colour = alive ? this.colours[this.shadeOf[block]] : made[block] > time ? unmade : gone;
            const { x, y } = this.corner(block);
            for (let line = 0; line < inner.height; line++) {
                const row = (y + line) * width + x;
                pixels.fill(colour, row, row + inner.width);
            }
        }
        context.putImageData(image, 0, 0);
        if (chosen >= 0) this.mark(context, chosen);
        this.canvas.setAttribute(
            "aria-label",
            `All ${count(this.m.blocks.n)} blocks; ${count(live)} in the cache. Arrow keys move the choice.`,
        );
    }

    private corner(block: number): { x: number; y: number } {
        return { x: (block % this.columns) * this.cell.width, y: Math.floor(block / this.columns) * this.cell.height };
    }

    private mark(context: CanvasRenderingContext2D, block: number): void {
        const { x, y } = this.corner(block);
        const { width, height } = this.cell;
        const around = Math.max(1, 5 - Math.min(width, height) / 2);
        context.strokeStyle = styleValue("--text");
        context.lineWidth = 2;
        context.strokeRect(x - around, y - around, width + 2 * around, height + 2 * around);
    }

    private blockAt(event: MouseEvent): number {
        const ratio = window.devicePixelRatio || 1;
        const column = Math.floor((event.offsetX * ratio) / this.cell.width);
        const block = Math.floor((event.offsetY * ratio) / this.cell.height) * this.columns + column;
        return column >= 0 && column < this.columns && block >= 0 && block < this.m.blocks.n ? block : -1;
    }

    private choose(block: number): void {
        if (block >= 0) this.state.setBlock(block);
    }

    private name(block: number): void {
        this.tip.textContent =
            block < 0 ? "" : `${blockName(this.m, block)}, ${count(this.m.blocks.samples[block])} samples`;
    }

    private key(event: KeyboardEvent): void {
        const by: Record<string, number> = {
            ArrowLeft: -1,
            ArrowRight: 1,
            ArrowUp: -this.columns,
            ArrowDown: this.columns,
        };
        if (!(event.key in by)) return;
        event.preventDefault();
        event.stopPropagation();
        const block =
            this.state.block < 0 ? 0 : Math.max(0, Math.min(this.m.blocks.n - 1, this.state.block + by[event.key]));
        this.choose(block);
        this.name(block);
    }
}
