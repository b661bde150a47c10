/** The kernel variants that BITNET_ISA may name, for help texts: the addon, which knows, is not loaded to print help. */

/** On every architecture, the slowest first. */
export const kernelVariants = ["scalar", "avx2", "avxvnni", "avx512vnni", "amx", "neondot"] as const;

/** A sentence of the help of commands that run kernels. */
export const isaHelp = `BITNET_ISA=${kernelVariants.join("|")} forces a kernel variant.`;
