import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findMca, predict } from "../../native/check/machine_code/cycles.mjs";
import { parseDisassembly, splitOperands } from "../../native/check/machine_code/disassembly.mjs";
import { isClean, judge } from "../../native/check/machine_code/judge.mjs";
import { hotLoops } from "../../native/check/machine_code/loops.mjs";
import { disassemble, findToolchain, isas } from "../../native/check/machine_code/toolchains.mjs";

const { x86_64, aarch64 } = isas;

/** The only hot loop of a function, given as objdump prints its code from address 0x10 on. */
function loopOf(isa: typeof x86_64 | typeof aarch64, lines: string) {
  const [compiled] = parseDisassembly(`0000000000000010 <f(float*)>:\n${lines}`);
  const loops = hotLoops(compiled!, isa);
  expect(loops).toHaveLength(1);
  return loops[0]!;
}

describe("objdump's text", () => {
  test("operands are split outside of brackets", () => {
    expect(splitOperands("$0x1,0x8(%rsp,%rax,4){1to16},%zmm1{%k1}")).toEqual([
      "$0x1",
      "0x8(%rsp,%rax,4){1to16}",
      "%zmm1{%k1}",
    ]);
    expect(splitOperands("{v0.16b, v1.16b}, [x1], #32")).toEqual(["{v0.16b, v1.16b}", "[x1]", "#32"]);
  });

  test("jumps have targets, calls of other files and comments do not count", () => {
    const [f, g] = parseDisassembly(`
0000000000000000 <f(int)>:
   0:\tlea    0x0(%rip),%r11        # 7 <f(int)+0x7>
\t\t\t3: R_X86_64_PC32\t.rodata-0x4
   7:\tcs nopw 0x0(%rax,%rax,1)
   f:\tjne    0 <f(int)>
  11:\tjmp    16 <f(int)+0x16>
\t\t\t12: R_X86_64_PLT32\tg(int)-0x4

0000000000000000 <g(int)>:
   0:\ttbz\tw5, #0, 424 <g(int)+0x13c>  // b.none
   4:\tmov\tw8, #0xc                   \t// #12
`);
    expect(f!.body.map(({ op, target }) => [op, target])).toEqual([
      ["lea", undefined],
      ["nopw", undefined],
      ["jne", 0],
      ["jmp", undefined],
    ]);
    expect(g!.body).toEqual([
      { address: 0, op: "tbz", operands: ["w5", "#0", "424"], target: 0x424 },
      { address: 4, op: "mov", operands: ["w8", "#0xc"] },
    ]);
  });
});

