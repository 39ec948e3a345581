import { parseJson } from "../files/parse_json.ts";
import { readPlainText } from "../files/plain_file.ts";
import { writeJson } from "../files/write_whole.ts";

/** What a blob was when its hash was last seen to be its name. */
interface Verified {
  size: number;
  /** Milliseconds; moves with every change of the file, whatever its times are set to. */
  changed: number;
  /** When, as ISO 8601. */
  at: string;
}

/** The blobs of a repository whose hash was held against their name, by hash. */
export type VerifiedBlobs = Record<string, Verified>;

/** Beside `blobs` and `snapshots`, where other programs look for nothing. */
const NAME = ".softcot-verified.json";

/** What is known of a repository's blobs; nothing where nothing was kept, or what was is no such thing. */
export function readVerified(repo: string): VerifiedBlobs {
  try {
    const kept = parseJson(readPlainText(`${repo}/${NAME}`));
    return typeof kept === "object" && kept !== null && !Array.isArray(kept) ? kept as VerifiedBlobs : {};
  } catch {
    return {};
  }
}

/** Whether a blob is still as it was when it was verified. */
export function isVerified(repo: string, hash: string, size: number): boolean {
  const kept = readVerified(repo)[hash];
  const now = stateOf(`${repo}/blobs/${hash}`);
  return kept !== undefined && now?.size === size && kept.size === size && kept.changed === now.changed;
}

/** Notes that a blob's hash is its name. */
export function noteVerified(repo: string, hash: string): void {
  const now = stateOf(`${repo}/blobs/${hash}`);
  if (!now) return;
  writeJson(`${repo}/${NAME}`, { ...readVerified(repo), [hash]: { ...now, at: new Date().toISOString() } });
}

function stateOf(path: string): { size: number; changed: number } | undefined {
  try {
    const { size, ctime, mtime } = Deno.lstatSync(path);
    return { size, changed: (ctime ?? mtime)?.getTime() ?? 0 };
  } catch {
    return undefined;
  }
}
