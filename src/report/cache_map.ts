/* All blocks at once, a cell each in the order in which they were made: the cache growing, and where holes are torn. */
import { byId, make, onResize } from "./dom";
import { blockName, count } from "./format";
import { rgb, shade, shades } from "./heat";
import { lives, type Model } from "./model";
import { styleValue } from "./dom";
import type { State } from "./state";

type Rgba = number; // as ImageData has it, in a Uint32Array of this machine

const LARGEST = 14; // pixels: few blocks are not drawn as posters

const pack = ([r, g, b]: [number, number, number]): Rgba => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

export class CacheMap {
    private canvas = make("canvas", { role: "img", tabindex: 0 });
    private tip = make("div", { class: "map-tip", "aria-live": "polite" });
    private cell = 1; // device pixels
    private columns = 1;
    private shadeOf: Uint8Array;
    private colours: Rgba[] = [];

    constructor(
        private m: Model,
        private state: State,
    ) {
        this.shadeOf = Uint8Array.from({ length: m.blocks.n }, (_, block) => shade(m, block));
        byId("map").append(this.canvas, this.tip);
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
        let cell = Math.max(1, Math.min(LARGEST * ratio, Math.floor(Math.sqrt((width * height) / n))));
        while (cell > 1 && Math.floor(width / cell) * Math.floor(height / cell) < n) cell--;
        this.cell = Math.floor(cell);
        this.columns = Math.max(1, Math.floor(width / this.cell));
        this.canvas.width = this.columns * this.cell;
        this.canvas.height = Math.max(1, Math.ceil(n / this.columns) * this.cell);
        this.canvas.style.width = `${this.canvas.width / ratio}px`;
        this.canvas.style.height = `${this.canvas.height / ratio}px`;
        this.draw();
    }

    private readColours(): void {
        this.colours = shades().map(pack);
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
        const inner = this.cell > 3 ? this.cell - 1 : this.cell;
        let live = 0;
        for (let block = 0; block < this.m.blocks.n; block++) {
            const alive = lives(this.m, block, time);
            if (alive) live++;
            const colour = alive ? this.colours[this.shadeOf[block]] : made[block] > time ? unmade : gone;
            const left = (block % this.columns) * this.cell;
            const top = Math.floor(block / this.columns) * this.cell;
            for (let y = 0; y < inner; y++) {
                const row = (top + y) * width + left;
                pixels.fill(colour, row, row + inner);
            }
        }
        context.putImageData(image, 0, 0);
        if (chosen >= 0) this.mark(context, chosen);
        this.canvas.setAttribute("aria-label", `All ${count(this.m.blocks.n)} blocks; ${count(live)} in the cache. Arrow keys move the choice.`);
    }

    private mark(context: CanvasRenderingContext2D, block: number): void {
        const x = (block % this.columns) * this.cell;
        const y = Math.floor(block / this.columns) * this.cell;
        const around = Math.max(0, 5 - this.cell / 2);
        context.strokeStyle = styleValue("--accent");
        context.lineWidth = 2;
        context.strokeRect(x - around, y - around, this.cell + 2 * around, this.cell + 2 * around);
    }

    private blockAt(event: MouseEvent): number {
        const ratio = window.devicePixelRatio || 1;
        const column = Math.floor((event.offsetX * ratio) / this.cell);
        const block = Math.floor((event.offsetY * ratio) / this.cell) * this.columns + column;
        return column >= 0 && column < this.columns && block >= 0 && block < this.m.blocks.n ? block : -1;
    }

    private choose(block: number): void {
        if (block >= 0) this.state.setBlock(block);
    }

    private name(block: number): void {
        this.tip.textContent = block < 0 ? "" : `${blockName(this.m, block)}, ${count(this.m.blocks.samples[block])} samples`;
    }

    private key(event: KeyboardEvent): void {
        const by: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
        if (!(event.key in by)) return;
        event.preventDefault();
        event.stopPropagation();
        const block = this.state.block < 0 ? 0 : Math.max(0, Math.min(this.m.blocks.n - 1, this.state.block + by[event.key]));
        this.choose(block);
        this.name(block);
    }
}
