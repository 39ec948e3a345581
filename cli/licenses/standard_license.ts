import { UserError } from "../../gpu/errors.ts";

/** What a package.json tells of its licence. */
export interface PackageFile {
  name: string;
  version: string;
  /** By its SPDX name. */
  license?: string;
  author?: string | { name?: string };
  repository?: string | { url?: string };
}

/**
 * The licence of a package that holds no text of it: the standard text of the licence that its package.json names.
 * @param mit softcot's own licence, which is of the words of MIT
 * @throws UserError where it names another than these
 */
export function standardLicense(told: PackageFile, mit: string): string {
  const { name, version, license } = told;
  const source = sourceOf(told);
  if (license === "MIT") {
    const text = mit.trim().replace(/^Copyright .*$/m, `Copyright (c) ${holderOf(told)}`);
    return source ? `${text}\n\nIts source: ${source}` : text;
  }
  if (license === "MPL-2.0" && source) {
    return `Mozilla Public License 2.0

This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not
distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

It is here as it was published, unchanged. Its source, of version ${version}, can be had under the same licence at ${source}`;
  }
  throw new UserError(
    `Cannot tell the licence of ${name}: it holds no text, and its package.json says ${license ?? "nothing"}`,
    "cli/licenses/standard_license.ts is to know it",
  );
}

function holderOf({ name, author }: PackageFile): string {
  const by = typeof author === "object" ? author.name : author;
  return by?.replace(/ *[<(].*$/, "") || `the authors of ${name}`;
}

/** Where a package's source is, as an address that a browser opens. */
function sourceOf({ repository }: PackageFile): string | undefined {
  const url = typeof repository === "object" ? repository.url : repository;
  return url?.replace(/^git\+/, "").replace(/^(git@|git:\/\/|ssh:\/\/git@)([^:/]+)[:/]/, "https://$2/")
    .replace(/\.git$/, "");
}
