let found: readonly Deno.NetworkInterfaceInfo[] | undefined;

/** This machine's addresses on its networks. Found once: the right to ask may be given up afterwards. */
export const ownInterfaces = (): readonly Deno.NetworkInterfaceInfo[] => found ??= Deno.networkInterfaces();
