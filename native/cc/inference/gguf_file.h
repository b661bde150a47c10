// Reader of GGUF model files, versions 2 and 3, little-endian.
//
//   header     "GGUF", uint32 version, uint64 tensor count, uint64 metadata count
//   metadata   per entry: string key, uint32 value type, value   (string = uint64 length + bytes)
//   tensors    per entry: string name, uint32 dimensions, uint64 size of each (fastest first), uint32 type,
//              uint64 offset from the start of the data
//   data       starts at the next multiple of general.alignment (32 unless given)
//
// A model may be split into files NAME-00001-of-00003.gguf and so on: the first has the metadata, each has its number
// from 0 (split.no) and that of all (split.count), and tensors of its own. They are read as one.
//
// Source: ggml's docs/gguf.md. A file is untrusted input: all arithmetic is checked, every count is limited
// below, and nothing is allocated in proportion to a count before the bytes it speaks of are known to exist.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "inference/ggml_type.h"
#include "inference/mapped_file.h"

namespace bitnet {

// A malformed or unsupported file; the message says what is wrong and where.
class GgufError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A name from a file, fit for a one-line message: in quotes, printable ASCII, shortened.
std::string quoted(std::string_view name);

constexpr uint64_t kMaxGgufEntries = 65536;           // metadata entries, and tensors
constexpr uint64_t kMaxGgufNameBytes = 65535;         // the specification's limit of a key
constexpr uint64_t kMaxGgufStringBytes = 1ull << 28;  // a whole tokenizer.json fits
constexpr uint64_t kMaxGgufArrayLength = 1ull << 26;  // a vocabulary has at most millions of entries
constexpr uint32_t kMaxGgufDimensions = 4;
constexpr uint64_t kMaxGgufElements = 1ull << 40;  // of one tensor
constexpr uint64_t kMaxGgufAlignment = 1ull << 20;
constexpr uint64_t kMaxGgufParts = 99999;  // their numbers have five digits

enum class GgufValueType : uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12
};

// One metadata value. Numbers and booleans are widened; strings are views of the mapped bytes; of an array
// only the place is kept (nested arrays are checked and skipped: element_type is then `array`).
struct GgufValue {
  GgufValueType type;
  uint64_t integer = 0;  // two's complement for the signed types; 0 or 1 for booleans
  double number = 0;     // any numeric type
  std::string_view text{};
  GgufValueType element_type = GgufValueType::u8;
  uint64_t length = 0;
  uint64_t offset = 0;  // of the first element, from the start of the file
};

struct GgufTensor {
  std::string name;
  GgmlType type;
  std::vector<uint64_t> dimensions;  // fastest first, as stored: a linear weight is {in, out}
  uint64_t offset;                   // from the start of its file
  uint64_t bytes;
  uint64_t room = 0;  // bytes up to the next tensor of its file, or to the end of it
  size_t part = 0;    // the file of a split model, from 0
};

class GgufFile {
 public:
  // Maps and parses a file, or all parts of a split one, given any of them. Throws GgufError (malformed) or
  // std::runtime_error (cannot be opened).
  explicit GgufFile(const std::string& path);
  // Parses bytes that outlive this object, of one file. Throws GgufError.
  GgufFile(const uint8_t* data, uint64_t size);

  uint32_t version() const { return version_; }
  uint64_t alignment() const { return alignment_; }
  // Files that were read.
  size_t parts() const { return parts_.size(); }
  // Of the first part.
  const std::map<std::string, GgufValue>& metadata() const { return metadata_; }
  // Null if the key is absent.
  const GgufValue* find(const std::string& key) const;
  // Elements of an array of strings. Throws GgufError if the value is not one.
  std::vector<std::string_view> strings(const std::string& key, const GgufValue& value) const;
  // Elements of an array of numbers. Throws GgufError if the value is not one.
  std::vector<double> numbers(const std::string& key, const GgufValue& value) const;

  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  // Null if there is no such tensor.
  const GgufTensor* tensor(const std::string& name) const;
  const uint8_t* tensor_data(const GgufTensor& tensor) const {
    return parts_[tensor.part].data + tensor.offset;
  }
  // Gives the file's pages of the tensor back, after its contents were copied.
  void release_pages(const GgufTensor& tensor) const { release_pages(tensor, 0, tensor.bytes); }
  // The same for `bytes` bytes from `begin` on.
  void release_pages(const GgufTensor& tensor, uint64_t begin, uint64_t bytes) const;

 private:
  struct Part {
    std::unique_ptr<MappedFile> mapped;  // null for bytes of somebody else
    const uint8_t* data;
    uint64_t size;
  };
  // Adds the tensors of a part, and the metadata if it is the first.
  void add(Part part);

  std::vector<Part> parts_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 32;
  std::map<std::string, GgufValue> metadata_;
  std::map<std::string, GgufTensor> tensors_;
};

}  // namespace bitnet
