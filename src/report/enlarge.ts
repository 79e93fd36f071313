/* More room for the chosen block: the graph makes way, and comes back. */
import { button, byId } from "./dom";

export function startEnlarge(): () => void {
    const flip = () => {
        const large = byId("views").classList.toggle("block-only");
        toggle.setAttribute("aria-pressed", String(large));
    };
    const toggle = button("Enlarge", flip, { "aria-pressed": false, "data-tip": "Give the block all the room (b)" });
    byId("block-tools").append(toggle);
    return flip;
}
