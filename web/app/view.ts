import type { ComponentType } from "preact";
import type { Place } from "../data/view_data.ts";
import type { Route } from "./route.ts";

/** What a view is given. */
export interface ViewProps {
  route: Route;
}

/** A view, and where it stands in the frame. */
export interface View {
  /** What the window's title and the tab say. */
  title: string;
  show: ComponentType<ViewProps>;
  /** For which places it has a tab; their header is above the view then. */
  tabOf?: (place: Place) => boolean;
  /** The view of whose tabs it is a part, where it has none of its own: a rollout is below the rollouts. */
  below?: string;
}
