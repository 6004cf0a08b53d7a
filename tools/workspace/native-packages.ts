/** Packages with native code or binaries: left out of bundles, copied beside them when an app is staged. */
export const nativePackages = ['fs-native-extensions', 'koffi', 'lmdb'] as const
