import { useState } from "preact/hooks";
import { href } from "../app/route.ts";
import type { Place } from "../data/view_data.ts";
import { StateBadge } from "../parts/badges.tsx";
import { grouped } from "../parts/format.ts";
import { type Column, COLUMNS, meanOf } from "./columns.ts";
import { atTask, type Most, mostMeansOf, mostOf } from "./most_of.ts";
import type { Group, Line } from "./grouping.ts";
import { Scroll } from "../parts/scroll.tsx";

interface Props {
  group: Group;
  chosen: ReadonlySet<string>;
  onChoose: (ids: readonly string[], isChosen: boolean) => void;
  /** There is no other table, so that it needs no name. */
  isAlone: boolean;
}

interface Order {
  name: string;
  isDown: boolean;
}

/** The runs of a sweep, or those without one: lines in their order, or all runs sorted by a column. */
export function RunsTable({ group, chosen, onChoose, isAlone }: Props) {
  const [order, setOrder] = useState<Order | null>(null);
  const ids = group.lines.flatMap(({ places }) => places.map(({ id }) => id));
  const sort = (name: string) =>
    setOrder((before) =>
      before?.name !== name ? { name, isDown: true } : before.isDown ? { name, isDown: false } : null
    );
  const [most, mostMeans] = [mostOf(group), mostMeansOf(group)];
  const lines = order ? [{ name: "", places: sorted(group, order) }] : group.lines;
  return (
    <section class="runs" aria-label={group.sweep?.name ?? "Runs"}>
      <GroupHead group={group} isAlone={isAlone} />
      <Scroll label={group.sweep?.name ?? "Runs by themselves"}>
        <table>
          <thead>
            <tr>
              <th class="pick">
                <input
                  type="checkbox"
                  aria-label="Choose all"
                  checked={ids.every((id) => chosen.has(id))}
                  onChange={(event) => onChoose(ids, event.currentTarget.checked)}
                />
              </th>
              <th>run</th>
              <th>state</th>
              {COLUMNS.map((column) => (
                <Head
                  key={column.name}
                  column={column}
                  order={order}
                  onSort={sort}
                />
              ))}
            </tr>
          </thead>
          {lines.map((line) => (
            <Rows key={line.name} {...{ line, group, chosen, onChoose, most, mostMeans }} />
          ))}
        </table>
      </Scroll>
    </section>
  );
}

function GroupHead({ group: { sweep, lines, differing }, isAlone }: { group: Group; isAlone: boolean }) {
  if (!sweep && isAlone) return null;
  const what = differing.filter((name) => name !== "model").join(", ");
  return (
    <header class="toolbar group-head">
      <h2>{sweep ? <a href={href("run", [sweep.id, "curves"])}>{sweep.name}</a> : "By themselves"}</h2>
      {sweep && <StateBadge state={sweep.state} failure={sweep.failure} />}
      {sweep && sweep.ofSteps !== null && (
        <span class="soft">{grouped(sweep.steps)} of {grouped(sweep.ofSteps)} jobs</span>
      )}
      {lines.length > 1 && what !== "" && <span class="soft differs">differing in {what}</span>}
      {sweep?.has.tests && <a href={href("tables", [sweep.id])}>Tables</a>}
      {sweep?.has.claims && <a href={href("claims", [sweep.id])}>Claims</a>}
    </header>
  );
}

function Head(
  { column, order, onSort }: { column: Column; order: Order | null; onSort: (name: string) => void },
) {
  const { name, head, says, isNumber, isWide } = column;
  const isSorted = order?.name === name;
  return (
    <th
      class={`${isNumber ? "number" : ""} ${isWide ? "wide" : ""}`}
      aria-sort={isSorted ? (order.isDown ? "descending" : "ascending") : undefined}
    >
      <button type="button" title={says} onClick={() => onSort(name)}>
        {head}
        <span class="arrow" aria-hidden="true">{isSorted ? (order.isDown ? "↓" : "↑") : ""}</span>
      </button>
    </th>
  );
}

function Rows(
  { line, group, chosen, onChoose, most, mostMeans }:
    & { line: Line; most: Most; mostMeans: Most }
    & Pick<Props, "group" | "chosen" | "onChoose">,
) {
  const [isOpen, setOpen] = useState(true);
  const hasHead = line.name !== "" && line.places.length > 1;
  return (
    <tbody>
      {hasHead && (
        <LineRow
          {...{ line, chosen, onChoose, isOpen, mostMeans }}
          onOpen={() => setOpen(!isOpen)}
        />
      )}
      {(isOpen || !hasHead) &&
        line.places.map((place) => (
          <tr key={place.id} aria-selected={chosen.has(place.id)}>
            <td class="pick">
              <input
                type="checkbox"
                aria-label={`Choose ${place.name}`}
                checked={chosen.has(place.id)}
                onChange={(event) => onChoose([place.id], event.currentTarget.checked)}
              />
            </td>
            <td class={hasHead ? "name inner" : "name"}>
              <a href={address(place)} title={place.id}>{group.sweep ? place.name : shortened(place)}</a>
            </td>
            <td class="state">
              <StateBadge state={place.state} failure={place.failure} />
            </td>
            {COLUMNS.map(({ name, isNumber, isWide, text, value }) => (
              <td
                key={name}
                class={`${isNumber ? "number" : ""} ${isWide ? "wide" : ""} ${
                  most.get(atTask(name, place)) === value(place) ? "most" : ""
                }`}
              >
                {text(place)}
              </td>
            ))}
          </tr>
        ))}
    </tbody>
  );
}

/** Above the seeds of a line: all of them at once, and their means. */
function LineRow({ line: { name, places }, chosen, onChoose, isOpen, onOpen, mostMeans }:
  & { line: Line; isOpen: boolean; onOpen: () => void; mostMeans: Most }
  & Pick<Props, "chosen" | "onChoose">) {
  const ids = places.map(({ id }) => id);
  return (
    <tr class="line">
      <td class="pick">
        <input
          type="checkbox"
          aria-label={`Choose all seeds of ${name}`}
          checked={ids.every((id) => chosen.has(id))}
          onChange={(event) => onChoose(ids, event.currentTarget.checked)}
        />
      </td>
      <th colSpan={2} scope="row">
        <button type="button" aria-expanded={isOpen} onClick={onOpen}>
          <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span> {name}
        </button>{" "}
        <span class="soft">mean of {places.length} seeds</span>
      </th>
      {COLUMNS.map((column) => {
        const mean = meanOf(column, places);
        const isMost = mean !== undefined && mostMeans.get(atTask(column.name, places[0])) === mean;
        return (
          <td key={column.name} class={`number ${column.isWide ? "wide" : ""} ${isMost ? "most" : ""}`}>
            {column.mean?.text(mean)}
          </td>
        );
      })}
    </tr>
  );
}

const address = ({ kind, id }: Place): string =>
  kind === "evaluation" ? href("tables", [id]) : href("run", [id, "curves"]);

/** Names are told apart by their folders where those say more than the name. */
function shortened({ id, name }: Place): string {
  return id.length <= 48 ? id : name;
}

function sorted({ lines }: Group, { name, isDown }: Order): Place[] {
  const { value } = COLUMNS.find((column) => column.name === name)!;
  const sign = isDown ? -1 : 1;
  return lines.flatMap(({ places }) => places).toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    return sign *
      (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
  });
}
