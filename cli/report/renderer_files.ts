import "@fontsource/inter/package.json" with { type: "json" }; // so that Deno has the package at hand
import { ownBuild } from "../facts/own_build.ts";

/** What pictures are rendered with, by the name that a built copy keeps it under beside its code. */
export const RENDERER_FILES = {
  "resvg.wasm": "@resvg/resvg-wasm/index_bg.wasm",
  "inter-400.woff2": "@fontsource/inter/files/inter-latin-400-normal.woff2",
  "inter-600.woff2": "@fontsource/inter/files/inter-latin-600-normal.woff2",
} as const;

/** The bytes of one of {@link RENDERER_FILES}. */
export function rendererFile(name: keyof typeof RENDERER_FILES): Uint8Array<ArrayBuffer> {
  const url = ownBuild()
    ? new URL(name, import.meta.url)
    : new URL(import.meta.resolve(RENDERER_FILES[name]));
  return Deno.readFileSync(url);
}
