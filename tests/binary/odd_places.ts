/**
 * Starts a built file from all the odd places, and shows what came of it as a table:
 * `./softcot deno run -A tests/binary/odd_places.ts dist/softcot-VERSION-linux-x64 [PART OF A NAME]`. Best as root: others cannot make
 * all of them.
 *
 * @module
 */
import { resolve } from "node:path";
import { table } from "../../cli/terminal/table.ts";
import { ODD_PLACES } from "./support/odd_places.ts";
import { complaint, visitPlace } from "./support/visit_place.ts";

const [file, part = ""] = Deno.args;
if (file === undefined) {
  console.error("error: Cannot start anything: the path of a built file is needed");
  Deno.exit(2);
}
const rows: string[][] = [];
const complaints: string[] = [];
for (const place of ODD_PLACES.filter(({ what }) => what.includes(part))) {
  const done = await visitPlace(resolve(file), place);
  const wrong = done && complaint(place, done);
  if (wrong) complaints.push(`${place.what}: ${wrong}`);
  const error = done?.stderr.split("\n").find((line) => line.startsWith("error: ")) ?? "";
  rows.push([
    place.what,
    done ? String(done.code) : "-",
    !done ? "root alone" : wrong ? "WRONG" : "as it should",
    error,
  ]);
}
const header = ["place", "status", "", "error"];
console.log(table(rows, { header, align: ["left", "right", "left", "left"] }));
for (const line of complaints) console.error(`\n${line}`);
console.log(`\n${rows.length} places, ${complaints.length} wrong`);
Deno.exit(complaints.length > 0 ? 1 : 0);
