/* Numbers as text, the same everywhere. */
import type { Model } from "./model";

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (n: number): string => grouped.format(n);

export const hex = (n: number, digits = 8): string => n.toString(16).padStart(digits, "0");

export function bytes(n: number): string {
    if (n < 10 * 1024) return `${count(n)} B`;
    if (n < 10 * 1024 * 1024) return `${count(n / 1024)} KiB`;
    return `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

/* A moment: microseconds as seconds, milliseconds or microseconds, with about four digits that say something. */
export function time(us: number): string {
    if (us >= 10e6) return `${(us / 1e6).toFixed(2)} s`;
    if (us >= 1e6) return `${(us / 1e6).toFixed(3)} s`;
    if (us >= 1e3) return `${(us / 1e3).toFixed(us >= 1e5 ? 1 : 2)} ms`;
    return `${Math.round(us)} µs`;
}

/* To the microsecond, where moments are close to each other. */
export const exactTime = (us: number): string => `${(us / 1e6).toFixed(6)} s`;

export const percent = (part: number, whole: number): string => {
    if (!whole) return "0 %";
    const p = (part / whole) * 100;
    if (p > 0 && p < 0.1) return "< 0.1 %";
    return `${p.toFixed(p < 10 ? 1 : 0)} %`;
};

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/* The function, with the distance from its start; empty when the recording has no name for it. */
export function place(m: Model, block: number): string {
    const name = m.symbols[m.blocks.symbol[block]];
    if (!name) return "";
    const offset = m.blocks.offset[block];
    return offset ? `${name}+0x${offset.toString(16)}` : name;
}

export const address = (m: Model, block: number): string => hex(m.blocks.eip[block]);

/* One line that names a block to a person. */
export function blockName(m: Model, block: number): string {
    const where = place(m, block);
    return where ? `${address(m, block)} ${where}` : address(m, block);
}
