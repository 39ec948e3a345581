import type { Place } from "../data/view_data.ts";
import { ago, grouped, settingText } from "../parts/format.ts";
import { StateBadge } from "../parts/badges.tsx";
import { href, type Route } from "./route.ts";
import { useShown } from "./source_context.ts";
import { tabAddress, VIEWS } from "./views.ts";

const UNITS = { run: "updates", evaluation: "rollouts", sweep: "jobs" } as const;

/** Name, state and tabs of the place that a view is of. */
export function PlaceHeader({ place, route }: { place: Place; route: Route }) {
  const { overview } = useShown();
  const sweep = overview.places.find(({ id }) => id === place.sweep);
  const marked = VIEWS[route.view]?.below ?? route.view;
  const of = place.ofSteps === null ? "" : ` of ${grouped(place.ofSteps)}`;
  return (
    <header class="place">
      <div class="place-name">
        <h1>
          {sweep && <a class="soft" href={href("run", [sweep.id, "curves"])}>{sweep.name} /</a>}
          {place.name}
        </h1>
        <StateBadge state={place.state} failure={place.failure} />
        <div class="facts">
          {["task", "thinking", "model"].map((key) =>
            place.settings[key] !== undefined && <span key={key}>{settingText(place.settings[key])}</span>
          )}
          <span>{grouped(place.steps)}{of} {UNITS[place.kind]}</span>
          <span>written {ago(place.updated, Date.now())}</span>
        </div>
      </div>
      {place.failure && <p class="notice bad">{place.failure}</p>}
      <nav class="tabs" aria-label={`Views of ${place.name}`}>
        {Object.entries(VIEWS).filter(([_, view]) => view.tabOf?.(place)).map(([name, { title }]) => (
          <a key={name} href={tabAddress(name, place)} aria-current={name === marked ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
    </header>
  );
}
