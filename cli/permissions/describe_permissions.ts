import { table } from "../terminal/table.ts";
import { type Needs, PERMISSIONS, VARIABLES } from "./permission_table.ts";

/** The table of what each command may do, for people: a line for each kind of right, and which variables a group has. */
export function describePermissions(): string {
  const rows = Object.entries(PERMISSIONS).flatMap(([command, needs]) => {
    const rights = rightsOf(needs);
    if (rights.length === 0) return [[command, "may", "nothing"]];
    return rights.map(([right, what], i) => [i === 0 ? command : "", right, what]);
  });
  const groups = Object.entries(VARIABLES).flatMap(([group, names]) =>
    wrapped(names).map((line, i) => [i === 0 ? group : "", line])
  );
  return [
    table(rows, { header: ["command", "may", "what"], align: ["left", "left", "left"] }),
    table(groups, { header: ["variables", "of the environment"], align: ["left", "left"] }),
  ].join("\n\n");
}

/** Names in lines of at most 90 characters. */
function wrapped(names: readonly string[]): string[] {
  const lines = [""];
  for (const name of names) {
    const longer = `${lines.at(-1)} ${name}`.trim();
    if (longer.length <= 90) lines[lines.length - 1] = longer;
    else lines.push(name);
  }
  return lines;
}

const describeNet = (net: Needs["net"]): string =>
  net === "listens"
    ? "who asks at one address"
    : typeof net === "string"
    ? `${net} the network`
    : net
    ? "the network"
    : "";

function rightsOf({ read, write, run, env, net, sys, libraries }: Needs): [right: string, what: string][] {
  const rights: [string, string][] = [
    ["read", read.join(", ")],
    ["write", write.join(", ")],
    ["start", run.join(", ")],
    ["ask", env.length === 0 ? "" : `variables for ${env.join(", ")}`],
    ["reach", describeNet(net)],
    ["see", sys ? "memory, disks, and who it runs as" : ""],
    ["call", libraries.length === 0 ? "" : `libraries of ${libraries.join(" and ")}`],
  ];
  return rights.filter(([_, what]) => what !== "");
}
