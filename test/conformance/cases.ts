import { context } from "./cases/context.ts";
import { doors } from "./cases/doors.ts";
import { generation } from "./cases/generation.ts";
import { golden } from "./cases/golden.ts";
import { loading } from "./cases/loading.ts";
import { prompt } from "./cases/prompt.ts";
import { reasoning } from "./cases/reasoning.ts";
import { refusals } from "./cases/refusals.ts";
import { session } from "./cases/session.ts";
import { sources } from "./cases/sources.ts";
import { stopping } from "./cases/stopping.ts";
import { tools } from "./cases/tools.ts";
import type { ConformanceCase } from "./contract.ts";

/** What the package promises in every runtime. The last one looks back at all the others. */
export const cases: readonly ConformanceCase[] = [
  ...loading,
  ...golden,
  ...generation,
  ...reasoning,
  ...stopping,
  ...prompt,
  ...tools,
  ...session,
  ...context,
  ...sources,
  ...refusals,
  ...doors,
  {
    name: "the package leaves no error or rejection unhandled",
    smoke: true,
    async run(_, { unhandled }) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (unhandled.length > 0) throw new Error(unhandled.join("\n"));
    },
  },
];
