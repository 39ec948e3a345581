import type { OwnGrant } from "../../eval/own_code/own_process.ts";

/** How one grant is written. */
export const OWN_GRANT = /^(?:(net|import|sys|ffi)|(net|read|write|env)=(.+))$/s;

/** The grants of --allow-own, which are checked before. */
export function ownGrants(allowOwn: unknown): OwnGrant[] {
  return ((allowOwn ?? []) as readonly string[]).map((text) => {
    const [, whole, kind, value = ""] = OWN_GRANT.exec(text)!;
    return { kind: (whole ?? kind) as OwnGrant["kind"], value };
  });
}
