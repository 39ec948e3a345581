import { useTheme } from "../app/theme.ts";
import type { Curve } from "../figures/figure.ts";
import { colourOf, dashOf } from "../figures/palette.ts";
import { Stroke } from "./hover.tsx";

/** What the strokes of one chart are. */
export function Legend({ curves }: { curves: readonly Curve[] }) {
  const theme = useTheme();
  return (
    <ul class="legend">
      {curves.map(({ name, colour, dash }) => (
        <li key={name}>
          <Stroke colour={colourOf(theme, colour)} dash={dashOf(colour, dash)} />
          {name}
        </li>
      ))}
    </ul>
  );
}
