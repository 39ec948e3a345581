import { useState } from "preact/hooks";
import { type VisiblePart, visibleParts, visibleToken } from "./visible_text.ts";

/** Characters shown of a text until more are asked for: a browser lays out a line of a million for seconds. */
const SHOWN = 4000;

/** A text of strangers: as text, whatever it holds, in a direction of its own, with its beginning first where it is long. */
export function ShownText({ text, limit = SHOWN }: { text: string; limit?: number }) {
  const [shown, setShown] = useState(limit);
  const end = wholeCharacters(text, shown);
  return (
    <bdi class="shown-text">
      <SignedParts parts={visibleParts(text.slice(0, end))} />
      {end < text.length && (
        <button type="button" class="more-text" onClick={() => setShown(shown * 10)}>
          … {(text.length - end).toLocaleString("en")} more characters
        </button>
      )}
    </bdi>
  );
}

/** A token's text on one line, cut to its first characters; `bare` without the spaces around it, unless it is nothing else. */
export function TokenText(
  { text, limit = 40, bare = false }: { text: string; limit?: number; bare?: boolean },
) {
  const whole = bare && text.trim() !== "" ? text.replace(/^ +| +$/g, "") : text;
  const end = wholeCharacters(whole, limit);
  return (
    <bdi class="token-text">
      <SignedParts parts={visibleToken(whole.slice(0, end))} />
      {end < whole.length && "…"}
    </bdi>
  );
}

/** Parts of a text, signs among them. */
export function SignedParts({ parts }: { parts: readonly VisiblePart[] }) {
  return (
    <>
      {parts.map(({ text, sign }, i) =>
        sign === null ? text : <span key={i} class="sign" title={sign}>{text}</span>
      )}
    </>
  );
}

/** No cut goes through a surrogate pair. */
function wholeCharacters(text: string, end: number): number {
  if (end >= text.length) return text.length;
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code < 0xdc00 ? end - 1 : end;
}
