/* More room for the chosen block: the graph and the lists make way, and come back. */
import { button, byId } from "./dom";

export interface Enlarge {
    flip(): void;
    end(): void;
}

export function startEnlarge(): Enlarge {
    const body = byId("body");
    const set = (large: boolean) => {
        body.classList.toggle("block-only", large);
        toggle.setAttribute("aria-pressed", String(large));
    };
    const flip = () => set(!body.classList.contains("block-only"));
    const toggle = button("Enlarge", flip, { "aria-pressed": false, "data-tip": "Give the block all the room (b)" });
    byId("block-tools").append(toggle);
    return { flip, end: () => set(false) };
}
