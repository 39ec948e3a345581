/** 0 to n - 1. */
export const range = (n: number): number[] => [...Array(n).keys()];
/** WGSL of n parts, a line each. */
export const lines = (n: number, make: (i: number) => string): string => range(n).map(make).join("\n");
/** Names of the components of a vec4. */
export const xyzw = ["x", "y", "z", "w"];
