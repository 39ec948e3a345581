import { useId } from "preact/hooks";
import { grouped } from "../parts/format.ts";

/** One of the updates that were kept, by a slider; with `all` it begins left of the first, with none chosen. */
export function StepSlider({ label, steps, step, onStep, all = false }: {
  label: string;
  /** In ascending order, one at least. */
  steps: readonly number[];
  step: number | null;
  onStep: (step: number | null) => void;
  all?: boolean;
}) {
  const id = useId();
  const least = all ? -1 : 0;
  const place = step === null ? least : nearest(steps, step);
  const shown = place < 0 ? "all" : grouped(steps[place]);
  const widest = grouped(steps.at(-1)!).length;
  return (
    <span class="step-slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={least}
        max={steps.length - 1}
        step={1}
        value={place}
        aria-valuetext={shown}
        onInput={(event) => {
          const at = Number(event.currentTarget.value);
          onStep(at < 0 ? null : steps[at]);
        }}
      />
      <output for={id} style={{ minWidth: `${Math.max(3, widest)}ch` }}>{shown}</output>
    </span>
  );
}

/** Place of the step, or of that nearest to it. */
function nearest(steps: readonly number[], step: number): number {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - steps[low - 1] < steps[low] - step ? low - 1 : low;
}
