/* Keys for the whole page.  What has the focus comes first: a list, the time line and the graph take their own. */

type Actions = Record<string, () => void>;

const typing = (target: EventTarget | null): boolean =>
    target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;

/* Space presses the button that has the focus, as everywhere. */
const ownSpace = (target: EventTarget | null): boolean =>
    target instanceof HTMLButtonElement || (target instanceof Element && target.tagName === "SUMMARY");

export function startKeys(actions: Actions): void {
    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
        if (event.key === " " && ownSpace(event.target)) return;
        if (document.querySelector("dialog[open]") && event.key !== "?") return;
        const action = actions[event.key];
        if (!action) return;
        event.preventDefault();
        action();
    });
}
