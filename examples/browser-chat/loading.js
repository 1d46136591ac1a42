// Loading a model: progress with speed and the time that is left.
import { loadModel } from "ruminate";
import { bytes, duration } from "./view.js";

const phases = { fetch: "Fetching", verify: "Checking", load: "Loading" };

/** Tells, for each report of progress, what to show: a share from 0 to 1 (undefined: unknown) and words. */
export function progressTeller(onprogress) {
  let phase;
  let startedAt = 0;
  let first = 0;
  return (event) => {
    const now = performance.now();
    if (event.phase !== phase) [phase, startedAt, first] = [event.phase, now, event.loaded];
    const seconds = (now - startedAt) / 1000;
    const speed = seconds > 0.3 ? (event.loaded - first) / seconds : 0;
    const words = [`${phases[phase] ?? phase}: ${bytes(event.loaded)}`];
    if (event.total !== undefined) words.push(`of ${bytes(event.total)}`);
    if (speed > 0) words.push(`at ${bytes(speed)}/s`);
    if (speed > 0 && event.total > event.loaded) words.push(`${duration((event.total - event.loaded) / speed)} left`);
    onprogress({
      share: event.total ? event.loaded / event.total : undefined,
      text: words.join(", ").replace(", of", " of"),
    });
  };
}

/** Loads a model from files, an address, or nothing, which is the small one of the package. */
export function load(source, { signal, onprogress }) {
  return loadModel(source, { signal, onprogress: progressTeller(onprogress) });
}
