/**
 * The reports of an evaluation's tasks in what `softcot eval --json` printed or `--out` kept. Evaluations of old have a bare list, or the report
 * of a task alone.
 */
export function reportsIn(report: unknown): unknown[] {
  if (Array.isArray(report)) return report;
  const { tasks } = Object(report);
  return Array.isArray(tasks) ? tasks : [report];
}
