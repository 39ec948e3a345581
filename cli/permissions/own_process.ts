let isOwn = false;

/** To be called by the program itself: who calls a command from a process of their own keeps their permissions. */
export function ownProcess(): void {
  isOwn = true;
}

/** Whether this process is the program's own, whose permissions it may give up. */
export const isOwnProcess = (): boolean => isOwn;
