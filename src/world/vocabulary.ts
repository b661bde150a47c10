/**
 * The words of the generated world. Which thing has which property is drawn by seed in `facts.ts`; nothing here is
 * taken from a text.
 */

/** 80 things: the entities that facts are about. */
export const things = (
  "anchor apron axe bag ball banner barrel basket bell bench blanket boat book boot bottle bowl box bridge " +
  "brush bucket button cage candle cart chain chair clock coat coin comb crate crown cup curtain desk doll door " +
  "drum engine fan feather flag flute fork gate globe glove hammer harp hat helmet horn jacket jar kettle key " +
  "kite knife ladder lamp letter map mask mirror needle net oven pan pillow plate pot rope rug saddle sail " +
  "shield spoon table wheel whistle"
).split(" ");

export const colours = ["red", "blue", "green", "yellow", "white", "black", "brown", "purple"];
export const materials = ["wood", "iron", "glass", "clay", "leather", "paper", "stone", "silver"];
export const owners = ["Anna", "Boris", "Clara", "David", "Elena", "Felix", "Greta", "Hugo"];
export const kinds = ["tool", "toy", "gift", "treasure", "souvenir", "relic", "weapon", "decoration"];
export const places = ["kitchen", "barn", "attic", "cellar", "garden", "tower", "harbour", "school"];

/** A use is a verb and an object: 8 x 10 = 80, one for each thing. */
export const useVerbs = "carry clean cover lift move paint repair weigh".split(" ");
export const useObjects = "apples bread cloth flowers grain honey milk rocks sand water".split(" ");

/** What people in the word problems are called and what they count. */
export const people = ["Ivan", "Julia", "Karl", "Lena", "Martin", "Nora", "Oscar", "Paula"];
export const countables = ["berries", "cookies", "crayons", "eggs", "nuts", "plums", "shells", "stickers"];
