import { useEffect, useRef } from "preact/hooks";
import type { Source } from "../data/view_data.ts";
import { Empty, Waiting } from "../parts/empty.tsx";
import { go, useRoute } from "./use_route.ts";
import { KeyHelp } from "./key_help.tsx";
import { useKeys } from "./keys.ts";
import { PlaceHeader } from "./place_header.tsx";
import { href, type Route } from "./route.ts";
import { placeOf, ShownContext, useShown } from "./source_context.ts";
import { ThemeSwitch } from "./theme_switch.tsx";
import { useAnswer } from "./use_answer.ts";
import { VIEWS } from "./views.ts";

/** The page: a bar on top, and below it the view that the address names. */
export function App({ source }: { source: Source }) {
  const route = useRoute();
  const answer = useAnswer(source, [], "overview", () => source.overview());
  const main = useRef<HTMLElement>(null);
  useFocusOnView(main, route);
  useKeys([{ key: "r", says: "all runs", act: () => go(href("runs")) }]);
  return (
    <>
      <a
        class="skip button"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current!.focus();
        }}
      >
        To the content
      </a>
      <Top source={source} route={route} isConnected={answer.error === null} />
      <main id="main" ref={main} tabIndex={-1}>
        {answer.value && answer.error && (
          <p class="notice warn" role="alert">Not up to date: {answer.error}</p>
        )}
        {!answer.value
          ? <Waiting answer={answer} what="the folders" />
          : (
            <ShownContext.Provider value={{ source, overview: answer.value }}>
              <Shown route={route} />
            </ShownContext.Provider>
          )}
      </main>
    </>
  );
}

function Top({ source, route, isConnected }: { source: Source; route: Route; isConnected: boolean }) {
  const [word, look] = !source.live
    ? ["report", "badge live"]
    : isConnected
    ? ["live", "badge live good"]
    : ["offline", "badge live bad"];
  return (
    <header class="top">
      <a class="brand" href={href("runs")}>
        <Mark />
        softcot
      </a>
      <nav aria-label="Page">
        <a href={href("runs")} aria-current={route.view === "runs" ? "page" : undefined}>Runs</a>
      </nav>
      <span class="push" />
      <span class={look} role="status" title={source.sampled || undefined}>{word}</span>
      <KeyHelp />
      <ThemeSwitch />
    </header>
  );
}

/** A stack of weights, as a soft thought is shown. */
function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <rect x="1" y="2" width="4" height="16" rx="1" fill="#0b62b8" />
      <rect x="8" y="2" width="4" height="10" rx="1" fill="#0b62b8" />
      <rect x="8" y="13" width="4" height="5" rx="1" fill="#e08a00" />
      <rect x="15" y="2" width="4" height="6" rx="1" fill="#0b62b8" />
      <rect x="15" y="9" width="4" height="4" rx="1" fill="#e08a00" />
      <rect x="15" y="14" width="4" height="4" rx="1" fill="#00916a" />
    </svg>
  );
}

/** The view, with the header of its place. */
function Shown({ route }: { route: Route }) {
  const { overview } = useShown();
  const view = VIEWS[route.view];
  const place = placeOf(overview, route.path[0]);
  const title = [place?.name, view?.title, "softcot"].filter(Boolean).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (!view) {
    return (
      <Empty title="There is no such view">
        <a href={href("runs")}>All runs</a>
      </Empty>
    );
  }
  const isOfPlace = (view.tabOf || view.below) && !(route.view === "settings" && route.path.length === 0);
  if (isOfPlace && !place) {
    return (
      <Empty title={`${route.path[0] ?? "This"} is not there`}>
        It may have been moved or deleted. <a href={href("runs")}>All runs</a>
      </Empty>
    );
  }
  return (
    <>
      {isOfPlace && place && <PlaceHeader place={place} route={route} />}
      <view.show key={isOfPlace ? `${route.view} ${route.path[0]}` : route.view} route={route} />
    </>
  );
}

/** Another view or place begins at its top, and reading goes on there; not the first one, where nobody has moved yet. */
function useFocusOnView(main: { current: HTMLElement | null }, { view, path }: Route): void {
  const seen = useRef<string | null>(null);
  const now = `${view} ${path[0] ?? ""}`;
  useEffect(() => {
    if (seen.current !== null && seen.current !== now) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    seen.current = now;
  }, [now]);
}
