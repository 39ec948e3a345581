type Values = readonly (number | null)[];

/** The mean of the last `window` values up to each one that are there; where a value itself is missing, so is its mean. */
export function smooth(values: Values, window: number): (number | null)[] {
  if (window <= 1) return [...values];
  let [sum, count] = [0, 0];
  return values.map((value, i) => {
    const gone = i >= window ? values[i - window] : null;
    if (gone !== null) [sum, count] = [sum - gone, count - 1];
    if (value === null) return null;
    [sum, count] = [sum + value, count + 1];
    return sum / count;
  });
}
