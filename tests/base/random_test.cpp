#include "base/random.h"

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

using Philox = r123::Philox4x64;

std::array<uint64_t, 4> block(const Philox::ctr_type& counter, const Philox::key_type& key) {
  const auto out = Philox{}(counter, key);
  return {out[0], out[1], out[2], out[3]};
}

std::array<uint64_t, 4> next_block(Stream& stream) {
  return {stream.bits(), stream.bits(), stream.bits(), stream.bits()};
}

}  // namespace

// kat_vectors of Random123, philox4x64 10.
TEST_CASE("Philox4x64-10 gives the known answers", "[base][random]") {
  constexpr uint64_t kOnes = std::numeric_limits<uint64_t>::max();
  CHECK(block({{0, 0, 0, 0}}, {{0, 0}}) == std::array<uint64_t, 4>{0x16554d9eca36314c, 0xdb20fe9d672d0fdc,
                                                                   0xd7e772cee186176b, 0x7e68b68aec7ba23b});
  CHECK(block({{kOnes, kOnes, kOnes, kOnes}}, {{kOnes, kOnes}}) ==
        std::array<uint64_t, 4>{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6,
                                0xa09caebf594f0ba0});
  CHECK(block({{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89}},
              {{0x452821e638d01377, 0xbe5466cf34e90c6c}}) ==
        std::array<uint64_t, 4>{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5,
                                0x57bd43b5e52b7fe6});
}

TEST_CASE("a stream is Philox: block number and identity in the counter, seed, purpose and step in the key",
          "[base][random]") {
  Stream zero({.seed = 0, .purpose = static_cast<Purpose>(0)});
  CHECK(next_block(zero) == std::array<uint64_t, 4>{0x16554d9eca36314c, 0xdb20fe9d672d0fdc,
                                                    0xd7e772cee186176b, 0x7e68b68aec7ba23b});
  Stream stream(
      {.seed = 11, .purpose = Purpose::kAction, .iteration = 22, .task = 33, .trajectory = 44, .step = 55});
  for (uint64_t number = 0; number < 3; ++number) {
    CHECK(next_block(stream) == block({{number, 22, 33, 44}}, {{11, (uint64_t{4} << 32) + 55}}));
  }
}

TEST_CASE("every field of the key makes another stream", "[base][random]") {
  const StreamKey key{
      .seed = 1, .purpose = Purpose::kTask, .iteration = 1, .task = 1, .trajectory = 1, .step = 1};
  std::vector<StreamKey> keys(7, key);
  keys[1].seed = 2;
  keys[2].purpose = Purpose::kEnvironment;
  keys[3].iteration = 2;
  keys[4].task = 2;
  keys[5].trajectory = 2;
  keys[6].step = 2;
  std::set<uint64_t> seen;
  for (const auto& each : keys) {
    Stream stream(each);
    for (int k = 0; k < 100; ++k) seen.insert(stream.bits());
  }
  CHECK(seen.size() == 700);
  Stream first(key), second(key);
  for (int k = 0; k < 100; ++k) REQUIRE(first.bits() == second.bits());
}

TEST_CASE("neighbouring streams are uncorrelated", "[base][random]") {
  constexpr int kStreams = 100000;
  double product = 0;
  Stream before({.trajectory = 0});
  double last = before.normal();
  for (int k = 1; k <= kStreams; ++k) {
    Stream stream({.trajectory = static_cast<uint64_t>(k)});
    const double next = stream.normal();
    product += last * next / kStreams;
    last = next;
  }
  CHECK(std::abs(product) < 4 / std::sqrt(kStreams));
}

TEST_CASE("uniform numbers have the moments of the unit interval and keep their bounds", "[base][random]") {
  constexpr int kDraws = 1000000;
  Stream stream({.seed = 3});
  double sum = 0, squares = 0, low = 1, high = 0;
  for (int k = 0; k < kDraws; ++k) {
    const double u = stream.uniform();
    sum += u;
    squares += u * u;
    low = std::min(low, u);
    high = std::max(high, u);
  }
  CHECK(low >= 0);
  CHECK(low < 1e-4);
  CHECK(high < 1);
  CHECK(high > 1 - 1e-4);
  CHECK(sum / kDraws == Approx(0.5).margin(4 * 0.2887 / 1000));          // standard deviation 1 / sqrt(12)
  CHECK(squares / kDraws == Approx(1.0 / 3).margin(4 * 0.2981 / 1000));  // sqrt(1/5 - 1/9)

  sum = 0;
  for (int k = 0; k < kDraws; ++k) {
    const double u = stream.uniform(-3, -1);
    REQUIRE(u >= -3);
    REQUIRE(u < -1);
    sum += u;
  }
  CHECK(sum / kDraws == Approx(-2).margin(4 * 0.5774 / 1000));
}

