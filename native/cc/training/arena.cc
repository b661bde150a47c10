#include "training/arena.h"

#include <memory>
#include <vector>

#include "core/huge_pages.h"

namespace bitnet {
namespace {

constexpr size_t kAlignment = 64;  // of every piece
constexpr size_t kFirstBlock = size_t{1} << 16;

struct Block {
  std::unique_ptr<uint8_t[]> memory;
  uint8_t* base;  // aligned
  size_t size;
};

struct Arena {
  std::vector<Block> blocks;
  size_t block = 0;  // the one in use
  size_t used = 0;   // of it

  void add_block(size_t size) {
    const size_t alignment = page_alignment(size);
    std::unique_ptr<uint8_t[]> memory(new uint8_t[size + alignment]);
    uint8_t* base = aligned_start(memory.get(), alignment);
    if (alignment >= kHugePage) advise_huge_pages(base, size);
    blocks.push_back(Block{std::move(memory), base, size});
  }

  void* take(size_t count) {
    const size_t size = (count + kAlignment - 1) / kAlignment * kAlignment;
    if (blocks.empty()) add_block(size > kFirstBlock ? size : kFirstBlock);
    while (used + size > blocks[block].size) {
      if (block + 1 == blocks.size()) {
        const size_t doubled = blocks[block].size * 2;
        add_block(size > doubled ? size : doubled);
      }
      ++block;
      used = 0;
    }
    void* result = blocks[block].base + used;
    used += size;
    return result;
  }

  void release(size_t to_block, size_t to_used) {
    block = to_block;
    used = to_used;
    if (block != 0 || used != 0 || blocks.size() < 2) return;
    // Nothing is in use: one block as large as all, so that the next call of this size does not hop.
    size_t total = 0;
    for (const Block& each : blocks) total += each.size;
    blocks.clear();
    add_block(total);
  }
};

Arena& arena() {
  thread_local Arena instance;
  return instance;
}

}  // namespace

ArenaScope::ArenaScope() : block_(arena().block), used_(arena().used) {}

ArenaScope::~ArenaScope() { arena().release(block_, used_); }

void* ArenaScope::bytes(int64_t count) { return arena().take(static_cast<size_t>(count)); }

}  // namespace bitnet
