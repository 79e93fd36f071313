/* Tabs as the ARIA practices have them: one tab stop, arrows go from tab to tab, the panel of the chosen one is shown. */
import { byId, make } from "./dom";

export interface Tab {
    id: string; // of the panel, which is in the page
    label: string;
    shown?(): void;
}

export class Tabs {
    private buttons: HTMLButtonElement[];
    private current = 0;

    constructor(
        strip: HTMLElement,
        label: string,
        private tabs: Tab[],
    ) {
        this.buttons = tabs.map((tab, i) => {
            const element = make(
                "button",
                { type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": tab.id },
                tab.label,
            );
            element.addEventListener("click", () => this.choose(i));
            const panel = byId(tab.id);
            panel.setAttribute("role", "tabpanel");
            panel.setAttribute("aria-labelledby", element.id);
            return element;
        });
        strip.setAttribute("role", "tablist");
        strip.setAttribute("aria-label", label);
        strip.append(...this.buttons);
        strip.addEventListener("keydown", (event) => this.key(event));
        this.choose(0);
    }

    choose(index: number): void {
        this.current = index;
        this.tabs.forEach((tab, i) => {
            byId(tab.id).hidden = i !== index;
            this.buttons[i].setAttribute("aria-selected", String(i === index));
            this.buttons[i].tabIndex = i === index ? 0 : -1;
        });
        this.tabs[index].shown?.();
    }

    open(id: string): void {
        this.choose(this.tabs.findIndex((tab) => tab.id === id));
    }

    label(id: string, text: string): void {
        this.buttons[this.tabs.findIndex((tab) => tab.id === id)].textContent = text;
    }

    private key(event: KeyboardEvent): void {
        const n = this.tabs.length;
        const to: Record<string, number> = {
            ArrowRight: (this.current + 1) % n,
            ArrowLeft: (this.current + n - 1) % n,
            Home: 0,
            End: n - 1,
        };
        if (!(event.key in to)) return;
        event.preventDefault();
        event.stopPropagation();
        this.choose(to[event.key]);
        this.buttons[this.current].focus();
    }
}