describe("loops of x86-64", () => {
  test("an instruction with a chosen encoding is a product like any other", () => {
    const loop = loopOf(x86_64, "  10:\t{vex} vpdpbusd (%rsi),%ymm3,%ymm2\n  16:\tjne    10 <f(float*)>\n  18:\tret");
    expect(loop).toMatchObject({ products: 1, spills: 0 });
    if (findMca()) expect(predict(findMca(), [loop], x86_64, "x86_64", "sapphirerapids")[0]).toBeDefined();
  });

  test("a loop that stores and reads an accumulator on the stack spills", () => {
    const loop = loopOf(
      x86_64,
      `  10:\tvmovups (%rsi),%zmm1
  16:\tvmovups 0x40(%rsp),%zmm2
  1c:\tvpdpbusd %zmm1,%zmm3,%zmm2
  22:\tvmovups %zmm2,0x40(%rsp)
  28:\tjne    10 <f(float*)>
  2a:\tret`,
    );
    expect(loop).toMatchObject({ products: 1, spills: 1, reloads: 1 });
    expect(isClean(loop)).toBe(false);
  });

  test("the frame is followed through other registers, and rbp may hold anything", () => {
    const spilling = loopOf(
      x86_64,
      `  10:\tlea    0x8(%rsp),%r10
  14:\tand    $0xffffffffffffffe0,%r10
  18:\tmov    %r10,0x10(%rsp)
  1c:\txor    %r10d,%r10d
  20:\tmov    0x10(%rsp),%rax
  24:\tvmovaps -0x20(%rax),%ymm2
  28:\tvfmadd231ps (%rsi),%ymm1,%ymm2
  2c:\tvmovaps %ymm2,-0x20(%rax)
  30:\tjne    24 <f(float*)+0x14>
  32:\tret`,
    );
    expect(spilling).toMatchObject({ spills: 1, reloads: 1 });
    const clean = loopOf(
      x86_64,
      `  10:\tmov    %rdi,%rbp
  14:\tvmovaps 0x0(%rbp),%ymm2
  18:\tvfmadd231ps (%rsi),%ymm1,%ymm2
  1c:\tvmovaps %ymm2,0x0(%rbp)
  20:\tjne    14 <f(float*)+0x4>
  22:\tret`,
    );
    expect(clean).toMatchObject({ spills: 0, reloads: 0 });
  });

  test("an accumulator in a local array is a spill, filling the array is none", () => {
    const array = loopOf(
      x86_64,
      `  10:\tvmovaps 0x20(%rsp,%rax,4),%ymm2
  18:\tvfmadd231ps (%rsi,%rax,4),%ymm1,%ymm2
  1c:\tvmovaps %ymm2,0x20(%rsp,%rax,4)
  20:\tadd    $0x8,%rax
  24:\tjne    10 <f(float*)>
  26:\tret`,
    );
    expect(array).toMatchObject({ spills: 1, reloads: 0 });
    const filled = loopOf(
      x86_64,
      `  10:\tmov    %rsp,%rax
  14:\tvmulps (%rsi),%ymm1,%ymm2
  18:\tvmovaps %ymm2,(%rax)
  1c:\tadd    $0x20,%rax
  20:\tjne    14 <f(float*)+0x4>
  22:\tret`,
    );
    expect(filled).toMatchObject({ spills: 0, reloads: 0 });
  });

  test("only the innermost loop with products is hot, wherever its blocks stand", () => {
    const loop = loopOf(
      x86_64,
      `  10:\tvmovups %zmm2,0x40(%rsp)
  14:\tjmp    30 <f(float*)+0x20>
  18:\tvmovups 0x40(%rsp),%zmm2
  1c:\tjne    10 <f(float*)>
  20:\tret
  30:\tvpdpbusd (%rsi),%zmm3,%zmm2
  34:\tje     18 <f(float*)+0x8>
  38:\tadd    $0x40,%rsi
  3c:\tjmp    30 <f(float*)+0x20>`,
    );
    expect(loop).toMatchObject({ header: 0x30, products: 1, spills: 0 });
    expect(loop.body.map(({ op }) => op)).toEqual(["vpdpbusd", "je", "add", "jmp"]);
  });

  test("many reads of values that found no register are a fault, a few are none", () => {
    const body = Array.from({ length: 16 }, (_, i) => ({ address: i, op: "x", operands: [] }));
    const loop = { body, header: 0, products: 1, spills: 0 };
    expect(isClean({ ...loop, reloads: 2 })).toBe(true);
    expect(isClean({ ...loop, reloads: 3 })).toBe(false);
  });
});

describe("loops of AArch64", () => {
  test("a loop that stores and reads accumulators on the stack spills", () => {
    const loop = loopOf(
      aarch64,
      `  10:\tstp\tx29, x30, [sp, #-96]!
  14:\tmov\tx29, sp
  18:\tldp\tq4, q5, [x29, #32]
  1c:\tldr\tq6, [x1], #16
  20:\tsdot\tv4.4s, v6.16b, v7.4b[0]
  24:\tstp\tq4, q5, [sp, #32]
  28:\tb.ne\t18 <f(float*)+0x8>  // b.any
  2c:\tldp\tx29, x30, [sp], #96
  30:\tret`,
    );
    expect(loop).toMatchObject({ products: 1, spills: 1, reloads: 1 });
  });

  test("a walk through a local array and products of scalars are none", () => {
    const loop = loopOf(
      aarch64,
      `  10:\tadd\tx8, sp, #0x20
  14:\tldr\tq6, [x1], #16
  18:\tfmul\tv4.4s, v6.4s, v0.s[0]
  1c:\tstr\tq4, [x8], #16
  20:\tcbnz\tx2, 14 <f(float*)+0x4>
  24:\tfmul\ts0, s1, s2
  28:\tstr\ts0, [sp, #8]
  2c:\tldr\ts0, [sp, #8]
  30:\ttbz\tw5, #0, 24 <f(float*)+0x14>
  34:\tret`,
    );
    expect(loop).toMatchObject({ header: 0x14, products: 1, spills: 0, reloads: 0 });
  });
});

