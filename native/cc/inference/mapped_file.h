// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bitnet {

class MappedFile {
 public:
  // Throws std::runtime_error with the system's reason if the file cannot be opened or mapped.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* data() const { return data_; }
  uint64_t size() const { return size_; }

  // Gives the resident pages of [offset, offset + size) back to the system; a later read fetches them again.
  void release_pages(uint64_t offset, uint64_t size) const;

 private:
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
#if defined(_WIN32)
  void* mapping_ = nullptr;
#endif
};

}  // namespace bitnet
