/* Light or dark: as the system has it, until the user says otherwise. */
import { button, byId } from "./dom";

const KEY = "calque-report-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

/* Storage may be refused to pages from disk; the choice then lasts as long as the page. */
function remembered(): string | null {
    try {
        return localStorage.getItem(KEY);
    } catch {
        return null;
    }
}

function remember(theme: string): void {
    try {
        localStorage.setItem(KEY, theme);
    } catch {
        /* see above */
    }
}

/* Calls back when the colours have changed; returns what flips them. */
export function startTheme(changed: () => void): () => void {
    let chosen = remembered();
    const toggle = button("", () => flip());
    const apply = () => {
        const dark = chosen ? chosen === "dark" : system.matches;
        document.documentElement.dataset.theme = dark ? "dark" : "light";
        toggle.textContent = dark ? "Light" : "Dark";
        toggle.setAttribute("aria-label", dark ? "Switch to light colours" : "Switch to dark colours");
        changed();
    };
    const flip = () => {
        chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
        remember(chosen);
        apply();
    };
    byId("header-tools").append(toggle);
    system.addEventListener("change", apply);
    apply();
    return flip;
}