describe("exceptions", () => {
  const loop = {
    body: [],
    header: 0,
    products: 1,
    spills: 2,
    reloads: 2,
    file: "core/a.cc",
    name: "f",
    toolchain: "gcc x86_64",
  };
  const entry = { file: /a\.cc$/, name: /^f$/, toolchains: /gcc/, spills: 2, reloads: 2, reason: "" };

  test("excuse what they name, up to their counts", () => {
    expect(judge([loop], [entry], ["gcc x86_64"])).toEqual({ faults: [], excused: [loop], idle: [] });
    const worse = { ...loop, spills: 3 };
    expect(judge([worse], [entry], ["gcc x86_64"]).faults).toEqual([worse]);
    expect(judge([loop], [{ ...entry, toolchains: /clang/ }], ["gcc x86_64"]).faults).toEqual([loop]);
  });

  test("that nothing needs are reported, unless their compiler was not there", () => {
    const clean = { ...loop, spills: 0, reloads: 0 };
    expect(judge([clean], [entry], ["gcc x86_64"]).idle).toEqual([entry]);
    expect(judge([clean], [entry], ["clang x86_64"]).idle).toEqual([]);
  });
});

/** A tile of `rows` x 4 vectors: 2 rows fit the 16 registers of AVX2, 9 not even the 32 of NEON. */
const source = (rows: number) => `
#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2,fma")))
typedef float Vector __attribute__((vector_size(32)));
#else
#define TARGET
typedef float Vector __attribute__((vector_size(16)));
#endif
TARGET void multiply(long steps, const float* a, const Vector* b, Vector* out) {
${Array.from({ length: rows * 4 }, (_, i) => `  Vector s${i} = out[${i}];`).join("\n")}
  for (long p = 0; p < steps; ++p, a += ${rows}, b += 4) {
${Array.from({ length: rows * 4 }, (_, i) => `    s${i} += b[${i % 4}] * a[${Math.floor(i / 4)}];`).join("\n")}
  }
${Array.from({ length: rows * 4 }, (_, i) => `  out[${i}] = s${i};`).join("\n")}
}
`;

describe("compiled on the spot", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "machine_code_"));
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const architecture of ["x86_64", "aarch64"] as const) {
    for (const compiler of ["gcc", "clang"]) {
      const toolchain = findToolchain(compiler, architecture);
      test.skipIf(typeof toolchain === "string")(`${compiler} for ${architecture}`, () => {
        if (typeof toolchain === "string") return;
        const spillsWith = (rows: number) => {
          const object = path.join(folder, `${compiler}_${architecture}_${rows}.o`);
          const [program, ...own] = toolchain.command;
          const flags = ["-x", "c++", "-O3", "-ffp-contract=fast", "-c", "-", "-o", object];
          const { stderr, status } = spawnSync(program!, [...own, ...flags], { input: source(rows), encoding: "utf8" });
          expect(stderr).toBe("");
          expect(status).toBe(0);
          const loops = parseDisassembly(disassemble(toolchain, object)).flatMap((f) =>
            hotLoops(f, isas[architecture]),
          );
          expect(loops).toHaveLength(1);
          expect(loops[0]!.products).toBe(4 * rows);
          return loops[0]!;
        };
        expect(isClean(spillsWith(2))).toBe(true);
        expect(spillsWith(9).spills).toBeGreaterThan(0);
      });
    }
  }

  test.skipIf(findMca() === undefined)("llvm-mca takes objdump's text", () => {
    const loop = loopOf(
      x86_64,
      `  10:\tvmovups (%rsi),%zmm1{%k1}{z}
  16:\tvfmadd231ps 0x4(%rdi){1to16},%zmm1,%zmm2
  1c:\tvfmadd231ps 0x8(%rdi){1to16},%zmm1,%zmm3
  28:\tjne    10 <f(float*)>
  2a:\tret`,
    );
    const [onZen4] = predict(findMca(), [loop], x86_64, "x86_64", "znver4");
    expect(onZen4!.bound).toBeGreaterThanOrEqual(2);
    expect(onZen4!.cycles).toBeGreaterThanOrEqual(onZen4!.bound);
    expect(predict(findMca(), [loop], x86_64, "x86_64", "znver3")).toEqual([undefined]);
  });
});
