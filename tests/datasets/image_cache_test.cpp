#include "datasets/image_cache.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/catch.h"
#include "tests/datasets/fixtures.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

PixelBlock block_of(uint8_t value) {
  PixelBlock block{3, 5, 7, Bytes(3 * 5 * 7 * 11, value)};
  block.pixels.back() = 1;
  return block;
}

bool same(const PixelBlock& a, const PixelBlock& b) {
  return a.channels == b.channels && a.height == b.height && a.width == b.width && a.pixels == b.pixels;
}

// How often a block of this value was built.
struct Builder {
  uint8_t value;
  int built = 0;
  PixelBlock get(const CacheKey& key) {
    return cached_pixels(key, [&] {
      ++built;
      return block_of(value);
    });
  }
};

}  // namespace

TEST_CASE("a block is built once and then read", "[datasets][image_cache]") {
  const Alone alone;
  Builder builder{9};
  const CacheKey key{"letters", "here", 1};
  CHECK(same(builder.get(key), block_of(9)));
  CHECK(same(builder.get(key), block_of(9)));
  CHECK(builder.built == 1);
  REQUIRE(alone.cached().size() == 1);
  CHECK_THAT(alone.cached()[0], StartsWith("letters-") && EndsWith(".bin"));
}

TEST_CASE("other content is built again in the same place", "[datasets][image_cache]") {
  const Alone alone;
  Builder old{9}, changed{8}, elsewhere{7};
  old.get({"letters", "here", 1});
  CHECK(same(changed.get({"letters", "here", 2}), block_of(8)));
  CHECK(changed.built == 1);
  CHECK(alone.cached().size() == 1);
  CHECK(same(changed.get({"letters", "here", 2}), block_of(8)));
  CHECK(changed.built == 1);
  CHECK(same(elsewhere.get({"letters", "there", 2}), block_of(7)));
  CHECK(alone.cached().size() == 2);
}

TEST_CASE("a damaged file is built again, wherever the damage is", "[datasets][image_cache]") {
  const Alone alone;
  Builder builder{9};
  const CacheKey key{"letters", "here", 1};
  builder.get(key);
  const auto path = alone / "cache" / alone.cached().at(0);
  const auto whole = read_bytes(path);
  int builds = 1;
  const auto check_rebuilt = [&](const Bytes& damaged) {
    write_bytes(path, damaged);
    CHECK(same(builder.get(key), block_of(9)));
    CHECK(builder.built == ++builds);
    CHECK(read_bytes(path) == whole);
  };
  for (const size_t place :
       {size_t{0}, size_t{9}, size_t{40}, size_t{50}, whole.size() / 2, whole.size() - 1}) {
    CAPTURE(place);
    auto damaged = whole;
    damaged[place] ^= 0x80;
    check_rebuilt(damaged);
  }
  check_rebuilt(Bytes(whole.begin(), whole.end() - 1));
  check_rebuilt(Bytes(whole.begin(), whole.begin() + 10));
  check_rebuilt({});
}

TEST_CASE("a file with any bit of its header flipped is built again", "[datasets][image_cache]") {
  const Alone alone;
  Builder builder{9};
  const CacheKey key{"letters", "here", 1};
  builder.get(key);
  const auto path = alone / "cache" / alone.cached().at(0);
  const auto whole = read_bytes(path);
  const size_t header = whole.size() - block_of(9).pixels.size();
  REQUIRE(header == 72);
  for (size_t bit = 0; bit < 8 * header; ++bit) {
    CAPTURE(bit);
    auto damaged = whole;
    damaged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    write_bytes(path, damaged);
    const int built = builder.built;
    REQUIRE(same(builder.get(key), block_of(9)));
    REQUIRE(builder.built == built + 1);
  }
}

