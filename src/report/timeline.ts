/* The time line: lanes of events, the moment looked at, zoom.  The lanes are drawn when the window of time or the size
 * changes; moving through time only moves the cursor. */
import { byId, fill, make, onResize, sizeCanvas, styleValue } from "./dom";
import { count, time } from "./format";
import { term } from "./glossary";
import { buildLanes, sampleLane, valueAt, type Lane } from "./lanes";
import { timesOf, type Model } from "./model";
import type { State } from "./state";

const TALL = 34; // pixels: the lane of blocks
const LOW = 12;
const GAP = 3;
const AXIS = 20;
const CLOSEST = 20; // microseconds across the window at most zoom

const laneHeight = (lane: Lane): number => (lane.ends ? TALL : LOW);

export class Timeline {
    private from = 0;
    private to: number;
    private width = 0;
    private lanes: Lane[];
    private flushes: Float64Array;
    private lostFrom: number;
    private canvas = make("canvas", { "aria-hidden": true });
    private cursor = make("div", { class: "cursor", "aria-hidden": true });
    private future = make("div", { class: "future", "aria-hidden": true });
    private slider: HTMLElement;
    private values: HTMLElement[] = [];

    constructor(
        m: Model,
        private state: State,
    ) {
        this.to = m.end;
        this.lanes = buildLanes(m);
        this.lostFrom = m.meta.dropped ? (m.meta.first_drop ?? -1) : -1;
        this.flushes = timesOf(m, "flushed");
        this.slider = make(
            "div",
            {
                class: "track",
                role: "slider",
                tabindex: 0,
                id: "time",
                "aria-label": "Moment looked at",
                "aria-valuemin": 0,
                "aria-valuemax": m.end,
            },
            this.canvas,
            this.future,
            this.cursor,
        );
        fill(byId("timeline"), this.labels(), this.slider, this.readouts());
        this.listen();
        state.on("time", () => this.moved());
        onResize(this.slider, (width) => {
            this.width = width;
            this.draw();
            this.moved();
        });
    }

    get window(): { from: number; to: number } {
        return { from: this.from, to: this.to };
    }

    /* Draws again, in the colours of now. */
    draw(): void {
        const height = this.height();
        this.slider.style.height = `${height}px`;
        this.canvas.style.height = `${height}px`;
        const context = sizeCanvas(this.canvas, this.width, height);
        context.clearRect(0, 0, this.width, height);
        let top = 0;
        for (const lane of this.lanes) {
            this.drawLane(context, lane, top);
            top += laneHeight(lane) + GAP;
        }
        this.drawFlushes(context, top);
        this.drawLost(context, top);
        this.drawAxis(context, top);
    }

    zoom(factor: number, around = this.state.time): void {
        const span = Math.min(this.state.end, Math.max(CLOSEST, (this.to - this.from) / factor));
        const share = Math.min(1, Math.max(0, (around - this.from) / (this.to - this.from)));
        this.setWindow(around - span * share, span);
    }

    zoomOut(): void {
        this.setWindow(0, this.state.end);
    }

    private height(): number {
        return this.lanes.reduce((sum, lane) => sum + laneHeight(lane) + GAP, 0) + AXIS;
    }

    private setWindow(from: number, span: number): void {
        this.from = Math.max(0, Math.min(from, this.state.end - span));
        this.to = this.from + span;
        this.draw();
        this.moved();
    }

    private labels(): HTMLElement {
        const rows = this.lanes.map((lane) => {
            const row = make("div", { class: "lane-label" }, term(lane.term, lane.label));
            row.style.height = `${laneHeight(lane) + GAP}px`;
            return row;
        });
        return make("div", { class: "lane-labels" }, ...rows);
    }

    private readouts(): HTMLElement {
        this.values = this.lanes.map((lane) => {
            const value = make("div", { class: "lane-value" });
            value.style.height = `${laneHeight(lane) + GAP}px`;
            return value;
        });
        return make("div", { class: "lane-values", "aria-hidden": true }, ...this.values);
    }

    private x(t: number): number {
        return ((t - this.from) / (this.to - this.from)) * this.width;
    }

    private drawLane(context: CanvasRenderingContext2D, lane: Lane, top: number): void {
        const height = laneHeight(lane);
        const n = Math.max(1, Math.floor(this.width));
        const values = sampleLane(lane, this.from, this.to, n);
        const most = values.reduce((a, b) => Math.max(a, b), 0);
        context.fillStyle = styleValue("--lane-back");
        context.fillRect(0, top, this.width, height);
        if (most === 0) return;
        context.fillStyle = styleValue(lane.colour);
        for (let i = 0; i < n; i++) {
            if (!values[i]) continue;
            const share = lane.ends ? values[i] / most : 0.25 + 0.75 * Math.sqrt(values[i] / most);
            const bar = Math.max(1, share * (height - 1));
            context.fillRect(i, top + height - bar, 1, bar);
        }
    }

