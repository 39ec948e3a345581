/** Arithmetic of complex doubles. */

/** A complex double. NaN stands for "no value here". */
export interface Complex {
  re: number;
  im: number;
}

/** No value. */
export const NONE: Complex = { re: NaN, im: NaN };

/** A real number. */
export const real = (re: number): Complex => ({ re, im: 0 });

/** The sum. */
export const addComplex = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });

/** The product. */
export const multiplyComplex = (a: Complex, b: Complex): Complex =>
  a.im === 0 && b.im === 0
    ? real(a.re * b.re)
    : { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };

/** The quotient; no value for a division by zero. */
export const divideComplex = (a: Complex, b: Complex): Complex => {
  if (a.im === 0 && b.im === 0) return b.re === 0 ? NONE : real(a.re / b.re);
  const n = b.re * b.re + b.im * b.im;
  return n === 0 ? NONE : { re: (a.re * b.re + a.im * b.im) / n, im: (a.im * b.re - a.re * b.im) / n };
};

/** The distance from zero. */
export const modulus = (a: Complex): number => a.im === 0 ? Math.abs(a.re) : Math.hypot(a.re, a.im);

/** e^a. */
export const expComplex = (a: Complex): Complex =>
  a.im === 0
    ? real(Math.exp(a.re))
    : { re: Math.exp(a.re) * Math.cos(a.im), im: Math.exp(a.re) * Math.sin(a.im) };

/** The logarithm whose angle lies within pi. */
export const lnComplex = (a: Complex): Complex =>
  modulus(a) === 0
    ? NONE
    : { re: Math.log(modulus(a)), im: a.im === 0 && a.re > 0 ? 0 : Math.atan2(a.im + 0, a.re) };
