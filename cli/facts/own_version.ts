import project from "../../deno.json" with { type: "json" };

/** The version that processes are to have in common that work at one thing: another may compute otherwise. */
export const OWN_VERSION = `${project.version} on Deno ${Deno.version.deno}`;