TEST_CASE("normal numbers have the moments, the tails and the independence of N(0, 1)", "[base][random]") {
  constexpr int kDraws = 1000000;
  Stream stream({.seed = 4});
  std::array<double, 5> moment{};
  double pair = 0, last = 0, beyond_two = 0;
  for (int k = 0; k < kDraws; ++k) {
    const double x = stream.normal();
    REQUIRE(std::isfinite(x));
    double power = 1;
    for (double& m : moment) {
      m += power / kDraws;
      power *= x;
    }
    pair += x * last / kDraws;
    last = x;
    beyond_two += std::abs(x) > 2 ? 1.0 / kDraws : 0;
  }
  CHECK(moment[1] == Approx(0).margin(4e-3));
  CHECK(moment[2] == Approx(1).margin(4e-3 * std::sqrt(2)));
  CHECK(moment[3] == Approx(0).margin(4e-3 * std::sqrt(15)));
  CHECK(moment[4] == Approx(3).margin(4e-3 * std::sqrt(96)));
  CHECK(pair == Approx(0).margin(4e-3));  // also within a Box-Muller pair
  CHECK(beyond_two == Approx(0.0455).margin(4e-3 * 0.2084));
}

TEST_CASE("normals() of several streams are what normal() of each would draw", "[base][random]") {
  struct Row {
    int64_t count, each;
  };
  const auto row =
      GENERATE(values<Row>({{1, 1}, {3, 2}, {20, 3}, {20, 6}, {7, 21}, {1, 33}, {0, 4}, {2, 0}}));
  CAPTURE(row.count, row.each);
  const int64_t stride = row.each + 2;
  std::vector<Stream> batched, single;
  std::vector<Stream*> streams;
  for (int64_t b = 0; b < row.count; ++b) {
    batched.emplace_back(StreamKey{.seed = 6, .trajectory = static_cast<uint64_t>(b)});
    single.push_back(batched.back());
  }
  for (Stream& stream : batched) streams.push_back(&stream);
  for (int round = 0; round < 2000; ++round) {
    const float untouched = -7;
    std::vector<float> out(static_cast<size_t>(row.count * stride), untouched);
    Stream::normals(streams.data(), row.count, row.each, out.data(), stride);
    for (int64_t b = 0; b < row.count; ++b) {
      Stream& expected = single[static_cast<size_t>(b)];
      for (int64_t k = 0; k < stride; ++k) {
        const float found = out[static_cast<size_t>(b * stride + k)];
        REQUIRE(found == (k < row.each ? static_cast<float>(expected.normal()) : untouched));
      }
      if (round % 3 == 0) {  // other draws in between, the second number of a pair among them
        REQUIRE(streams[static_cast<size_t>(b)]->normal() ==
                Approx(expected.normal()).epsilon(0).margin(1e-14));
        REQUIRE(streams[static_cast<size_t>(b)]->bits() == expected.bits());
      }
    }
  }
}

TEST_CASE("below() is uniform, also where the bound does not divide 2^64", "[base][random]") {
  Stream stream({.seed = 5});
  std::array<int, 7> count{};
  for (int k = 0; k < 70000; ++k) ++count[stream.below(7)];
  for (const int n : count) CHECK(std::abs(n - 10000) < 4 * 93);

  // A plain modulo would draw the lowest third half of the time.
  const uint64_t bound = (uint64_t{3} << 62);  // 3/4 of 2^64
  int low = 0;
  constexpr int kDraws = 100000;
  for (int k = 0; k < kDraws; ++k) {
    const uint64_t draw = stream.below(bound);
    REQUIRE(draw < bound);
    low += draw < (uint64_t{1} << 62) ? 1 : 0;
  }
  CHECK(low / static_cast<double>(kDraws) == Approx(1.0 / 3).margin(4 * 0.4714 / std::sqrt(kDraws)));
  CHECK(stream.below(1) == 0);
  CHECK_THROWS_AS(stream.below(0), Error);
}
