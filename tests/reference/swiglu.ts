/** y [rows, f] = silu(gate) * up, from gateUp [rows, 2f]: the first f columns are the gate, the others up. */
export function swiglu(gateUp: Float64Array, rows: number, f: number): Float64Array {
  const y = new Float64Array(rows * f);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < f; i++) {
      const gate = gateUp[r * 2 * f + i];
      y[r * f + i] = gate * sigmoid(gate) * gateUp[r * 2 * f + f + i];
    }
  }
  return y;
}

/** The gradient of `swiglu` with respect to gateUp, [rows, 2f], for the upstream gradient dy [rows, f]. */
export function swigluBackward(
  dy: Float64Array,
  gateUp: Float64Array,
  rows: number,
  f: number,
): Float64Array {
  const dGateUp = new Float64Array(rows * 2 * f);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < f; i++) {
      const gate = gateUp[r * 2 * f + i];
      const up = gateUp[r * 2 * f + f + i];
      const s = sigmoid(gate);
      dGateUp[r * 2 * f + i] = dy[r * f + i] * up * s * (1 + gate * (1 - s));
      dGateUp[r * 2 * f + f + i] = dy[r * f + i] * gate * s;
    }
  }
  return dGateUp;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
