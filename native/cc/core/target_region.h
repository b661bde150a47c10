// A region of code compiled for instructions beyond the baseline:
//
//   #include <standard headers>      // before the region: their inline functions must stay baseline code
//   BITNET_TARGET_BEGIN("avx2,fma,f16c")
//   ... free functions over raw pointers, in an anonymous namespace ...
//   BITNET_TARGET_END
//
// A translation unit holds one region. MSVC accepts every intrinsic everywhere and needs no region.
#pragma once

#define BITNET_PRAGMA(text) _Pragma(#text)

#if defined(BITNET_EMULATED_ISA) || (defined(_MSC_VER) && !defined(__clang__))
#define BITNET_TARGET_BEGIN(features)
#define BITNET_TARGET_END
#elif defined(__clang__)
#define BITNET_TARGET_BEGIN(features) \
  BITNET_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define BITNET_TARGET_END BITNET_PRAGMA(clang attribute pop)
#else
#define BITNET_TARGET_BEGIN(features) \
  BITNET_PRAGMA(GCC push_options)     \
  BITNET_PRAGMA(GCC target(features))
#define BITNET_TARGET_END BITNET_PRAGMA(GCC pop_options)
#endif

// AArch64 with the dot product extension, as either compiler wants to hear it.
#if defined(__clang__)
#define BITNET_TARGET_BEGIN_NEON_DOT BITNET_TARGET_BEGIN("dotprod")
#else
#define BITNET_TARGET_BEGIN_NEON_DOT BITNET_TARGET_BEGIN("arch=armv8.2-a+dotprod")
#endif

// Small functions on vectors must vanish: a call would spill every register.
#if defined(_MSC_VER) && !defined(__clang__)
#define BITNET_INLINE __forceinline
#else
#define BITNET_INLINE inline __attribute__((always_inline))
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define BITNET_RESTRICT __restrict
#else
#define BITNET_RESTRICT __restrict__
#endif

// Loops over an array of accumulators must be unrolled completely: then the array lives in registers.
#if defined(__clang__)
#define BITNET_UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define BITNET_UNROLL _Pragma("GCC unroll 32")
#else
#define BITNET_UNROLL
#endif

// Asks for a cache line, or for one that a stream reaches later: the hardware's own prefetchers stop at page
// borders and run too short a way ahead. The address may lie behind the end of the stream.
#if defined(_MSC_VER) && !defined(__clang__)
#define BITNET_PREFETCH_AHEAD(p, bytes)
#define BITNET_PREFETCH(p)
#else
#define BITNET_PREFETCH_AHEAD(p, bytes) \
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(p) + (bytes)))
#define BITNET_PREFETCH(p) __builtin_prefetch(p, 0, 2)  // into the second-level cache
#endif
// About 24 lines ahead.
#define BITNET_PREFETCH_STREAM(p) BITNET_PREFETCH_AHEAD(p, 1536)

// Keeps a vector value in one register from here: GCC otherwise folds a load into each of its uses, or keeps
// an integer accumulator in several registers, one per type that intrinsics see it as.
#if defined(__GNUC__) && !defined(BITNET_EMULATED_ISA) && (defined(__x86_64__) || defined(__aarch64__))
#if defined(__aarch64__)
#define BITNET_PIN(vector) __asm__("" : "+w"(vector))
#else
#define BITNET_PIN(vector) __asm__("" : "+v"(vector))
#endif
#else
#define BITNET_PIN(vector)
#endif
