import { render } from "preact";
import type { Source } from "../data/view_data.ts";
import { App } from "./app.tsx";
import { applyTheme, themeChoice } from "./theme.ts";

/** Puts styles and the page into the document. */
export function start(source: Source, styles: readonly string[]): void {
  applyTheme(themeChoice());
  // As the page's own, which its Content-Security-Policy lets it have: an element of style would need leave of its own.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles.join("\n"));
  document.adoptedStyleSheets.push(sheet);
  render(<App source={source} />, document.getElementById("root")!);
}
