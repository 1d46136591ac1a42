// A conversation that keeps only what the user saw, and evaluates only what is new.   node examples/node/session.ts
import { loadModel } from "ruminate";

await using model = await loadModel();
await using session = await model.session();
for (const question of ["What is 47 + 85?", "Add 7 to that.", "Double it."]) {
  const { text, usage } = await session.prompt(question).result();
  // How many exactly depends on how long the engine was idle in between.
  const cached = usage.cached > usage.prompt / 2 ? "most" : "none";
  console.log(`${question} ${text}   (${usage.prompt} prompt tokens, ${cached} of them cached)`);
}
console.log(session.messages.map(({ role, content }) => `${role}: ${content}`).join("\n"));
