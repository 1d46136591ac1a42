import { runChecks } from "../../scripts/check.ts";
import type { Stage } from "./stage.ts";

/** `npm run check`: everything that can be seen without running the library, and the build. */
export const checksStage: Stage = {
  name: "check",
  what: "format, lint, types, arrows, unused code, build, package shape, sizes",
  run: () => runChecks(),
};

/** The build alone, for when the checks are not asked for. */
export const buildStage: Stage = {
  name: "build",
  what: "dist is what the sources say",
  run: () => runChecks(["build"]),
};
