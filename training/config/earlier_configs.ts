/**
 * Resolved configurations that runs of earlier versions saved. Until schedules had keys of their own, every saved
 * `schedule` held the keys of all of them, with defaults; what its type does not have meant nothing and is left out.
 */
import { keysOf, sectionsAt, typeOf } from "../../src/config/schema_tree.ts";
import { scheduleSchema } from "../schedules/registry.ts";

/** Present in every saved schedule of before, and together in no other. */
const savedKeys = ["type", "warmup_steps", "min_ratio", "stage2_start", "stage2_weight_decay", "decay"];

/** `root` as this version would have saved it. Anything but a saved configuration of before comes back as it is. */
export function upgradeSavedConfig<Root extends Record<string, unknown>>(root: Root): Root {
  const { schedule } = root;
  if (typeof schedule !== "object" || schedule === null) return root;
  if (!savedKeys.every((key) => Object.hasOwn(schedule, key))) return root;
  const members = sectionsAt(scheduleSchema, []);
  const own = members.find((member) => typeOf(member) === (schedule as { type: unknown }).type);
  if (own === undefined) return root;
  const others = keysOf(members).filter((key) => !Object.hasOwn(own.shape, key));
  const kept = Object.entries(schedule).filter(([key]) => !others.includes(key));
  return { ...root, schedule: Object.fromEntries(kept) };
}
