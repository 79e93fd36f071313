/* A bar between two parts that can be dragged, or moved with arrow keys: role separator. */
import { byId } from "./dom";

export function startSplitter(id: string, property: string, horizontal: boolean, first: number, least: number): void {
    const bar = byId(id);
    const root = document.documentElement;
    let share = first; // percent, of the element's parent
    const set = (value: number) => {
        share = Math.max(least, Math.min(100 - least, value));
        root.style.setProperty(property, `${share}%`);
        bar.setAttribute("aria-valuenow", String(Math.round(share)));
    };
    bar.addEventListener("pointerdown", (event) => {
        bar.setPointerCapture(event.pointerId);
        event.preventDefault();
    });
    bar.addEventListener("pointermove", (event) => {
        if (!bar.hasPointerCapture(event.pointerId) || !bar.parentElement) return;
        const box = bar.parentElement.getBoundingClientRect();
        set(
            horizontal
                ? ((event.clientY - box.top) / box.height) * 100
                : ((event.clientX - box.left) / box.width) * 100,
        );
    });
    bar.addEventListener("keydown", (event) => {
        const back = horizontal ? "ArrowUp" : "ArrowLeft";
        const forth = horizontal ? "ArrowDown" : "ArrowRight";
        if (event.key !== back && event.key !== forth) return;
        event.preventDefault();
        event.stopPropagation();
        set(share + (event.key === forth ? 3 : -3));
    });
    bar.addEventListener("dblclick", () => set(first));
    set(first);
}
