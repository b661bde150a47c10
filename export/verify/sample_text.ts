/** What exports are compared on when the user gives no text: plain English of several kinds, numbers and quotes. */
export const sampleText = `The old bridge had stood for two hundred years before anyone thought of counting the people
who crossed it. On the first day there were 312 of them, on the second 298, and on the third, because it rained, only
47. "Nobody likes to get wet," said the girl who kept the list, and she drew a small cloud beside the number.

Question: A basket holds 12 apples. Tom takes 3 of them and his sister puts 5 back. How many apples are in the basket?
Answer: 12 - 3 = 9, and 9 + 5 = 14. #### 14

Water is heavier than oil, so the oil floats on top. A stone sinks in both. To separate them, wait until the layers are
still, then pour slowly; what remains at the bottom is water. If you need to cut bread, use a knife, not a spoon.

She opened the letter at last. It said very little: that the garden was in flower, that the dog had learned to open the
kitchen door, and that they would all be glad to see her again before winter came.
`;
