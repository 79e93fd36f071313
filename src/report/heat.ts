/* Heat as colour: from the panel's own background (never seen running) to the theme's hottest, by the logarithm of the
 * samples, since a few blocks have most of them. */
import { styleValue } from "./dom";
import type { Model } from "./model";

export const SHADES = 32;

/* 0 for none, else 1 .. SHADES - 1. */
export function shade(m: Model, block: number): number {
    const samples = m.blocks.samples[block];
    if (samples <= 0) return 0;
    const share = Math.log1p(samples) / Math.log1p(Math.max(m.maxSamples, 1));
    return Math.max(1, Math.round(share * (SHADES - 1)));
}

export type Rgb = [number, number, number];

export const mix = (from: Rgb, to: Rgb, share: number): Rgb =>
    from.map((c, i) => Math.round(c + (to[i] - c) * share)) as Rgb;

export function rgb(hexColour: string): Rgb {
    const n = parseInt(hexColour.slice(1), 16);
    return [n >> 16, (n >> 8) & 255, n & 255];
}

export function shades(): Rgb[] {
    const cold = rgb(styleValue("--heat-none"));
    const warm = rgb(styleValue("--heat-low"));
    const hot = rgb(styleValue("--heat-high"));
    return Array.from({ length: SHADES }, (_, i) => {
        if (i === 0) return cold;
        const f = i / (SHADES - 1);
        return mix(warm, hot, f);
    });
}

export const css = ([r, g, b]: Rgb): string => `rgb(${r},${g},${b})`;
