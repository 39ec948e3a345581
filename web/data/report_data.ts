import type { Facets, Metrics, Overview, Profile, Tables } from "./view_data.ts";

/** All that a report holds, as `softcot report --json` prints it and the file embeds it. */
export interface ReportData {
  /** Of this form: 1. */
  version: 1;
  /** What was left out, in words; empty where nothing was. */
  sampled: string;
  overview: Overview;
  /** By the places' ids. */
  places: Record<string, ReportPlace>;
}

/** One run, evaluation or sweep of a report. */
export interface ReportPlace {
  /** Null where there are none. */
  metrics: Metrics | null;
  /** Rollouts as they stand in their files, with their numbers; in the order of the files. */
  rollouts: { place: number; record: Record<string, unknown> }[];
  /** Of those rollouts. */
  facets: Facets;
  tables: Tables;
  profile: Profile | null;
}
