import { rendererFile } from "./renderer_files.ts";

/** Dots of a picture for one of the drawing: 300 to the inch for print. */
const SCALE = 300 / 96;

let ready: Promise<typeof import("@resvg/resvg-wasm")> | undefined;

/** A drawing as PNG of 300 dots to the inch: its own font and no browser, so that it comes out the same everywhere. */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await (ready ??= load());
  const fontBuffers = [rendererFile("inter-400.woff2"), rendererFile("inter-600.woff2")];
  const picture = new Resvg(svg, {
    font: { fontBuffers, defaultFontFamily: "Inter", loadSystemFonts: false },
    fitTo: { mode: "zoom", value: SCALE },
  });
  try {
    return picture.render().asPng();
  } finally {
    picture.free();
  }
}

async function load(): Promise<typeof import("@resvg/resvg-wasm")> {
  const resvg = await import("@resvg/resvg-wasm");
  await resvg.initWasm(rendererFile("resvg.wasm"));
  return resvg;
}
