import type { ComponentChildren } from "preact";
import type { Answer } from "../app/use_answer.ts";

/** In place of what is not there: what it would be, and what makes it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Says what went wrong with an answer, and nothing else; and that it is on its way, in place of the first one. */
export function Waiting({ answer, what }: { answer: Answer<unknown>; what: string }) {
  if (answer.error) {
    return <p class="notice bad" role="alert">Cannot show {what}: {answer.error}</p>;
  }
  return answer.value === undefined ? <p class="empty" role="status">Reading {what}…</p> : null;
}
