/* Making elements.  Text always goes in as text: symbols, commands and disassembly come from the guest, and the guest
 * may be hostile. */

type Attributes = Record<string, string | number | boolean | undefined>;
export type Child = Node | string | undefined | false;

/* make("button", { class: "tool", "aria-pressed": true }, "Play"); attributes that are undefined are left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    attributes: Attributes = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    setAttributes(element, attributes);
    append(element, children);
    return element;
}

export function setAttributes(element: Element, attributes: Attributes): void {
    for (const [name, value] of Object.entries(attributes)) {
        if (value === undefined) element.removeAttribute(name);
        else if (value === true && !name.startsWith("aria-")) element.setAttribute(name, "");
        else if (value === false && !name.startsWith("aria-")) element.removeAttribute(name);
        else element.setAttribute(name, String(value));
    }
}

function append(element: Element, children: Child[]): void {
    for (const child of children) if (child) element.append(child);
}

export function fill(element: Element, ...children: Child[]): void {
    element.replaceChildren();
    append(element, children);
}

export function byId<T extends HTMLElement>(id: string): T {
    const element = document.getElementById(id);
    if (!element) throw new Error(`no element #${id}`);
    return element as T;
}

/* A value of the style sheet, for what is drawn rather than styled. */
export function styleValue(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
    const element = make("button", { type: "button", ...attributes }, label);
    element.addEventListener("click", onClick);
    return element;
}

/* Calls back with the element's size now and whenever it changes. */
export function onResize(element: Element, changed: (width: number, height: number) => void): void {
    new ResizeObserver(([entry]) => changed(entry.contentRect.width, entry.contentRect.height)).observe(element);
}

/* Sizes a canvas for the screen's pixels; drawing is then in CSS pixels. */
export function sizeCanvas(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser draws no canvas");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
}
