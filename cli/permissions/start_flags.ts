import project from "../../deno.json" with { type: "json" };

/**
 * The flags that this program is to be started with, where deno.json is not there to name its grants (`-P=softcot`): everything, in a
 * form that it can narrow. And what it asks of the runtime: that a request's signal says whether its client hung up, and nothing else.
 */
export function startFlags(): string[] {
  const grants = Object.entries(project.permissions.softcot).map(([kind, grant]) =>
    grant === true ? `--allow-${kind}` : `--allow-${kind}=${(grant as string[]).join(",")}`
  );
  return [...project.unstable.map((name) => `--unstable-${name}`), ...grants];
}
