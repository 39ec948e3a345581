import process from "node:process";
import { styleText } from "node:util";

/** Colours a text for stderr, where that is a terminal and NO_COLOR is not set. */
export function paint(text: string, style: Parameters<typeof styleText>[0]): string {
  return styleText(style, text, { stream: process.stderr });
}
