import type { ComponentChildren } from "preact";

/** A box that scrolls to the side where it is too wide, by keyboard as well. */
export function Scroll({ label, class: more = "", children }: {
  label: string;
  class?: string;
  children: ComponentChildren;
}) {
  return <div class={`scroll ${more}`} role="region" aria-label={label} tabIndex={0}>{children}</div>;
}
