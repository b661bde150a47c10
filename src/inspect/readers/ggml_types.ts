/** Sizes of ggml's tensor types by their numbers (ggml.h, ggml-common.h), and since when llama.cpp has them. */

export interface GgmlType {
  elements: number;
  bytes: number;
  /** Since the first versions that matter, where it is left out. */
  since?: string;
}

/** [number, elements of a block, its bytes] */
const old: readonly (readonly [number, number, number])[] = [
  [0, 1, 4],
  [1, 1, 2],
  [2, 32, 18],
  [3, 32, 20],
  [6, 32, 22],
  [7, 32, 24],
  [8, 32, 34],
  [9, 32, 36],
  [10, 256, 84],
  [11, 256, 110],
  [12, 256, 144],
  [13, 256, 176],
  [14, 256, 210],
  [15, 256, 292],
  [16, 256, 66],
  [17, 256, 74],
  [18, 256, 98],
  [19, 256, 50],
  [20, 32, 18],
  [21, 256, 110],
  [22, 256, 82],
  [23, 256, 136],
  [24, 1, 1],
  [25, 1, 2],
  [26, 1, 4],
  [27, 1, 8],
  [28, 1, 8],
  [29, 256, 56],
  [30, 1, 2],
];

export const ggmlTypes: ReadonlyMap<number, GgmlType> = new Map<number, GgmlType>([
  ...old.map(([id, elements, bytes]): [number, GgmlType] => [id, { elements, bytes }]),
  [34, { elements: 256, bytes: 54, since: "2024-09" }],
  [35, { elements: 256, bytes: 66, since: "2024-09" }],
  [39, { elements: 32, bytes: 17, since: "2025-08" }],
  [40, { elements: 64, bytes: 36, since: "2026-04" }],
  [41, { elements: 128, bytes: 18, since: "2026-04" }],
  [42, { elements: 64, bytes: 18, since: "2026-07" }],
]);
