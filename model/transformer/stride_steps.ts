/**
 * Steps of decoding in a *stride*: they are recorded together, and their tokens read together. Sequences come and go between
 * strides only, so timing never changes a result, and up to a stride is computed past a sequence's end.
 */
export const STRIDE = 4;
