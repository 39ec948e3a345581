import type { Place } from "../data/view_data.ts";
import { settingText } from "../parts/format.ts";

/** Whether a place is meant by a filter: words stand anywhere in names and settings; `name=value` is a setting's value, to the letter. */
export function matches(place: Place, text: string): boolean {
  const all = [place.id, place.line ?? "", place.state, ...Object.values(place.settings).map(settingText)]
    .join("\n")
    .toLowerCase();
  return text.toLowerCase().split(/\s+/).filter((word) => word !== "").every((word) => {
    const [name, value] = word.split("=", 2);
    if (value === undefined || !(name in place.settings)) return all.includes(word);
    const own = settingText(place.settings[name]).toLowerCase();
    return own === value || own !== "" && Number(own) === Number(value);
  });
}
