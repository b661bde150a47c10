#include "inference/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace bitnet {

#if defined(_WIN32)

namespace {

std::wstring wide(const std::string& utf8) {
  const int size = static_cast<int>(utf8.size());
  std::wstring text(static_cast<size_t>(MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, nullptr, 0)),
                    L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, &text[0], static_cast<int>(text.size()));
  return text;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  HANDLE file = CreateFileW(wide(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr,
                            OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) throw std::runtime_error("cannot open the file");
  LARGE_INTEGER size;
  if (!GetFileSizeEx(file, &size)) size.QuadPart = 0;
  size_ = static_cast<uint64_t>(size.QuadPart);
  if (size_ > 0) {
    mapping_ = CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (mapping_) data_ = static_cast<const uint8_t*>(MapViewOfFile(mapping_, FILE_MAP_READ, 0, 0, 0));
  }
  CloseHandle(file);
  if (size_ > 0 && !data_) {
    if (mapping_) CloseHandle(mapping_);
    throw std::runtime_error("cannot map the file into memory");
  }
}

MappedFile::~MappedFile() {
  if (data_) UnmapViewOfFile(data_);
  if (mapping_) CloseHandle(mapping_);
}

// Windows trims the pages of a mapped file by itself under memory pressure.
void MappedFile::release_pages(uint64_t, uint64_t) const {}

#else

MappedFile::MappedFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw std::runtime_error(std::strerror(errno));
  struct stat status;
  const char* problem = nullptr;
  if (fstat(file, &status) != 0) {
    problem = std::strerror(errno);
  } else if (!S_ISREG(status.st_mode)) {
    problem = "not a regular file";
  } else if (status.st_size > 0) {
    size_ = static_cast<uint64_t>(status.st_size);
    void* address = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (address == MAP_FAILED) {
      problem = std::strerror(errno);
    } else {
      data_ = static_cast<const uint8_t*>(address);
    }
  }
  close(file);
  if (problem) throw std::runtime_error(problem);
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<uint8_t*>(data_), size_);
}

void MappedFile::release_pages(uint64_t offset, uint64_t size) const {
  // Only whole pages inside the range: neighbours may still be in use.
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t begin = (offset + page - 1) / page * page;
  const uint64_t end = (offset + size) / page * page;
  if (end > begin) madvise(const_cast<uint8_t*>(data_) + begin, end - begin, MADV_DONTNEED);
}

#endif

}  // namespace bitnet
