// A test program in plain C++: CHECK_TEST bodies run in order of definition, each reports itself, and the
// program ends with "N passed, N failed". It exits with 1 if any failed.
//
//   CHECK_TEST("adds") { expect(add(1, 2) == 3, "1 + 2 is %d", add(1, 2)); }
//   int main() { return check::run_tests(); }
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

namespace check {

struct Test {
  const char* name;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> list;
  return list;
}

// Failed expectations of the running test; only the first few are printed.
inline int& failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
inline bool
expect(bool holds, const char* format, ...) {
  if (holds) return true;
  constexpr int kMaxPrinted = 5;
  if (failures()++ < kMaxPrinted) {
    va_list arguments;
    va_start(arguments, format);
    std::printf("    ");
    std::vprintf(format, arguments);
    std::printf("\n");
    va_end(arguments);
  }
  return false;
}

inline int run_tests() {
  int passed = 0, failed = 0;
  for (const Test& test : tests()) {
    failures() = 0;
    try {
      test.body();
    } catch (const std::exception& error) {
      expect(false, "threw: %s", error.what());
    }
    std::printf("%s  %s\n", failures() ? "FAIL" : "ok  ", test.name);
    std::fflush(stdout);
    ++(failures() ? failed : passed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}

}  // namespace check

#define CHECK_JOIN_(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_(a, b)
#define CHECK_TEST(name)                                                                                  \
  static void CHECK_JOIN(check_body_, __LINE__)();                                                        \
  static const check::Registration CHECK_JOIN(check_entry_, __LINE__)(name,                               \
                                                                      CHECK_JOIN(check_body_, __LINE__)); \
  static void CHECK_JOIN(check_body_, __LINE__)()
