import type { Place } from "../data/view_data.ts";
import { CurvesView } from "../curves/curves_view.tsx";
import { RolloutView } from "../rollouts/rollout_view.tsx";
import { RolloutsView } from "../rollouts/rollouts_view.tsx";
import { RunsView } from "../runs/runs_view.tsx";
import { SettingsView } from "../settings/settings_view.tsx";
import { ClaimsView } from "../tables/claims_view.tsx";
import { TablesView } from "../tables/tables_view.tsx";
import { SpeedView } from "../speed/speed_view.tsx";
import { href } from "./route.ts";
import type { View } from "./view.ts";

/** Views by the first word of their address, in the order of the tabs. Without tab and `below` a view has no place above it. */
export const VIEWS: Readonly<Record<string, View>> = {
  runs: { title: "Runs", show: RunsView },
  run: { title: "Curves", show: CurvesView, tabOf: ({ kind }) => kind !== "evaluation" },
  rollouts: { title: "Rollouts", show: RolloutsView, tabOf: ({ rollouts }) => rollouts > 0 },
  rollout: { title: "Rollout", show: RolloutView, below: "rollouts" },
  tables: { title: "Tables", show: TablesView, tabOf: () => true },
  claims: { title: "Claims", show: ClaimsView, tabOf: ({ has }) => has.claims },
  speed: { title: "Speed", show: SpeedView, tabOf: ({ kind }) => kind === "run" },
  settings: { title: "Settings", show: SettingsView, tabOf: () => true },
  compare: { title: "Curves of chosen runs", show: CurvesView },
};

/** Where the tab of a view leads for a place. */
export function tabAddress(view: string, place: Place): string {
  return view === "run" ? href("run", [place.id, "curves"]) : href(view, [place.id]);
}
