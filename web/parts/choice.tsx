/** One of a few, as buttons side by side. */
export function Choice<T extends string>({ label, value, of, onChoose }: {
  label: string;
  value: T;
  /** Values with their words. */
  of: readonly (readonly [T, string])[];
  onChoose: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {of.map(([each, word]) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === value}
          onClick={() => onChoose(each)}
        >
          {word}
        </button>
      ))}
    </div>
  );
}
