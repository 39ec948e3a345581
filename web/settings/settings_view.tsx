import { useState } from "preact/hooks";
import { href } from "../app/route.ts";
import { placeOf, runsOf, useShown } from "../app/source_context.ts";
import type { ViewProps } from "../app/view.ts";
import { Empty } from "../parts/empty.tsx";
import { rowsOf } from "./setting_rows.ts";
import { Scroll } from "../parts/scroll.tsx";

/** Settings of runs side by side: those that differ first, and marked. */
export function SettingsView({ route }: ViewProps) {
  const { overview } = useShown();
  const ids = route.path.length > 0 ? [route.path[0]] : (route.query.runs ?? "").split(",");
  const places = ids.flatMap((id) => {
    const place = placeOf(overview, id);
    return place ? runsOf(overview, place) : [];
  });
  const [isBrief, setBrief] = useState(false);
  if (places.length === 0) return <Empty title="No runs to compare">Choose some in the table of runs.</Empty>;
  const rows = rowsOf(places);
  const differing = rows.filter(({ differs }) => differs);
  const shown = isBrief ? differing : rows;
  return (
    <section class="view">
      {(places.length > 1 || route.path.length === 0) && (
        <div class="toolbar">
          {route.path.length === 0 && <h1>Settings side by side</h1>}
          {places.length > 1 && <h2 class="soft">{differing.length} of {rows.length} settings differ</h2>}
          {places.length > 1 && (
            <label class="field">
              <input type="checkbox" checked={isBrief} onChange={() => setBrief(!isBrief)} /> only these
            </label>
          )}
          {route.path.length === 0 && (
            <a class="button push" href={href("compare", [], { runs: route.query.runs })}>
              Curves of these runs
            </a>
          )}
        </div>
      )}
      <Scroll label="Settings" class="settings">
        <table>
          <thead>
            <tr>
              <th scope="col">setting</th>
              {places.map(({ id, name, kind }) => (
                <th key={id} scope="col">
                  <a
                    href={href(kind === "evaluation" ? "tables" : "run", [
                      id,
                      ...kind === "evaluation" ? [] : ["curves"],
                    ])}
                    title={id}
                  >
                    {name}
                  </a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ name, values, differs, usual }) => (
              <tr key={name} class={differs ? "differs" : ""}>
                <th scope="row">
                  {name}
                  {differs && <span class="hidden-text">, differs</span>}
                </th>
                {values.map((value, i) => (
                  <td key={places[i].id} class={differs && value !== usual ? "other" : ""}>
                    {value === null ? <span class="soft">–</span> : <Breakable text={value} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** Paths may break after their slashes. */
function Breakable({ text }: { text: string }) {
  return <>{text.split(/(?<=\/)/).flatMap((part, i) => i > 0 ? [<wbr key={i} />, part] : [part])}</>;
}
