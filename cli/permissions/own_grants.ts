/** What a user grants own code beyond what its command may do. */
export interface OwnGrant {
  kind: "net" | "import" | "sys" | "ffi" | "read" | "write" | "env";
  /** The path or the variable; empty of a kind that is granted whole. */
  value: string;
}

/** How one grant is written. */
export const OWN_GRANT = /^(?:(net|import|sys|ffi)|(read|write|env)=(.+))$/s;

/** The grants of --allow-own, which are checked before. */
export function ownGrants(allowOwn: unknown): OwnGrant[] {
  return ((allowOwn ?? []) as readonly string[]).map((text) => {
    const [, whole, kind, value = ""] = OWN_GRANT.exec(text)!;
    return { kind: (whole ?? kind) as OwnGrant["kind"], value };
  });
}
