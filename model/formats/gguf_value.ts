/** A value of the metadata. Integers are numbers; those of 64 bits beyond 2^53 are bigints. */
export type GgufValue = string | number | bigint | boolean | GgufValue[];
