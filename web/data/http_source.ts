import type { Source } from "./view_data.ts";

/** A source over HTTP: `softcot view` answers below `base`, as in `http://127.0.0.1:8000/`; the page's own origin if left out. */
export function httpSource(base = ""): Source {
  const ask = async <T>(what: string, query: object = {}): Promise<T> => {
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, Array.isArray(value) ? JSON.stringify(value) : String(value)]);
    const answer = await fetch(`${base}/api/${what}?${new URLSearchParams(given)}`);
    if (!answer.ok) throw new Error((await answer.text()).trim() || `HTTP ${answer.status}`);
    return await answer.json();
  };
  return {
    live: true,
    sampled: "",
    overview: () => ask("overview"),
    metrics: (id, query = {}) => ask("metrics", { ...query, id }),
    rollouts: (id, query) => ask("rollouts", { ...query, id }),
    rollout: (id, place) => ask("rollout", { id, place }),
    facets: (id) => ask("facets", { id }),
    sightings: (question) => ask("sightings", { question }),
    tables: (id) => ask("tables", { id }),
    profile: (id) => ask("profile", { id }),
    onChange: (listener) => listen(`${base}/api/events`, listener),
  };
}

/** The browser connects again by itself; what came in between is not known then, so everything counts as changed. */
function listen(url: string, listener: (ids: string[]) => void): () => void {
  const events = new EventSource(url);
  let opened = false;
  events.addEventListener("open", () => {
    if (opened) listener([]);
    opened = true;
  });
  events.addEventListener("change", (event) => listener(JSON.parse((event as MessageEvent).data)));
  return () => events.close();
}