    /* The whole cache at once: a line through all lanes. */
    private drawFlushes(context: CanvasRenderingContext2D, height: number): void {
        context.fillStyle = styleValue("--lane-flush");
        for (const t of this.flushes)
            if (t >= this.from && t <= this.to) context.fillRect(Math.round(this.x(t)), 0, 1.5, height);
    }

    /* From where on the recording has lost events to its bound: a line above the axis. */
    private drawLost(context: CanvasRenderingContext2D, top: number): void {
        if (this.lostFrom < 0 || this.lostFrom > this.to) return;
        const x = Math.max(0, this.x(this.lostFrom));
        context.fillStyle = styleValue("--warning");
        context.fillRect(x, top - 1, this.width - x, 2);
    }

    private drawAxis(context: CanvasRenderingContext2D, top: number): void {
        context.fillStyle = styleValue("--muted");
        context.strokeStyle = styleValue("--line");
        context.font = `11px ${styleValue("--sans")}`;
        context.textBaseline = "top";
        const step = tickStep((this.to - this.from) / Math.max(1, this.width / 110));
        for (let t = Math.ceil(this.from / step) * step; t <= this.to; t += step) {
            const x = Math.round(this.x(t)) + 0.5;
            context.beginPath();
            context.moveTo(x, top);
            context.lineTo(x, top + 4);
            context.stroke();
            const label = tickText(t, step);
            const room = context.measureText(label).width / 2;
            context.fillText(label, Math.min(this.width - 2 * room - 1, Math.max(1, x - room)), top + 6);
        }
    }

    private moved(): void {
        const { time: now } = this.state;
        if (now < this.from || now > this.to) {
            const span = this.to - this.from;
            this.setWindow(now < this.from ? now - span * 0.1 : now - span * 0.9, span);
            return;
        }
        const x = this.x(now);
        this.cursor.style.transform = `translateX(${x}px)`;
        this.future.style.left = `${x}px`;
        this.lanes.forEach((lane, i) => (this.values[i].textContent = count(valueAt(lane, now))));
        const blocks = valueAt(this.lanes[0], now);
        this.slider.setAttribute("aria-valuenow", String(Math.round(now)));
        this.slider.setAttribute("aria-valuetext", `${time(now)}, ${count(blocks)} blocks in the cache`);
    }

    private listen(): void {
        const { slider } = this;
        const scrub = (event: PointerEvent) => {
            const box = slider.getBoundingClientRect();
            this.state.setTime(this.from + ((event.clientX - box.left) / box.width) * (this.to - this.from));
        };
        slider.addEventListener("pointerdown", (event) => {
            if (event.button !== 0) return;
            slider.setPointerCapture(event.pointerId);
            scrub(event);
        });
        slider.addEventListener("pointermove", (event) => slider.hasPointerCapture(event.pointerId) && scrub(event));
        slider.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
        slider.addEventListener("keydown", (event) => this.key(event));
    }

    private wheel(event: WheelEvent): void {
        event.preventDefault();
        const span = this.to - this.from;
        if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
            this.setWindow(this.from + ((event.deltaX || event.deltaY) / this.width) * span, span);
            return;
        }
        const box = this.slider.getBoundingClientRect();
        this.zoom(Math.exp(-event.deltaY / 400), this.from + ((event.clientX - box.left) / box.width) * span);
    }

    private key(event: KeyboardEvent): void {
        const step = (this.to - this.from) / Math.max(1, this.width);
        const by = event.shiftKey ? 25 * step : 4 * step;
        const to: Record<string, number> = {
            ArrowRight: this.state.time + by,
            ArrowUp: this.state.time + by,
            ArrowLeft: this.state.time - by,
            ArrowDown: this.state.time - by,
            PageUp: this.state.time + (this.to - this.from) / 10,
            PageDown: this.state.time - (this.to - this.from) / 10,
            Home: 0,
            End: this.state.end,
        };
        if (event.key in to) this.state.setTime(to[event.key]);
        else if (event.key === "+" || event.key === "=") this.zoom(2);
        else if (event.key === "-") this.zoom(0.5);
        else if (event.key === "0") this.zoomOut();
        else return;
        event.preventDefault();
        event.stopPropagation();
    }
}

/* The next of 1, 2, 5, 10 ... */
function tickStep(atLeast: number): number {
    const power = 10 ** Math.floor(Math.log10(Math.max(atLeast, 1)));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= atLeast) ?? 10 * power;
}

function tickText(t: number, step: number): string {
    if (step >= 1e6) return `${Math.round(t / 1e6)} s`;
    if (t >= 1e6) return `${(t / 1e6).toFixed(Math.min(6, Math.ceil(6 - Math.log10(step))))} s`;
    if (step >= 1e3) return `${Math.round(t / 1e3)} ms`;
    return t >= 1e3 ? `${(t / 1e3).toFixed(Math.min(3, Math.ceil(3 - Math.log10(step))))} ms` : `${Math.round(t)} µs`;
}
