/**
 * The words of the generated world. Which thing has which property is drawn by seed in `facts.ts`; nothing here is
 * taken from a text.
 */

/** 104 things: the entities that facts are about. */
export const things = (
  "anchor apron axe bag ball banner barrel basket bell bench bicycle blanket boat book boot bottle bowl box " +
  "bridge brush bucket button cage candle cart chain chair chest clock cloak coat coin comb compass crate crown " +
  "cup curtain desk doll door dress drum easel engine fan feather fiddle flag flask flute fork funnel gate " +
  "globe glove hammer harp hat helmet hook horn jacket jar kettle key kite knife ladder lamp lens letter map " +
  "mask mirror needle net oar oven pan pencil pillow pipe plate pot puppet quilt rope rug saddle sail saw " +
  "shield shovel spoon stool table tent towel umbrella vase wagon wheel whistle"
).split(" ");

export const colours = ["red", "blue", "green", "yellow", "white", "black", "brown", "purple"];
export const materials = ["wood", "iron", "glass", "clay", "leather", "paper", "stone", "silver"];
export const owners = ["Anna", "Boris", "Clara", "David", "Elena", "Felix", "Greta", "Hugo"];
export const kinds = ["tool", "toy", "gift", "treasure", "souvenir", "heirloom", "weapon", "ornament"];
export const places = ["kitchen", "barn", "attic", "cellar", "garden", "tower", "harbour", "school"];

/** A use is a verb and an object: 8 x 13 = 104, one for each thing. */
export const useVerbs = "carry clean cover lift move paint repair weigh".split(" ");
export const useObjects = "apples bread cloth firewood flowers grain honey milk rocks sand seeds water wool".split(" ");

/** What people in the word problems are called and what they count. */
export const people = ["Ivan", "Julia", "Karl", "Lena", "Martin", "Nora", "Oscar", "Paula"];
export const countables = ["berries", "cookies", "crayons", "eggs", "nuts", "plums", "shells", "stickers"];
