/** A text within XML, without characters that XML does not have. */
export function escaped(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "").replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** About how wide a text is in a sans-serif font of that size. */
export function textWidth(text: string, size: number): number {
  return size *
    [...text].reduce(
      (sum, letter) => sum + (/[iljtf.,:'| ]/.test(letter) ? 0.32 : /[mwMW]/.test(letter) ? 0.86 : 0.58),
      0,
    );
}
