import type { Options } from "tsup";

/** An esbuild plugin, as tsup takes it. */
export type BuildPlugin = NonNullable<Options["esbuildPlugins"]>[number];
