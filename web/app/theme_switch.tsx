import { useState } from "preact/hooks";
import { useKeys } from "./keys.ts";
import { chooseTheme, type ThemeChoice, themeChoice } from "./theme.ts";

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };
const SIGNS: Record<ThemeChoice, string> = { system: "◐", light: "☀", dark: "☾" };

/** Goes through the system's scheme, light, and dark. */
export function ThemeSwitch() {
  const [choice, setChoice] = useState(themeChoice);
  const next = () => {
    chooseTheme(NEXT[choice]);
    setChoice(NEXT[choice]);
  };
  useKeys([{ key: "t", says: "next colour scheme", act: next }]);
  return (
    <button
      type="button"
      class="button bare theme"
      onClick={next}
      aria-label={`Colour scheme: ${choice}`}
      title={`Colour scheme: ${choice} (t)`}
    >
      <span aria-hidden="true">{SIGNS[choice]}</span>
    </button>
  );
}
