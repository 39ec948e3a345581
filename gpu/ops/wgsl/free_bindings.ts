/**
 * WGSL with `binding(FREE)`, `binding(FREE_1)`, ... numbered on behind a weight and two more tensors.
 * @param quantised the weight's scales are binding 4 (`loadFunction`)
 */
export const freeBindings = (code: string, quantised: boolean): string =>
  code.replaceAll(
    /binding\(FREE(?:_(\d))?\)/g,
    (_, place = "0") => `binding(${Number(place) + (quantised ? 5 : 4)})`,
  );
