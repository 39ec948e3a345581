import { createHash } from "node:crypto";
import { ownPage } from "../page/own_page.ts";
import type { Page } from "./serve_view.ts";

/** The page as it is served: its own script runs and no other, and it asks its own origin alone. */
export async function servedPage(): Promise<Page> {
  const html = await ownPage();
  return { html, policy: policyOf(html) };
}

/** What a page may do: run the scripts that stand in it, show images that it makes itself, ask where it came from. */
export function policyOf(html: string): string {
  const scripts = [...html.matchAll(/<script(?:\s+type="module")?>([\s\S]*?)<\/script>/g)]
    .map(([, script]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`);
  return [
    "default-src 'none'",
    `script-src ${scripts.join(" ")}`,
    "img-src data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
