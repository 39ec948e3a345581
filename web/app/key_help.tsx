import { useRef, useState } from "preact/hooks";
import { type Key, keysNow, useKeys } from "./keys.ts";

const NAMES: Record<string, string> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  " ": "space",
  Escape: "Esc",
};

/** The list of keys that work in the view that is shown: a button, and the key ?. */
export function KeyHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [keys, setKeys] = useState<Key[]>([]);
  const show = () => {
    setKeys(keysNow());
    dialog.current!.showModal();
  };
  useKeys([{ key: "?", says: "this list", act: show }]);
  return (
    <>
      <button type="button" class="button bare" onClick={show} aria-label="Keys" title="Keys (?)">
        <span aria-hidden="true">?</span>
      </button>
      <dialog ref={dialog} aria-labelledby="keys-title">
        <h2 id="keys-title">Keys</h2>
        <dl class="keys">
          {keys.map(({ key, says }) => (
            <>
              <dt key={`${key} key`}>
                <kbd>{NAMES[key] ?? key}</kbd>
              </dt>
              <dd key={key}>{says}</dd>
            </>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit" class="button">Close</button>
        </form>
      </dialog>
    </>
  );
}
