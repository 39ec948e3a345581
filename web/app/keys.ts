import { useEffect, useRef } from "preact/hooks";

/** What a key does, and how the list of keys says it. */
export interface Key {
  /** As `KeyboardEvent.key` has it, such as `j`, `ArrowLeft`, `/`. */
  key: string;
  says: string;
  /** Left out of a key that something in focus sees to itself, and that is only told of. */
  act?: () => void;
}

const held = new Set<{ current: readonly Key[] }>();

/** Keys that work while a component is shown; not while one types, nor with Ctrl, Alt or Meta held. */
export function useKeys(keys: readonly Key[]): void {
  const own = useRef(keys);
  own.current = keys;
  useEffect(() => {
    held.add(own);
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isTyping(event)) return;
      const pressed = own.current.find(({ key, act }) => act && key === event.key);
      if (!pressed?.act) return;
      event.preventDefault();
      pressed.act();
    };
    document.addEventListener("keydown", listen);
    return () => {
      held.delete(own);
      document.removeEventListener("keydown", listen);
    };
  }, []);
}

/** All keys that work now. */
export const keysNow = (): Key[] => [...held].flatMap(({ current }) => current);

function isTyping({ target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName) ||
    target.closest("dialog") !== null;
}
