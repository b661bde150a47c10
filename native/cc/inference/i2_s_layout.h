// I2_S files of other programs whose bytes mean something else. Nothing in a file says which layout it has.
//
//   bitnet.cpp on x86   128 codes in 32 bytes: element j in byte j % 32, bits 6 - 2 (j / 32); read here
//   bitnet.cpp on ARM   64 codes in 16 bytes: element j in byte j % 16, bits 6 - 2 (j / 16)
//   sequential          4 codes in a byte, element j in byte j / 4, bits 2 (j % 4)
//
// after n / 4 bytes of codes a float32 scale and 28 bytes of padding, without holes between tensors.
//
// A wrong size shows. A wrong order of codes does not: every layout permutes the codes of a row within 128.
// But training ties the channels of a feed-forward block together: the rows of gate and up that are sparse
// (rows are the same in every layout) belong to columns of down that are sparse. In trained models the
// correlation is 0.2 to 0.9, and a wrong order leaves less than a third of it. So a file whose columns fit
// the rows clearly better in another layout is refused; one that shows no such tie (random weights) is read
// as x86's.
#pragma once

#include "inference/gguf_file.h"

namespace bitnet {

// Throws GgufError naming the tensor whose place in the file does not fit n / 4 + 32 bytes.
void check_i2_s_sizes(const GgufFile& file);

// Throws GgufError if the codes of the feed-forward blocks are in the order of another layout. `layers`
// blocks of gate, up [intermediate][hidden] and down [hidden][intermediate], shapes checked before.
void check_i2_s_order(const GgufFile& file, int64_t layers, int64_t hidden, int64_t intermediate);

}  // namespace bitnet