TEST_CASE("what the images were read from is kept with them", "[datasets][image_cache]") {
  const Alone alone;
  const auto get = [] {
    return cached_pixels({"letters", "here", 1}, [] {
      auto block = block_of(9);
      block.encoded = 77;
      block.damaged = {0, 10};
      return block;
    });
  };
  get();
  const auto block = get();
  CHECK(block.encoded == 77);
  CHECK(block.damaged == std::vector<uint64_t>{0, 10});
}

TEST_CASE("a pipe or a device in the file's place is not waited for", "[datasets][image_cache]") {
  const Alone alone;
  Builder builder{9};
  const CacheKey key{"letters", "here", 1};
  builder.get(key);
  const auto path = alone / "cache" / alone.cached().at(0);
  fs::remove(path);
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  CHECK(same(builder.get(key), block_of(9)));
  CHECK(builder.built == 2);
  CHECK(fs::is_regular_file(path));
  fs::remove(path);
  fs::create_symlink("/dev/zero", path);
  CHECK(same(builder.get(key), block_of(9)));
  CHECK(builder.built == 3);
  CHECK(same(builder.get(key), block_of(9)));
  CHECK(builder.built == 3);
}

TEST_CASE("a file is replaced and never written into, so whoever reads it reads on",
          "[datasets][image_cache]") {
  const Alone alone;
  Builder old{9}, changed{8};
  old.get({"letters", "here", 1});
  const auto path = alone / "cache" / alone.cached().at(0);
  const auto before = read_bytes(path);
  fs::create_hard_link(path, alone / "as_opened_before");
  changed.get({"letters", "here", 2});
  CHECK(read_bytes(alone / "as_opened_before") == before);
  CHECK(read_bytes(path) != before);
}

TEST_CASE("a failure while building leaves nothing behind", "[datasets][image_cache]") {
  const Alone alone;
  CHECK_THROWS_WITH(
      cached_pixels({"letters", "here", 1}, []() -> PixelBlock { throw Error("no such letter"); }),
      "no such letter");
  CHECK(alone.cached().empty());
}

TEST_CASE("a cache folder that cannot be written costs time only", "[datasets][image_cache]") {
  const Alone alone;
  write_bytes(alone / "file", text("a file where the folder should be"));
  const Variable cache("INNERLOOP_CACHE", (alone / "file/cache").string());
  Builder builder{9};
  CHECK(same(builder.get({"letters", "here", 1}), block_of(9)));
  CHECK(same(builder.get({"letters", "here", 1}), block_of(9)));
  CHECK(builder.built == 2);
}

TEST_CASE("threads that build at once all get the block and leave one file", "[datasets][image_cache]") {
  const Alone alone;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        const auto value = static_cast<uint8_t>(2 + round);
        Builder builder{value};
        if (same(builder.get({"letters", "here", value}), block_of(value))) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 8 * 20);
  CHECK(alone.cached().size() == 1);
}

TEST_CASE("processes that build at once all get the block and leave one file", "[datasets][image_cache]") {
  const Alone alone;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      bool right = true;
      for (int round = 0; round < 20; ++round) {
        const auto value = static_cast<uint8_t>(2 + round);
        Builder builder{value};
        right &= same(builder.get({"letters", "here", value}), block_of(value));
      }
      _exit(right ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(alone.cached().size() == 1);
}

TEST_CASE("the cache folder is the user's, or named by INNERLOOP_CACHE", "[datasets][image_cache]") {
  const Variable home("HOME", "/home/ada"), none("INNERLOOP_CACHE", ""), xdg("XDG_CACHE_HOME", "");
  CHECK(image_cache_folder() == "/home/ada/.cache/innerloop");
  {
    const Variable caches("XDG_CACHE_HOME", "/caches");
    CHECK(image_cache_folder() == "/caches/innerloop");
    const Variable own("INNERLOOP_CACHE", "/mine");
    CHECK(image_cache_folder() == "/mine");
  }
  const Variable homeless("HOME", "");
  CHECK(image_cache_folder().empty());
}
