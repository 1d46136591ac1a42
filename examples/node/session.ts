// A conversation that keeps only what the user saw, and evaluates only what is new.   node examples/node/session.ts
import { loadModel } from "ruminate";

await using model = await loadModel();
await using session = await model.session();
for (const question of ["What is 47 + 85?", "Add 7 to that.", "Double it."]) {
  const { text, usage } = await session.prompt(question).result();
  console.log(`${question} ${text}   (${usage.prompt} prompt tokens, ${usage.cached} of them cached)`);
}
console.log(session.messages.map(({ role, content }) => `${role}: ${content}`).join("\n"));
