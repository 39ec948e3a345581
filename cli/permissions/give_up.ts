import { type Kind, KINDS, PERMISSIONS } from "./permission_table.ts";

let isOwnProcess = false;

/** To be called by the program itself: who calls a command from a process of their own keeps their permissions. */
export function ownProcess(): void {
  isOwnProcess = true;
}

/**
 * Gives up all permissions that a command does not need, for the whole process and for good: what a file then made it try is denied.
 *
 * @param command by its words, such as `model pull`
 * @param granted kinds that the user grants own code
 */
export function giveUpPermissions(command: string, granted: readonly Kind[] = []): void {
  if (!isOwnProcess) return;
  const kept = [...PERMISSIONS[command] ?? [], ...granted];
  for (const name of KINDS) {
    if (!kept.includes(name)) Deno.permissions.revokeSync({ name } as Deno.PermissionDescriptor);
  }
}
