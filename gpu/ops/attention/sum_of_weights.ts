/**
 * WGSL that adds a block's weights to a row's sum of them, one after another: weight `index` of the block. With the first the sum is taken over from the
 * largest score before. All attention kernels do it by this fma, since a product that is added may be rounded or not, as a compiler likes.
 */
export const sumOfWeights = (sum: string, rescale: string, weight: string, index: number): string =>
  index === 0 ? `${sum} = fma(${sum}, ${rescale}, ${weight});` : `${sum} = ${sum} + ${weight};`;
