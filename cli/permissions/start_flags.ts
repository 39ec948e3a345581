import project from "../../deno.json" with { type: "json" };

/**
 * The flags that this program is to be started with, where deno.json is not there to name its grants (`-P=softcot`): everything, in a
 * form that it can narrow.
 */
export function startFlags(): string[] {
  return Object.entries(project.permissions.softcot).map(([kind, grant]) =>
    grant === true ? `--allow-${kind}` : `--allow-${kind}=${(grant as string[]).join(",")}`
  );
}
