/** Where one is on the page: the view, what it is of, and what was asked of it. It stands in the address behind #, so that links work from disk, too. */
export interface Route {
  /** The first word; `runs` of an empty address. */
  view: string;
  /** What follows it, decoded: ids of places, numbers of rollouts, the name of a part. */
  path: readonly string[];
  query: Readonly<Record<string, string>>;
}

/** Reads an address, such as `#/run/claims%2Fruns%2Fsoft/curves?x=tokens`. */
export function parseRoute(hash: string): Route {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [view = "", ...rest] = path.split("/").filter((part) => part !== "").map(decoded);
  return { view: view || "runs", path: rest, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a view; values that are empty or undefined are left out. */
export function href(
  view: string,
  path: readonly (string | number)[] = [],
  query: Readonly<Record<string, string | number | null | undefined>> = {},
): string {
  const words = [view === "runs" ? "" : view, ...path].map((word) => encodeURIComponent(word));
  const asked = Object.entries(query).filter(([, value]) =>
    value !== undefined && value !== null && value !== ""
  );
  const search = new URLSearchParams(asked.map(([name, value]) => [name, String(value)])).toString();
  return `#/${words.filter((word) => word !== "").join("/")}${search && `?${search}`}`;
}

/** The address of the same view with other values; those that are empty are taken out. */
export function withQuery(route: Route, changes: Parameters<typeof href>[2]): string {
  return href(route.view, route.path, { ...route.query, ...changes });
}

/** A hand-written address may hold a lone %. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
