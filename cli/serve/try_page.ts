import { stripTypeScriptTypes } from "node:module";
import base from "../../web/style/base.css" with { type: "text" };
import html from "../../web/try/try.html" with { type: "text" };
import script from "../../web/try/try_page.ts" with { type: "text" };
import style from "../../web/try/try.css" with { type: "text" };
import { policyOf } from "../view/served_page.ts";

/** The page for trying a model, with what browsers are told about it: it runs its own script, and asks its own origin alone. */
export function tryPage(): Response {
  const page = made();
  return new Response(page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policyOf(page),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

let page: string | undefined;

function made(): string {
  return page ??= html.replace(
    "/*script*/",
    () => `const STYLE = ${JSON.stringify(`${base}${style}`)};\n${stripTypeScriptTypes(script)}`,
  );
}
