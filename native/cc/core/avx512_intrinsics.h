// <immintrin.h> for the AVX-512 files. BITNET_EMULATED_ISA may name a header that emulates the intrinsics
// instead: native/check does so to run these files on machines without AVX-512.
#pragma once

#if defined(BITNET_EMULATED_ISA)
#include BITNET_EMULATED_ISA
#else
#if defined(__GNUC__) && !defined(__clang__)
// GCC's header makes undefined vectors out of themselves and then warns of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif
