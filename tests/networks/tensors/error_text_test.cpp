#include "networks/tensors/error_text.h"

#include <new>

#include "base/error.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

template <class Body>
std::string text_of(const Body& body) {
  try {
    body();
  } catch (const std::exception& error) {
    return error_text(error);
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("no foreign library's stack frames reach the user", "[runners]") {
  const auto theirs = text_of([] { torch::ones({2, 3}) + torch::ones({4, 5}); });
  CHECK(theirs.find("LibTorch: The size of tensor a (3) must match") == 0);
  CHECK(theirs.find("frame #") == std::string::npos);
  CHECK(theirs.find('\n') == std::string::npos);
  CHECK(text_of([] { throw Error("as it is"); }) == "as it is");
}

TEST_CASE("an allocation that failed says what takes less memory", "[runners]") {
  CHECK(text_of([] { throw std::bad_alloc(); }).find("out of memory: fewer tasks") == 0);
#ifndef __SANITIZE_ADDRESS__
  CHECK(text_of([] { torch::empty({int64_t{1} << 50}); }).find("out of memory: fewer tasks") == 0);
#endif
}
