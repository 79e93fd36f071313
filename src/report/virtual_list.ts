/* A list of any length that draws only the rows in view.  For assistive technology it is a listbox: the list has the
 * focus, arrows move the active row, Enter chooses it. */
import { make, onResize } from "./dom";

export interface ListOptions {
    label: string;
    rowHeight: number;
    empty: string; // shown instead of rows when there are none
    draw(row: HTMLElement, index: number): void; // row is empty
    choose(index: number): void;
    isSelected?(index: number): boolean;
}

const MARGIN = 6; // rows drawn beyond what is in view

let serial = 0;

export class VirtualList {
    readonly element: HTMLElement;
    private sizer: HTMLElement;
    private nothing: HTMLElement;
    private rows = new Map<number, HTMLElement>();
    private count = 0;
    private active = 0;
    private id = `list${++serial}`;

    constructor(private options: ListOptions) {
        this.sizer = make("div", { class: "list-rows", role: "presentation" });
        this.nothing = make("p", { class: "empty", hidden: true }, options.empty);
        this.element = make(
            "div",
            { class: "list", role: "listbox", tabindex: 0, "aria-label": options.label },
            this.sizer,
            this.nothing,
        );
        this.element.addEventListener("scroll", () => this.show());
        this.element.addEventListener("keydown", (event) => this.key(event));
        this.element.addEventListener("click", (event) => this.click(event));
        onResize(this.element, () => this.show());
    }

    setCount(count: number): void {
        this.count = count;
        this.active = Math.min(this.active, Math.max(0, count - 1));
        this.sizer.style.height = `${count * this.options.rowHeight}px`;
        this.nothing.hidden = count > 0;
        this.refresh();
    }

    /* The rows' content or selection has changed. */
    refresh(): void {
        for (const row of this.rows.values()) row.remove();
        this.rows.clear();
        this.show();
    }

    activate(index: number): void {
        if (this.count === 0) return;
        this.active = Math.max(0, Math.min(this.count - 1, index));
        const top = this.active * this.options.rowHeight;
        const { scrollTop, clientHeight } = this.element;
        if (top < scrollTop) this.element.scrollTop = top;
        else if (top + this.options.rowHeight > scrollTop + clientHeight)
            this.element.scrollTop = top + this.options.rowHeight - clientHeight;
        this.refresh();
    }

    private show(): void {
        const { scrollTop, clientHeight } = this.element;
        const first = Math.max(0, Math.floor(scrollTop / this.options.rowHeight) - MARGIN);
        const end = Math.min(this.count, Math.ceil((scrollTop + clientHeight) / this.options.rowHeight) + MARGIN);
        for (const [index, row] of this.rows) {
            if (index >= first && index < end) continue;
            row.remove();
            this.rows.delete(index);
        }
        for (let index = first; index < end; index++) if (!this.rows.has(index)) this.draw(index);
        this.element.setAttribute(
            "aria-activedescendant",
            this.rows.has(this.active) ? `${this.id}-${this.active}` : "",
        );
    }

    private draw(index: number): void {
        const row = make("div", {
            class: "list-row",
            role: "option",
            id: `${this.id}-${index}`,
            "data-index": index,
            "aria-setsize": this.count,
            "aria-posinset": index + 1,
            "aria-selected": this.options.isSelected?.(index) ?? false,
        });
        row.classList.toggle("active", index === this.active);
        row.style.transform = `translateY(${index * this.options.rowHeight}px)`;
        row.style.height = `${this.options.rowHeight}px`;
        this.options.draw(row, index);
        this.rows.set(index, row);
        this.sizer.append(row);
    }

    private click(event: MouseEvent): void {
        const row = event.target instanceof Element ? event.target.closest<HTMLElement>(".list-row") : null;
        if (!row) return;
        this.active = Number(row.dataset.index);
        this.options.choose(this.active);
        this.refresh();
    }

    private key(event: KeyboardEvent): void {
        const page = Math.max(1, Math.floor(this.element.clientHeight / this.options.rowHeight) - 1);
        const moves: Record<string, number> = {
            ArrowDown: this.active + 1,
            ArrowUp: this.active - 1,
            PageDown: this.active + page,
            PageUp: this.active - page,
            Home: 0,
            End: this.count - 1,
        };
        if (event.key in moves) this.activate(moves[event.key]);
        else if (event.key === "Enter" && this.count > 0) {
            this.options.choose(this.active);
            this.refresh();
        } else return;
        event.preventDefault();
        event.stopPropagation();
    }
}
