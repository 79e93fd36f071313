/* What the user has chosen: the moment looked at and the block.  Parts of the page listen; none knows another. */

export interface Choice {
    time: number; // microseconds
    block: number; // -1: none
}

type Part = keyof Choice;
type Listener = () => void;

export class State {
    time: number;
    private listeners: Record<Part, Listener[]> = { time: [], block: [] };
    private changed = new Set<Part>();

    constructor(
        readonly end: number,
        public block: number,
    ) {
        this.time = end;
    }

    on(part: Part, listener: Listener): void {
        this.listeners[part].push(listener);
    }

    setTime(time: number): void {
        const clamped = Math.min(this.end, Math.max(0, time));
        if (clamped === this.time) return;
        this.time = clamped;
        this.tell("time");
    }

    setBlock(block: number): void {
        if (block === this.block) return;
        this.block = block;
        this.tell("block");
    }

    /* However often a pointer moves, what is drawn changes once a frame. */
    private tell(part: Part): void {
        if (this.changed.size === 0) requestAnimationFrame(() => this.flush());
        this.changed.add(part);
    }

    private flush(): void {
        const parts = [...this.changed];
        this.changed.clear();
        for (const part of parts) for (const listener of this.listeners[part]) listener();
    }
}
