// The AMX intrinsics, or the header that emulates them (see avx512_intrinsics.h).
#pragma once

#include "core/avx512_intrinsics.h"
