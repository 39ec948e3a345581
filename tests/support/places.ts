import { fileURLToPath } from "node:url";

/** The root of the project, with a slash at its end. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Where public data sets and models lie beside the project; tests that read them are skipped where they are absent. */
export const shared: string = fileURLToPath(new URL("../../../shared/", import.meta.url));
