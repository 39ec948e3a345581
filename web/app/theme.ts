import { useEffect, useState } from "preact/hooks";

/** What the switch stands on: the system's scheme, or one of one's own. */
export type ThemeChoice = "system" | "light" | "dark";
/** What is seen. */
export type Theme = "light" | "dark";

const KEY = "softcot-theme";
const CHANGED = "softcot-theme-changed";
const system = matchMedia("(prefers-color-scheme: dark)");

/** The choice that was made on this machine before; `system` without one, or where the browser keeps nothing. */
export function themeChoice(): ThemeChoice {
  const kept = quietly(() => localStorage.getItem(KEY));
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** Shows the page in a scheme from now on. */
export function chooseTheme(choice: ThemeChoice): void {
  quietly(() => choice === "system" ? localStorage.removeItem(KEY) : localStorage.setItem(KEY, choice));
  applyTheme(choice);
  dispatchEvent(new Event(CHANGED));
}

/** Sets the scheme on the document, whose styles follow it by `color-scheme`. */
export function applyTheme(choice: ThemeChoice): void {
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

/** The scheme that is seen, for what is drawn and not styled: again when it changes. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(seen);
  useEffect(() => {
    const follow = () => setTheme(seen());
    addEventListener(CHANGED, follow);
    system.addEventListener("change", follow);
    return () => {
      removeEventListener(CHANGED, follow);
      system.removeEventListener("change", follow);
    };
  }, []);
  return theme;
}

function seen(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
}

/** Pages from disk may have no storage. */
function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
