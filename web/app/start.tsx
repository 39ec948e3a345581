import { render } from "preact";
import type { Source } from "../data/view_data.ts";
import { App } from "./app.tsx";
import { applyTheme, themeChoice } from "./theme.ts";

/** Puts styles and the page into the document. */
export function start(source: Source, styles: readonly string[]): void {
  applyTheme(themeChoice());
  const style = document.createElement("style");
  style.textContent = styles.join("\n");
  document.head.append(style);
  render(<App source={source} />, document.getElementById("root")!);
}
