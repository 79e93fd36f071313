/* Playing the recording: time moves by itself, faster or slower than it was. */
import { button, byId, fill, make } from "./dom";
import { time } from "./format";
import type { State } from "./state";

const WHOLE_RUN = 20; // seconds that "fit" takes
const SPEEDS: [string, string][] = [
    ["fit", `Whole run in ${WHOLE_RUN} s`],
    ["1", "As fast as it was"],
    ["0.1", "10 times slower"],
    ["0.01", "100 times slower"],
    ["0.001", "1000 times slower"],
];

export class Player {
    private playing = false;
    private last = 0;
    private toggle = button("Play", () => this.setPlaying(!this.playing), {
        class: "primary",
        "aria-pressed": false,
        id: "play",
    });
    private readout = make("output", { class: "clock", for: "time" });
    private speed = make(
        "select",
        { "aria-label": "Speed", id: "speed" },
        ...SPEEDS.map(([value, label]) => make("option", { value }, label)),
    );

    constructor(
        private state: State,
        zoom: { in(): void; out(): void; whole(): void },
    ) {
        fill(
            byId("player"),
            this.toggle,
            this.readout,
            this.speed,
            make("span", { class: "spacer" }),
            make("span", { class: "hint" }, "drag or ← → to move, wheel or + − to zoom"),
            button("−", zoom.out, { class: "square", "aria-label": "Show more of the time line" }),
            button("+", zoom.in, { class: "square", "aria-label": "Zoom into the time line" }),
            button("Whole run", zoom.whole),
        );
        state.on("time", () => this.show());
        this.show();
    }

    setPlaying(playing: boolean): void {
        if (playing === this.playing) return;
        this.playing = playing;
        this.toggle.textContent = playing ? "Pause" : "Play";
        this.toggle.setAttribute("aria-pressed", String(playing));
        if (!playing) return;
        if (this.state.time >= this.state.end) this.state.setTime(0);
        this.last = performance.now();
        requestAnimationFrame((now) => this.step(now));
    }

    flip(): void {
        this.setPlaying(!this.playing);
    }

    private step(now: number): void {
        if (!this.playing) return;
        const elapsed = Math.max(0, now - this.last) * 1000;
        this.last = now;
        const rate = this.speed.value === "fit" ? this.state.end / (WHOLE_RUN * 1e6) : Number(this.speed.value);
        this.state.setTime(this.state.time + elapsed * rate);
        if (this.state.time >= this.state.end) this.setPlaying(false);
        else requestAnimationFrame((next) => this.step(next));
    }

    private show(): void {
        this.readout.textContent = `${time(this.state.time)} of ${time(this.state.end)}`;
    }
}
