// Places for `LoadOptions.store`. That of browsers is what "auto" stands for there, and needs no options.
export type { DiskStoreOptions } from "../store/disk-store.ts";
export { diskStore } from "../store/disk-store.ts";
export { memoryStore } from "../store/memory-store.ts";
