/** The way into a variable: names of fields and components, numbers of elements. */
export type Path = readonly string[];

/** In a {@link Path}: an element whose number is not known, or several components. */
export const ANY = "?";

/** The products in variables, by the variables' numbers: where in them products lie. */
export type Products = ReadonlyMap<number, readonly Path[]>;

/** How many there are. */
export const sizeOf = (products: Products): number =>
  [...products.values()].reduce((sum, paths) => sum + paths.length, 0);

/** The products after a part of a variable has got a value that is one, or is none. */
export function withValue(products: Products, id: number, path: Path, isProduct: boolean): Products {
  const known = products.get(id) ?? [];
  if (known.length === 0 && !isProduct) return products;
  const isReplaced = (inner: Path) => path.every((part, i) => part !== ANY && inner[i] === part);
  const kept = known.filter((inner) => !isReplaced(inner));
  const others = new Map(products);
  others.delete(id);
  const paths = isProduct ? [...kept, path] : kept;
  return paths.length > 0 ? others.set(id, paths) : others;
}

/** Whether a part of a variable may be a product, or hold one. */
export function holds(products: Products, id: number, path: Path): boolean {
  const isSame = (a: string, b: string) => a === b || a === ANY || b === ANY;
  return (products.get(id) ?? []).some((known) =>
    known.every((part, i) => i >= path.length || isSame(part, path[i]))
  );
}

/** The products of two ways that meet. */
export function either(one: Products, other: Products): Products {
  const both = new Map(one);
  for (const [id, paths] of other) {
    const known = both.get(id) ?? [];
    const more = paths.filter((path) => !known.some((old) => String(old) === String(path)));
    if (more.length > 0) both.set(id, [...known, ...more]);
  }
  return both;
}
