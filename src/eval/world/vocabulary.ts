/**
 * The words of the generated world. Which thing has which property is drawn by seed in `facts.ts`; nothing here is
 * taken from a text.
 */

/** 208 things: the entities that facts are about. */
export const things = (
  "acorn anchor anvil apron arrow axe bag ball banner barrel basin basket bat bead bell belt bench bicycle blanket boat " +
  "bolt book boot bottle bow bowl box bracelet branch brick bridge brush bucket button cage cake candle canoe cap card " +
  "carpet cart chain chair chest chisel clock cloak coat coin collar comb compass cork cradle crate crown cup curtain " +
  "cushion desk dial dish doll door drawer dress drill drum easel engine envelope fan feather fence fiddle flag flask " +
  "flute fork frame funnel garland gate glass globe glove goblet hammer hammock handle harp hat helmet hinge hoe hook " +
  "horn hose jacket jar jug kettle key kite knife knot ladder lamp lantern lens letter lever lid lock locket loom magnet " +
  "mallet map marble mask mat medal mill mirror mitten mop mortar mug nail napkin necklace needle net nozzle oar oven " +
  "paddle pan parcel pebble peg pen pencil pendant picture pillow pin pipe pitcher plank plate plow pocket pole pot " +
  "pouch puppet purse puzzle quill quilt raft rake razor ribbon ring robe rocket rod roller rope rug ruler sack saddle " +
  "sail saw scale scarf scepter screw shawl shelf shield ship shirt shoe shovel sickle sieve sled sling slipper sock " +
  "spade spear spindle spool spoon stamp statue stool table teapot tent towel"
).split(" ");

export const colours = ["red", "blue", "green", "yellow", "white", "black", "brown", "purple"];
export const materials = ["wood", "iron", "glass", "clay", "leather", "paper", "stone", "silver"];
export const owners = ["Anna", "Boris", "Clara", "David", "Elena", "Felix", "Greta", "Hugo"];
export const kinds = ["tool", "toy", "gift", "treasure", "souvenir", "heirloom", "weapon", "ornament"];
export const places = ["kitchen", "barn", "attic", "cellar", "garden", "tower", "harbour", "school"];

/** A use is a verb and an object: 16 x 13 = 208, one for each thing. */
export const useVerbs =
  "carry paint clean repair decorate measure cover lift move mark polish protect split tie warm weigh".split(" ");
export const useObjects = "apples bread cloth firewood flowers grain honey milk rocks sand seeds water wool".split(" ");

/** What people in the word problems are called and what they count. */
export const people = ["Ivan", "Julia", "Karl", "Lena", "Martin", "Nora", "Oscar", "Paula"];
export const countables = ["berries", "cookies", "crayons", "eggs", "nuts", "plums", "shells", "stickers"];
